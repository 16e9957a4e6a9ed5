"""Reference values of the kernels in 50 digits: `python3 reference.py > reference.csv`.

Rows `kernel,x,y,value,rest`: y is 0 for functions of one argument, value + rest is the result to about 32 digits.
"""
import math
import random

import mpmath as mp

mp.mp.dps = 50
rng = random.Random(20240607)
M = mp.mpf


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def logaddexp(a, b):
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


def lgamma(x):
    return mp.re(mp.loggamma(x))


def erfinv(x):
    y = mp.erfinv(x) if abs(x) < 0.9 else mp.sign(x) * mp.sqrt(-mp.log1p(-abs(x)))
    for _ in range(200):
        e = mp.erfc(abs(y))
        step = (e - (1 - abs(x))) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += mp.sign(x) * step / (1 - abs(y) * step)
        if abs(step) < M(10) ** -45:
            break
    return y


def spread(lo, hi, n):
    return [rng.uniform(lo, hi) for _ in range(n)]


def powers(lo, hi, n, signs=(1,)):
    """Numbers spread evenly over exponents of 2 from lo to hi."""
    return [rng.choice(signs) * 2.0 ** rng.uniform(lo, hi) for _ in range(n)]


BOTH = (-1, 1)
quarters = [k * math.pi / 2 for k in (1, 2, 3, 10, 355, 10**6, 2**29)] + [6381956970095103.0 * 2.0**797, 1e22]
above_one = [1 + rng.choice(BOTH) * 2.0 ** rng.uniform(-52, -2) for _ in range(15)]
ONE = {
    "exp": (mp.exp, spread(-745, 709.7, 30) + spread(-1, 1, 20) + powers(-60, -1, 10, BOTH)),
    "expm1": (mp.expm1, spread(-40, 709, 20) + spread(-1.5, 1.5, 20) + powers(-1070, -1, 20, BOTH)),
    "log": (mp.log, powers(-1074, 1023, 25) + spread(0.5, 2, 20) + above_one),
    "log1p": (mp.log1p, powers(-1074, 1023, 20) + spread(-1, 1, 20) + powers(-60, -1, 20, BOTH)),
    "sin": (mp.sin, spread(-7, 7, 20) + powers(-600, 1023, 25, BOTH) + quarters),
    "cos": (mp.cos, spread(-7, 7, 20) + powers(-600, 1023, 25, BOTH) + quarters),
    "tan": (mp.tan, spread(-7, 7, 20) + powers(-600, 1023, 25, BOTH) + quarters),
    "asin": (mp.asin, spread(-1, 1, 40) + powers(-600, -1, 10, BOTH) + [1.0, -1.0, 1 - 2.0**-53]),
    "acos": (mp.acos, spread(-1, 1, 40) + powers(-600, -1, 10, BOTH) + [-1.0, 1 - 2.0**-53]),
    "atan": (mp.atan, spread(-3, 3, 40) + powers(-1000, 1000, 20, BOTH)),
    "sinh": (mp.sinh, spread(-4, 4, 30) + spread(-710, 710, 15) + powers(-1000, -1, 15, BOTH)),
    "cosh": (mp.cosh, spread(-4, 4, 30) + spread(-710, 710, 15) + powers(-30, -1, 15, BOTH)),
    "tanh": (mp.tanh, spread(-4, 4, 30) + spread(-22, 22, 15) + powers(-1000, -1, 15, BOTH)),
    "sqrt": (mp.sqrt, powers(-1074, 1023, 30)),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), powers(-1074, 1023, 40, BOTH) + spread(-8, 8, 20)),
    "erf": (mp.erf, spread(-3, 3, 40) + powers(-1000, 2, 20, BOTH)),
    "erfc": (mp.erfc, spread(-3, 3, 40) + spread(0, 26.5, 20) + powers(-60, -1, 10, BOTH)),
    "norm_cdf": (mp.ncdf, spread(-4, 4, 40) + spread(-38, 8, 20) + powers(-60, -1, 10, BOTH)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), spread(-4, 4, 30) + spread(-740, 40, 20)),
    "softplus": (softplus, spread(-4, 4, 30) + spread(-740, 40, 20)),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x), spread(0, 1, 40) + powers(-1000, -1, 10)
              + [0.5 + rng.choice(BOTH) * 2.0 ** rng.uniform(-50, -3) for _ in range(10)]),
    "erfinv": (erfinv, spread(-1, 1, 40) + powers(-1000, -1, 15, BOTH) + [1 - v for v in powers(-52, -3, 15)]),
    "lgamma": (lgamma, spread(0, 30, 30) + powers(-1000, 900, 20) + spread(-20, 0, 15)),
    "digamma": (mp.digamma, spread(0, 30, 30) + powers(-1000, 900, 20) + spread(-20, 0, 15) + spread(1.45, 1.47, 5)),
    "log_i0": (lambda x: mp.log(mp.besseli(0, x)), spread(-15, 15, 40) + powers(-60, 10, 15)),
    "bessel_ratio": (lambda x: mp.besseli(1, x) / mp.besseli(0, x), spread(-15, 15, 40) + powers(-60, 10, 15)),
}


def pairs(xs, ys):
    return list(zip(xs, ys))


gamma_shapes = powers(-6, 10, 40) + [3e4, 1e5, 1e6]
pow_x = spread(0, 3, 30) + powers(-1000, 1000, 20)
TWO = {
    "atan2": (mp.atan2, pairs(powers(-900, 900, 15, BOTH), powers(-900, 900, 15, BOTH))
              + pairs(spread(-3, 3, 40), spread(-3, 3, 40))),
    "pow": (mp.power, pairs(pow_x, [rng.uniform(-740, 709) / math.log(x) for x in pow_x])
            + pairs(spread(-9, 9, 10), [float(rng.randint(-20, 20)) for _ in range(10)])),
    "logaddexp": (logaddexp, pairs(spread(-5, 5, 40), spread(-5, 5, 40))
                  + pairs(spread(-800, 800, 10), spread(-800, 800, 10))),
    "polygamma": (lambda n, x: mp.polygamma(int(n), x), [(float(n), x) for n in (0, 1, 2, 3, 7)
                  for x in spread(0, 20, 8) + powers(-20, 20, 4) + spread(-9, 0, 4)]),
    "gamma_p": (lambda a, x: mp.gammainc(a, 0, x, regularized=True),
                [(a, max(1e-3, a + rng.uniform(-4, 5) * math.sqrt(a))) for a in gamma_shapes]),
}


def row(name, x, y, value):
    hi = float(value)
    if math.isinf(hi) or abs(hi) < 2.3e-308:
        return
    print(f"{name},{x!r},{y!r},{hi!r},{float(value - M(hi))!r}")


for name, (f, xs) in ONE.items():
    for x in xs:
        row(name, x, 0.0, f(M(x)))
for name, (f, points) in TWO.items():
    for x, y in points:
        row(name, x, y, f(M(x), M(y)))
