"""The paper's definitions, transcribed without care for speed or cancellation, in arithmetic of hundreds of digits.

Independent of drt: floats in, `flint.arb` out. Differences are subtracted; the digits are there.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise

from flint import arb, arb_mat, ctx

BITS = 1200  # 360 digits: a ball loses some of them in every layer


class Undecided(Exception):
    """The reference cannot say on which side of a kink a pre-activation lies."""


@contextmanager
def precision(bits=BITS):
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def _pieces(spec):
    """(kinks, slopes) of a piecewise-linear φ, from its text."""
    name, _, rest = spec.partition(":")
    if name == "identity":
        return [], [1.0]
    if name == "relu":
        return [0.0], [0.0, 1.0]
    if name == "leaky_relu":
        return [0.0], [float(rest), 1.0]
    if name == "piecewise_linear":
        kinks, slopes = rest.split("/")
        return [float(k) for k in kinks.split(",") if k], [float(s) for s in slopes.split(",")]
    return None


def phi(spec, z):
    """φ(z), z an arb."""
    name, _, rest = spec.partition(":")
    if name == "negated":
        return -phi(rest, z)
    if name in ("tanh_blend", "softplus_blend"):
        a = arb(float(rest))
        psi = z.tanh() if name == "tanh_blend" else (1 + z.exp()).log() - arb(2).log()
        return a * z + (1 - a) * psi
    kinks, slopes = _pieces(spec)
    # Walk from 0 to z, kink by kink.
    down = z < 0
    route = sorted((k for k in kinks if (k < 0 if down else k > 0)), reverse=down)
    at, total = arb(0), arb(0)
    for stop in [*(arb(k) for k in route if (arb(k) > z if down else arb(k) < z)), z]:
        total += _slope_between(kinks, slopes, at, stop) * (stop - at)
        at = stop
    return total


def _slope_between(kinks, slopes, p, q):
    middle = (p + q) / 2
    return arb(slopes[sum(1 for k in kinks if middle > k)])


def slope(spec, z):
    """φ'(z), on the left of a kink."""
    name, _, rest = spec.partition(":")
    if name == "negated":
        return -slope(rest, z)
    if name in ("tanh_blend", "softplus_blend"):
        a = arb(float(rest))
        return a + (1 - a) * (1 / z.cosh() ** 2 if name == "tanh_blend" else 1 / (1 + (-z).exp()))
    kinks, slopes = _pieces(spec)
    if not all(z > k or z <= k for k in kinks):
        raise Undecided(f"{z} is at a kink of {spec}, or within the reference's own error of it")
    return arb(slopes[sum(1 for k in kinks if z > k)])


def matrix(rows):
    """An arb_mat of a 2-d tensor of floats, exactly."""
    return arb_mat(len(rows), len(rows[0]), [v for row in rows.tolist() for v in row])


def column(x):
    return arb_mat(len(x), 1, x.tolist())


def norm(a):
    """The Frobenius norm."""
    return sum((v * v for v in a.entries()), arb(0)).sqrt()


def _forward(matrices, biases, specs, x):
    """f(x) and the slopes of every layer."""
    h, slopes = column(x), []
    for a, b, spec in zip(matrices, biases, specs, strict=True):
        z = a * h
        z = z if b is None else z + column(b)
        slopes.append([slope(spec, v) for v in z.entries()])
        h = arb_mat(z.nrows(), 1, [phi(spec, v) for v in z.entries()])
    return h, slopes


def _jacobians(matrices, slopes):
    """J_0 … J_L (Proposition 1)."""
    n = matrices[-1].nrows()
    result = [arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])]
    for a, s in zip(matrices[::-1], slopes[::-1], strict=True):
        scaled = arb_mat(a.nrows(), a.ncols(), [s[i] * a[i, j] for i in range(a.nrows()) for j in range(a.ncols())])
        result.append(result[-1] * scaled)
    return result[::-1]


def changes(net, dweights, x, dbiases=None, jacobians=True):
    """‖f̃ − f‖/‖f‖ and the list of ‖J̃_l − J_l‖_F/‖J_l‖_F, l = 0 … L − 1, of one network and one input, as arbs."""
    specs = [a.spec for a in net.activations]
    w = [matrix(v) for v in net.weights]
    wt = [a + matrix(d) for a, d in zip(w, dweights, strict=True)]
    moves = dbiases or [None] * net.depth
    bt = [b if db is None else (b, db) for b, db in zip(net.biases, moves, strict=True)]
    f, slopes = _forward(w, net.biases, specs, x)
    ft, slopes_t = _forward(wt, [_sum(b) for b in bt], specs, x)
    function = norm(ft - f) / norm(f)
    if not jacobians:
        return function, []
    pairs = zip(_jacobians(wt, slopes_t)[:-1], _jacobians(w, slopes)[:-1], strict=True)
    return function, [norm(a - b) / norm(b) for a, b in pairs]


class _Exact:
    """A sum of two float vectors, kept exact."""

    def __init__(self, b, db):
        self.values = [arb(p) + arb(q) for p, q in zip(b.tolist(), db.tolist(), strict=True)]

    def __len__(self):
        return len(self.values)

    def tolist(self):
        return self.values


def _sum(b):
    return _Exact(*b) if isinstance(b, tuple) else b


def relative_error(computed, true):
    """|computed − true|/true as a float, rounded up; 0 where both are 0."""
    if true == 0:
        return 0.0 if computed == 0 else float("inf")
    assert not true.contains(0), "the reference lost its digits"
    return float((abs(arb(computed) - true) / true).upper())


def extreme_singular_values(rows):
    """(s_max, s_min) of a 2-d tensor of floats, to ~60 digits: exact Gram matrix, eigenvalues in balls."""
    a = matrix(rows)
    gram = a.transpose() * a if a.nrows() >= a.ncols() else a * a.transpose()
    values = sorted((abs(v.real.mid()) for v in _eigenvalues(gram)), key=float)
    return values[-1].sqrt(), values[0].sqrt()


def _eigenvalues(gram):
    from flint import acb_mat

    n = gram.nrows()
    return acb_mat(n, n, list(gram.entries())).eig(algorithm="approx")


def never_contracting(widths):
    return all(p <= q for p, q in pairwise(widths))
