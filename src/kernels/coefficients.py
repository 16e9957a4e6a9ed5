"""Minimax polynomial coefficients of src/kernels, by the Remez exchange in mpmath.

Run `python3 coefficients.py`; each table is printed as a Rust constant with its largest error.
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


def main():
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


if __name__ == "__main__":
    main()
