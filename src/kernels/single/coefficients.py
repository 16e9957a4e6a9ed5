"""Minimax polynomial coefficients of src/kernels/single. Run `python3 coefficients.py | rustfmt --edition 2024 > coefficients.rs`."""
import pathlib
import struct
import sys

import mpmath as mp

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from coefficients import fit, tail  # noqa: E402


def short(v):
    """The shortest decimal of the nearest single number."""
    x = struct.unpack("f", struct.pack("f", float(v)))[0]
    for digits in range(6, 12):
        text = f"{x:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == x:
            return repr(float(text))
    return repr(x)


def emit(name, note, f, a, b, n, w=lambda x: mp.mpf(1)):
    c, e = fit(f, a, b, n, w)
    print(f"/// {note} Error 2^{mp.nstr(mp.log(e, 2), 4)}.")
    print(f"pub const {name}: [f32; {n}] = [")
    for v in c:
        print(f"    {short(v)},")
    print("];", flush=True)


HEADER = """\
//! Minimax polynomials in single precision, constant term first. Written by `coefficients.py` beside this file; the
//! stated error is that of the polynomial before its coefficients are rounded.

// a coefficient may happen to be a constant of the library
#![allow(clippy::approx_constant)]
"""


def main():
    print(HEADER)
    fac = mp.factorial
    h = mp.log(2) / 2 * mp.mpf("1.002")
    emit("EXP", "(e^r - 1 - r)/r^2 on |r| <= ln(2)/2; error relative to r.", tail(mp.exp, 2), -h, h, 5)
    lo, hi = mp.sqrt(mp.mpf("0.4995")) - 1, mp.sqrt(mp.mpf("2.001")) - 1
    emit("LOG", "(log(1 + f) - f + f^2/2)/f^3 on sqrt(1/2) <= 1 + f <= sqrt(2).",
         lambda f: (mp.log1p(f) - f + f * f / 2) / f**3 if abs(f) > 1e-12 else mp.mpf(1) / 3, lo, hi, 8)
    q = (mp.pi / 4 * mp.mpf("1.002")) ** 2
    emit("SIN", "(sin(r)/r - 1)/z, z = r^2, on |r| <= pi/4.",
         lambda z: sum((-1) ** (k + 1) * z**k / fac(2 * k + 3) for k in range(20)), 0, q, 3)
    emit("COS", "(cos(r) - 1 + z/2)/z^2 on the same z.",
         lambda z: sum((-1) ** k * z**k / fac(2 * k + 4) for k in range(20)), 0, q, 3)
    emit("ERF", "erf(x)/x - 1, in x^2, on |x| <= 0.9.",
         lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1 if z > 1e-30 else 2 / mp.sqrt(mp.pi) - 1, 0, mp.mpf("0.81"), 7)
    emit("LOG_ERFC", "log(erfc(x)) in x - 1, on 0.9 <= x <= 4; error times erfc(x).",
         lambda t: mp.log(mp.erfc(t + 1)), mp.mpf("-0.11"), 3, 8, lambda t: mp.erfc(t + 1))
    emit("MINUS_2_LOG", "-2 log(1 + f)/f on sqrt(1/2) <= 1 + f <= sqrt(2).",
         lambda f: -2 * mp.log1p(f) / f if abs(f) > 1e-25 else mp.mpf(-2), lo, hi, 9)
    p2 = mp.pi**2
    emit("SIN_PI", "sin(pi t)/t in t^2, on |t| <= 1/2.",
         lambda z: mp.pi * sum((-p2 * z) ** k / fac(2 * k + 1) for k in range(25)), 0, mp.mpf("0.25"), 5)
    emit("COS_PI", "cos(pi t) in t^2, on |t| <= 1/2.",
         lambda z: sum((-p2 * z) ** k / fac(2 * k) for k in range(25)), 0, mp.mpf("0.25"), 5)


if __name__ == "__main__":
    main()
