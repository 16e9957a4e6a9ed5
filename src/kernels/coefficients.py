"""Minimax polynomial coefficients of src/kernels, by the Remez exchange in mpmath.

Run `python3 coefficients.py | rustfmt --edition 2024 > coefficients.rs`.
`fit(f, a, b, n, w)` minimises the maximum of |w(x)*(f(x) - p(x))| over [a, b] for p of n coefficients.
"""
import mpmath as mp

mp.mp.dps = 60


def solve(f, w, nodes, n):
    """p and the level e with w*(f - p) = +-e alternating at n + 1 nodes."""
    A = mp.matrix(n + 1, n + 1)
    y = mp.matrix(n + 1, 1)
    for i, x in enumerate(nodes):
        for j in range(n):
            A[i, j] = x**j
        A[i, n] = (-1) ** i / w(x)
        y[i] = f(x)
    c = mp.lu_solve(A, y)
    return [c[j] for j in range(n)], c[n]


def horner(c, x):
    p = mp.mpf(0)
    for a in reversed(c):
        p = p * x + a
    return p


def extrema(err, a, b, n):
    """The n + 1 alternating extrema of err on [a, b], by a fine Chebyshev-spaced scan."""
    m = 40 * (n + 1)
    xs = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * k / m) for k in range(m + 1)]
    es = [err(x) for x in xs]
    out = []
    for x, e in zip(xs, es):
        if out and mp.sign(out[-1][1]) == mp.sign(e):
            if abs(e) > abs(out[-1][1]):
                out[-1] = (x, e)
        else:
            out.append((x, e))
    while len(out) > n + 1:
        out.pop(0 if abs(out[0][1]) < abs(out[-1][1]) else -1)
    return [x for x, _ in out], max(abs(e) for e in es)


def fit(f, a, b, n, w=lambda x: mp.mpf(1)):
    a, b = mp.mpf(a), mp.mpf(b)
    cache = {}

    def g(x):
        if x not in cache:
            cache[x] = f(x)
        return cache[x]

    nodes = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * k / n) for k in range(n + 1)]
    for _ in range(6):
        c, e = solve(g, w, nodes, n)
        new, worst = extrema(lambda x: w(x) * (g(x) - horner(c, x)), a, b, n)
        if len(new) < n + 1 or worst < abs(e) * 1.02:
            break
        nodes = new
    return c, worst


def emit(name, note, f, a, b, n, w=lambda x: mp.mpf(1)):
    c, e = fit(f, a, b, n, w)
    print(f"/// {note} Error 2^{mp.nstr(mp.log(e, 2), 4)}.")
    print(f"pub const {name}: [f64; {n}] = [")
    for v in c:
        print(f"    {float(v)!r},")
    print("];", flush=True)


def tail(f, k):
    """(f(x) - its first k Taylor terms)/x^k near 0 by series, for even the smallest x."""
    t = mp.taylor(f, 0, k + 30)
    return lambda x: sum(t[k + j] * x**j for j in range(31))


def root(f):
    """f as a function of z = x^2 > 0."""
    return lambda z: f(mp.sqrt(z))


HEADER = """\
//! Minimax polynomials of the kernels, constant term first. Written by `coefficients.py` beside this file (Remez
//! exchange in 60 digits); the stated error is that of the polynomial before its coefficients are rounded.

// a coefficient may happen to be a constant of the library
#![allow(clippy::approx_constant)]
"""


