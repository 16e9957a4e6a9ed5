//! Elementary functions as instructions in the body, where they are cheaper than a call: the operations of the array
//! kernel one by one, so that the bits are the same (`kernels::elementary`). With the exponential written out, a step in
//! a mixture of eight modes takes 13.0 ns in place of 15.5 with the kernel for AVX2 (`cargo bench --bench step`, Zen 4).

use super::encode as x86;
use super::expand::Expansion;
use super::vector::{Node, Val, Vector};
use crate::kernels::coefficients::EXP;
use crate::kernels::table::Level;
use crate::kernels::{arith, single};
use crate::step::kernel::Kernel;
use crate::step::program::{Fused, Inst, Precision};

/// Whether an instruction is a call that is written out. The kernel for AVX-512 takes half the time of what is written
/// out with 256 bits: it is called, unless it is for one value only (a step with one exponential takes 1.47 ns with it
/// written out and 1.73 with a call, one with two 2.50 and 2.32, the mixture of eight 11.8 and 8.6).
pub fn is_inlined(inst: &Inst) -> bool {
    matches!(inst, Inst::Call(call) if call.kernel == Kernel::Exp
        && (call.dsts.len() == 1 || Level::best() != Level::Avx512))
}

impl Expansion<'_> {
    fn fma(&mut self, args: [Val; 3], out: &mut Vec<Node>) -> Val {
        let dst = self.new_val(None);
        self.push(out, Vector::Fused { form: Fused::MulAdd, dst, args });
        dst
    }

    pub fn exp(&mut self, x: Val, out: &mut Vec<Node>) -> Val {
        match self.layout.precision {
            Precision::Single => self.exp_single(x, out),
            Precision::Double => self.exp_double(x, out),
        }
    }

    /// x within bounds, x/ln 2 rounded, and what is left of x without the lower part of ln 2.
    fn reduced(&mut self, x: Val, [low, high]: [f64; 2], ln2_hi: f64, out: &mut Vec<Node>) -> [Val; 2] {
        let (low, high, rounder) = (self.number(low), self.number(high), self.rounder());
        // in this order NaN stays
        let x = self.two(x86::MIN, [high, x], out);
        let x = self.two(x86::MAX, [low, x], out);
        let scale = self.number(std::f64::consts::LOG2_E);
        let n = self.fma([x, scale, rounder], out);
        let n = self.two(x86::SUB, [n, rounder], out);
        let hi = self.number(-ln2_hi);
        [n, self.fma([n, hi, x], out)]
    }

    /// e^x, as `elementary::exp::exp`.
    fn exp_double(&mut self, x: Val, out: &mut Vec<Node>) -> Val {
        let [n, r] = self.reduced(x, [-750.0, 710.0], arith::LN2_HI, out);
        let lo = self.number(-arith::LN2_LO);
        let t = self.two(x86::MUL, [n, lo], out);
        let h = self.two(x86::ADD, [r, t], out);
        let rest = self.two(x86::SUB, [r, h], out);
        let rest = self.two(x86::ADD, [rest, t], out);
        let (square, p) = self.polynomial(h, &EXP, out);
        let low = self.fma([rest, h, rest], out);
        let low = self.fma([square, p, low], out);
        let sum = self.two(x86::ADD, [h, low], out);
        self.scaled(sum, n, out)
    }

    /// e^x, as `single::elementary::exp`.
    fn exp_single(&mut self, x: Val, out: &mut Vec<Node>) -> Val {
        let least = f64::from(single::elementary::LEAST_EXP);
        let bound = self.number(least);
        let below = self.compared([x, bound], x86::LESS, out);
        let [n, r] = self.reduced(x, [least, 89.0], f64::from(single::arith::LN2_HI), out);
        let lo = self.number(-f64::from(single::arith::LN2_LO));
        let r = self.fma([n, lo, r], out);
        let (square, p) = self.polynomial(r, &single::coefficients::EXP.map(f64::from), out);
        let sum = self.fma([square, p, r], out);
        let y = self.scaled(sum, n, out);
        // the machine complements the first
        self.two(x86::AND_NOT, [below, y], out)
    }

    /// What rounds a number to an integer when it is added.
    fn rounder(&mut self) -> Val {
        self.number(match self.layout.precision {
            Precision::Single => f64::from(single::arith::ROUNDER),
            Precision::Double => arith::ROUNDER,
        })
    }

    /// The square of x, and a polynomial by two interleaved chains, as `arith::poly` for an odd number of coefficients.
    fn polynomial<const N: usize>(&mut self, x: Val, c: &[f64; N], out: &mut Vec<Node>) -> (Val, Val) {
        const { assert!(!N.is_multiple_of(2), "the chains end so") };
        let square = self.two(x86::MUL, [x, x], out);
        let mut chains = [self.number(c[N - 1]), self.number(c[N - 2])];
        for k in 2..N {
            let next = self.number(c[N - 1 - k]);
            chains[k % 2] = self.fma([chains[k % 2], square, next], out);
        }
        (square, self.fma([chains[1], x, chains[0]], out))
    }

    /// (1 + p) * 2^n in two steps, as `arith::scale`.
    fn scaled(&mut self, p: Val, n: Val, out: &mut Vec<Node>) -> Val {
        let (one, rounder, half) = (self.number(1.0), self.rounder(), self.number(0.5));
        let p = self.two(x86::ADD, [one, p], out);
        let half = self.fma([n, half, rounder], out);
        let whole = self.two(x86::SUB, [half, rounder], out);
        let rest = self.two(x86::SUB, [n, whole], out);
        let rest = self.two(x86::ADD, [rest, rounder], out);
        let half = self.power_of_rounded(half, out);
        let rest = self.power_of_rounded(rest, out);
        let p = self.two(x86::MUL, [p, half], out);
        self.two(x86::MUL, [p, rest], out)
    }

    /// 2^n for the integer n in the low bits.
    fn power_of_rounded(&mut self, n: Val, out: &mut Vec<Node>) -> Val {
        let one = self.number(1.0);
        let dst = self.new_val(None);
        let mantissa = match self.layout.precision {
            Precision::Single => f32::MANTISSA_DIGITS - 1,
            Precision::Double => f64::MANTISSA_DIGITS - 1,
        };
        self.push(out, Vector::One { op: x86::SHIFT_LEFT, dst, a: n, number: Some(mantissa as u8) });
        self.two(x86::ADD_INTEGERS, [dst, one], out)
    }
}