def main():
    print(HEADER)
    h = mp.log(2) / 2 * mp.mpf("1.002")
    emit("EXP", "(e^r - 1 - r)/r^2 on |r| <= ln(2)/2; error relative to r.", tail(mp.exp, 2), -h, h, 11)
    s2 = (mp.sqrt(2) - 1) ** 4 * mp.mpf("1.001")
    emit("LOG", "(2 atanh(s)/s - 2)/z, z = s^2, on s <= 3 - 2 sqrt(2).",
         lambda z: sum(2 * z**k / (2 * k + 3) for k in range(40)), 0, s2, 7)
    emit("LOG_TAIL", "(atanh(s)/s - 1 - z/3)/z^2 on the same z.",
         lambda z: sum(z**k / (2 * k + 5) for k in range(40)), 0, s2, 8)
    q = (mp.pi / 4 * mp.mpf("1.001")) ** 2
    fac = mp.factorial
    emit("SIN", "(sin(r)/r - 1)/z, z = r^2, on |r| <= pi/4.",
         lambda z: sum((-1) ** (k + 1) * z**k / fac(2 * k + 3) for k in range(25)), 0, q, 6)
    emit("COS", "(cos(r) - 1 + z/2)/z^2 on the same z.",
         lambda z: sum((-1) ** k * z**k / fac(2 * k + 4) for k in range(25)), 0, q, 6)
    t = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.001")
    emit("ATAN", "(atan(u)/u - 1)/z, z = u^2, on |u| <= tan(pi/8).",
         lambda z: sum((-1) ** (k + 1) * z**k / (2 * k + 3) for k in range(70)), 0, t, 12)
    asin_c = mp.taylor(mp.asin, 0, 241)
    emit("ASIN", "(asin(s)/s - 1)/z, z = s^2, on |s| <= 1/2.",
         lambda z: sum(asin_c[2 * k + 3] * z**k for k in range(119)), 0, mp.mpf("0.2501"), 14)
    emit("SINH", "(sinh(r)/r - 1)/z, z = r^2, on |r| <= ln(2)/2.",
         lambda z: sum(z**k / fac(2 * k + 3) for k in range(25)), 0, h * h, 5)
    emit("COSH", "(cosh(r) - 1 - z/2)/z^2 on the same z.",
         lambda z: sum(z**k / fac(2 * k + 4) for k in range(25)), 0, h * h, 5)
    emit("CBRT", "m^(-1/3) on [sqrt(1/2), sqrt(2)], relative.", lambda m: mp.cbrt(1 / m),
         mp.sqrt(mp.mpf("0.499")), mp.sqrt(mp.mpf("2.004")), 6, lambda m: mp.cbrt(m))
    emit("ERF", "erf(x)/x - 1, in x^2, on |x| <= 0.65.",
         lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1 if z > 1e-30 else 2 / mp.sqrt(mp.pi) - 1, 0, mp.mpf("0.4226"), 10)
    erfc()
    box_muller()
    erfinv()
    digamma()
    bessel()
    temme()


def erfc():
    """(1 + 2x) e^(x^2) erfc(x) in t = (x - 4)/(x + 4), x from 0 to 28; the first coefficient in two parts."""
    def g(t):
        x = 4 * (1 + t) / (1 - t)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    g0 = g(mp.mpf(0))
    print("/// (1 + 2x) e^(x^2) erfc(x) at x = 4, its double and the rest.")
    print(f"pub const ERFC_HI: f64 = {float(g0)!r};\npub const ERFC_LO: f64 = {float(g0 - mp.mpf(float(g0)))!r};")
    # the slope at t = 0 by the limit, elsewhere the quotient
    slope = mp.diff(g, 0)
    emit("ERFC", "The same function less its value at x = 4, over t = (x - 4)/(x + 4), 0 <= x <= 28; error times t.",
         lambda t: (g(t) - g0) / t if t else slope, -1, mp.mpf(24) / 32, 23)


def box_muller():
    """The functions of the normal generator: absolute accuracy of 2^-55 is enough."""
    s2 = (mp.sqrt(2) - 1) ** 4 * mp.mpf("1.001")
    emit("MINUS_2_LOG", "-4 atanh(s)/s in s^2, on s <= 3 - 2 sqrt(2).",
         lambda z: sum(-4 * z**k / (2 * k + 1) for k in range(40)), 0, s2, 8)
    p2 = mp.pi**2
    emit("SIN_PI", "sin(pi t)/t in t^2, on |t| <= 1/2.",
         lambda z: mp.pi * sum((-p2 * z) ** k / mp.factorial(2 * k + 1) for k in range(30)), 0, mp.mpf("0.25"), 9)
    emit("COS_PI", "cos(pi t) in t^2, on |t| <= 1/2.",
         lambda z: sum((-p2 * z) ** k / mp.factorial(2 * k) for k in range(30)), 0, mp.mpf("0.25"), 9)


def erfinv():
    """erfinv(x)/x in w = -log(1 - x^2): a start to 2^-28, which one step of Halley's method makes exact."""
    def f(w):
        x = mp.sqrt(-mp.expm1(-w)) if w else mp.mpf(0)
        return mp.sqrt(mp.pi) / 2 if not x else inverse(x, w) / x

    def inverse(x, w):
        # Newton on log(erfc), which does not cancel near 1
        target = mp.log(mp.exp(-w) / (1 + x))
        y = mp.sqrt(w) * mp.mpf("0.9")
        for _ in range(60):
            e = mp.erfc(y)
            step = (mp.log(e) - target) * e * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
            y += step
            if abs(step) < mp.mpf(10) ** -45:
                break
        return y

    emit("ERFINV_CENTRE", "erfinv(x)/x in w - 2.5, w = -log(1 - x^2), 0 <= w <= 5.",
         lambda v: f(v + mp.mpf("2.5")), mp.mpf("-2.5"), mp.mpf("2.5"), 13)
    emit("ERFINV_TAIL", "The same in sqrt(w) - 4, 5 <= w <= 37.",
         lambda v: f((v + 4) ** 2), mp.sqrt(5) - 4, mp.sqrt(37) - 4, 13)


def digamma():
    x0 = mp.findroot(mp.digamma, mp.mpf("1.4616321449683623"))
    hi = mp.mpf(float(x0))
    print("/// The positive root of digamma, its double and the rest.")
    print(f"pub const DIGAMMA_ROOT: [f64; 2] = [{float(hi)!r}, {float(x0 - hi)!r}];")

    def f(v):
        d = v + mp.mpf("1.5") - x0
        return mp.digamma(v + mp.mpf("1.5")) / d if abs(d) > mp.mpf(10) ** -20 else mp.polygamma(1, x0)

    emit("DIGAMMA", "digamma(x)/(x - root) in x - 3/2, 1 <= x <= 2.", f, -0.5, 0.5, 22)


def bessel():
    small = mp.mpf(25)
    i0 = lambda z: (mp.besseli(0, 2 * mp.sqrt(z)) - 1) / z if z > 1e-20 else 1 + z / 4
    i1 = lambda z: mp.besseli(1, 2 * mp.sqrt(z)) / mp.sqrt(z) if z > 1e-30 else mp.mpf(1)
    emit("I0", "(I0(x) - 1)/z in z = x^2/4, |x| <= 10, relative.", i0, 0, small, 17, lambda z: 1 / i0(z))
    emit("I1", "I1(x)/(x/2) in the same z, relative.", i1, 0, small, 17, lambda z: 1 / i1(z))

    def log_tail(t):
        x = 1 / t
        return mp.log(mp.besseli(0, x) * mp.exp(-x) * mp.sqrt(2 * mp.pi * x)) / t

    def ratio_tail(t):
        return (1 - mp.besseli(1, 1 / t) / mp.besseli(0, 1 / t)) / t

    t4 = mp.mpf("1e-4")
    emit("LOG_I0_TAIL", "(log I0(x) - x + log(2 pi x)/2)/t in t = 1/x, x >= 10.",
         lambda t: log_tail(t) if t > t4 else horner([mp.mpf(1) / 8, mp.mpf(1) / 16, mp.mpf(25) / 384, mp.mpf(13) / 128], t),
         0, mp.mpf("0.1"), 20)
    emit("BESSEL_RATIO_TAIL", "(1 - I1(x)/I0(x))/t in the same t.",
         lambda t: ratio_tail(t) if t > t4 else horner([mp.mpf(1) / 2, mp.mpf(1) / 8, mp.mpf(1) / 8, mp.mpf(25) / 128], t),
         0, mp.mpf("0.1"), 20)


def temme():
    """Taylor coefficients of c_0 ... c_3 of Temme's expansion of the incomplete gamma functions (DLMF 8.12.9-12)."""
    n = 34
    # mu(eta) from eta^2/2 = mu - log(1 + mu): mu' = eta*(1 + mu)/mu, by undetermined coefficients
    m = [mp.mpf(0), mp.mpf(1)]
    for k in range(2, n):
        # mu*mu' = eta + eta*mu: the coefficient of eta^k in mu*mu' is (k + 1)*m[k] + known terms (m[1] = 1)
        known = sum(m[i] * (k + 1 - i) * m[k + 1 - i] for i in range(2, k) if k + 1 - i < k and i < k)
        m.append((m[k - 1] - known) / (k + 1))
    # eta/mu as a series, then c_0 = 1/mu - 1/eta
    r = [mp.mpf(1)]
    for k in range(1, n - 1):
        r.append(-sum(m[j + 1] * r[k - j] for j in range(1, k + 1)))
    c = [r[k + 1] for k in range(len(r) - 1)]
    stirling = [mp.mpf(1), mp.mpf(1) / 12, mp.mpf(1) / 288, mp.mpf(-139) / 51840]
    tables = [c]
    for k in range(1, 4):
        # c_k = c_(k-1)'/eta + (-1)^k g_k/mu; the poles cancel
        d = [(i + 1) * c[i + 1] for i in range(len(c) - 1)]
        g = (-1) ** k * stirling[k]
        assert abs(d[0] + g * r[0]) < mp.mpf(10) ** -40
        c = [d[i + 1] + g * r[i + 1] for i in range(len(d) - 1)]
        tables.append(c)
    for k, (c, size) in enumerate(zip(tables, (18, 13, 9, 6))):
        print(f"/// Taylor coefficients of c_{k}(eta) of Temme's expansion.")
        print(f"pub const TEMME_{k}: [f64; {size}] = [")
        for v in c[:size]:
            print(f"    {float(v)!r},")
        print("];")


if __name__ == "__main__":
    main()
