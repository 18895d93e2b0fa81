"""The segment W + tΔW, t ∈ [0, 1], of a piecewise-linear network, cut into its pieces in exact arithmetic.

Between two breakpoints no pre-activation passes a kink of φ. There z_l, h_l and the outputs are polynomials in t of degree l
with rational coefficients, and so are the gradients of the squared loss, g_l = e_l h_{l−1}ᵀ, and with them

    N_l(t) = ‖g_l(t) − g_l(0)‖_F² = ‖e_l‖²‖h_{l−1}‖² − 2⟨e_l, e_l(0)⟩⟨h_{l−1}, h_{l−1}(0)⟩ + ‖g_l(0)‖_F².

Breakpoints are found layer by layer: on a piece of the layers below, the roots of Π_i (z_{l,i} − kink), made squarefree and
freed of the roots that end the piece. They are algebraic numbers: a polynomial and the index of its root, isolated to any
precision. A z that stays on a kink has the slope on its left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from flint import acb, acb_poly, arb, arb_poly, ctx, fmpq, fmpq_mat, fmpq_poly

from drt.exact.network import ExactNetwork, Piecewise
from drt.exact.surds import Undecided

LARGEST_DEGREE = 160  # of a polynomial whose roots are isolated
# The search for the sign of a polynomial gives up on intervals of t narrower than this, and after so many of them. (The
# enclosures of a piece's two ends reach into its neighbours by far less.)
NARROWEST_INTERVAL = 2.0**-40
MOST_INTERVALS = 500
INTEGRAL_ACCURACY = 1e-20
T = fmpq_poly([0, 1])
Vector = list[fmpq_poly]


class TooLarge(ArithmeticError):
    """The polynomials have too high a degree for their roots to be isolated in reasonable time."""


class Point:
    """A real root of a squarefree polynomial: the index-th from the left."""

    def __init__(self, polynomial: fmpq_poly, index: int):
        self.polynomial, self.index = polynomial, index
        self._known: dict[int, arb] = {}

    def enclosure(self) -> arb:
        """The number, at the working precision."""
        if ctx.prec not in self._known:
            self._known[ctx.prec] = _real_roots(self.polynomial)[self.index]
        return self._known[ctx.prec]


@dataclass(frozen=True)
class Piece:
    """One piece of [0, 1]: its ends, and N_1 … N_L on it."""

    start: Point
    end: Point
    changes: list[fmpq_poly]

    def largest(self, layer: int) -> arb:
        """The supremum of N_l on the piece, l = layer + 1, enclosed at the working precision."""
        square = self.changes[layer]
        points = [self.start, self.end, *_roots_between(square.derivative(), self.start, self.end)]
        values = [_at(square, point.enclosure()) for point in points]
        largest = values[0]
        for value in values[1:]:
            largest = largest.max(value)
        return largest.nonnegative_part()

    def integral(self, layer: int, first: bool) -> arb:
        """∫ √N_l dt over the piece, l = layer + 1, enclosed; first: the piece starts at t = 0, where N_l is t² times another."""
        square = self.changes[layer]
        if not square:
            return arb(0)
        rest = acb_poly(fmpq_poly(square.coeffs()[2:]) if first else square)

        def integrand(t: acb, analytic: bool) -> acb:
            root = rest(t).sqrt(analytic=analytic)
            return t * root if first else root

        start, end = acb(self.start.enclosure()), acb(self.end.enclosure())
        return acb.integral(integrand, start, end, rel_tol=INTEGRAL_ACCURACY, abs_tol=INTEGRAL_ACCURACY).real


@dataclass(frozen=True)
class _Cell:
    """A piece of the layers so far: e.g. h_0 … h_l and the slopes of φ_1 … φ_l on it."""

    start: Point
    end: Point
    hidden: list[Vector]
    slopes: list[list[fmpq]]


def pieces(net: ExactNetwork, target: fmpq_mat) -> list[Piece]:
    """The pieces of the segment from left to right, for the loss ½‖f(x) − y‖².

    Raises:
        TooLarge: a polynomial of degree above `LARGEST_DEGREE`.
    """
    cells = [_Cell(Point(T, 0), Point(T - 1, 0), [[fmpq_poly([v]) for v in net.x.entries()]], [])]
    for layer in range(net.depth):
        cells = [refined for cell in cells for refined in _refine(net, layer, cell)]
    moving = [
        [_line(w, dw) for w, dw in zip(a.tolist(), b.tolist(), strict=True)] for a, b in zip(net.w, net.dw, strict=True)
    ]
    vectors = [(cell, _backward(moving, target, cell)) for cell in cells]
    e0, h0 = ([[fmpq_poly([p(fmpq(0))]) for p in v] for v in group] for group in (vectors[0][1], cells[0].hidden))
    found = []
    for cell, e in vectors:
        h = cell.hidden
        changes = [
            _dot(e[k], e[k]) * _dot(h[k], h[k])
            - 2 * _dot(e[k], e0[k]) * _dot(h[k], h0[k])
            + _dot(e0[k], e0[k]) * _dot(h0[k], h0[k])
            for k in range(net.depth)
        ]
        found.append(Piece(cell.start, cell.end, changes))
    return found


def _line(row: list[fmpq], step: list[fmpq]) -> Vector:
    return [fmpq_poly([a, b]) for a, b in zip(row, step, strict=True)]


def _dot(u: Vector, v: Vector) -> fmpq_poly:
    return sum((a * b for a, b in zip(u, v, strict=True)), fmpq_poly())


def _refine(net: ExactNetwork, layer: int, cell: _Cell) -> Iterator[_Cell]:
    """The cell, cut where a pre-activation of this layer passes a kink."""
    phi, bias = net.phis[layer], net.biases[layer]
    assert isinstance(phi, Piecewise)
    rows = zip(net.w[layer].tolist(), net.dw[layer].tolist(), strict=True)
    z = [_dot(_line(row, step), cell.hidden[-1]) for row, step in rows]
    if bias is not None:
        z = [v + b for v, b in zip(z, bias.entries(), strict=True)]
    crossing = fmpq_poly([1])
    for polynomial in (v - kink for v in z for kink in phi.kinks):
        if polynomial.degree() > 0:
            crossing *= polynomial // crossing.gcd(polynomial)
    cuts = [cell.start, *_roots_between(crossing, cell.start, cell.end), cell.end]
    for start, end in pairwise(cuts):
        inside = _inside(start, end)
        values = [v(inside) for v in z]
        slopes = [phi.slope(v) for v in values]
        h = [phi.value(v) + s * (p - v) for v, s, p in zip(values, slopes, z, strict=True)]
        yield _Cell(start, end, [*cell.hidden, h], [*cell.slopes, slopes])


def _backward(moving: list[list[Vector]], target: fmpq_mat, cell: _Cell) -> list[Vector]:
    """e_1 … e_L, the loss's derivatives by z_1 … z_L."""
    back = [f - y for f, y in zip(cell.hidden[-1], target.entries(), strict=True)]
    found: list[Vector] = []
    for rows, slopes in zip(reversed(moving), reversed(cell.slopes), strict=True):
        e = [s * v for s, v in zip(slopes, back, strict=True)]
        found.insert(0, e)
        back = [_dot(list(column), e) for column in zip(*rows, strict=True)]
    return found


def _real_roots(polynomial: fmpq_poly) -> list[arb]:
    """The real roots of a squarefree polynomial, isolated, from left to right."""
    roots = [pair[0] for pair in polynomial.complex_roots()]  # type: ignore[index]  # pairs with multiplicities
    return sorted((r.real for r in roots if r.imag == 0), key=lambda r: r.mid().fmpq())


def _roots_between(polynomial: fmpq_poly, start: Point, end: Point) -> list[Point]:
    """The distinct real roots strictly between two points."""
    if polynomial.degree() < 1:
        return []
    if polynomial.degree() > LARGEST_DEGREE:
        raise TooLarge(f"degree {polynomial.degree()}")
    square_free = polynomial // polynomial.gcd(polynomial.derivative())
    for limit in (start, end):  # as neither is a root now, precision tells on which side of it each root is
        square_free //= square_free.gcd(limit.polynomial)
    bits = ctx.prec
    while square_free.degree() > 0:
        with ctx.workprec(bits):
            low, high = start.enclosure(), end.enclosure()
            roots = _real_roots(square_free)
            if all((r < low or r > low) and (r < high or r > high) for r in roots):
                return [Point(square_free, i) for i, r in enumerate(roots) if low < r < high]
        bits *= 2
    return []


def _inside(start: Point, end: Point) -> fmpq:
    """A rational number between two points."""
    bits = ctx.prec
    while True:
        with ctx.workprec(bits):
            low, high = start.enclosure().upper(), end.enclosure().lower()
            if low < high:
                return (low.fmpq() + high.fmpq()) / 2
        bits *= 2


def _at(polynomial: fmpq_poly, t: arb) -> arb:
    return arb_poly(polynomial)(t)


def trusted(found: list[Piece], norms: list[arb], delta: list[arb], constant: arb) -> bool:
    """Whether ‖g_l(t) − g_l(0)‖ ≤ C·‖g_l(0)‖·[Π_k (1 + tδ_k) − 1] for every layer and t ∈ (0, 1) off the breakpoints.

    Both sides are divided by t on the first piece, where the left one is t times a polynomial's root, too.

    Args:
        found: the pieces.
        norms: ‖g_l(0)‖.
        delta: δ_k.
        constant: C.

    Raises:
        Undecided: the two sides are too close to tell at this precision.
    """
    product = arb_poly([1])
    for d in delta:
        product *= arb_poly([1, d])
    growth = arb_poly(product.coeffs()[1:])  # [Π(1 + tδ_k) − 1]/t
    for k, piece in enumerate(found):
        factor = growth if k == 0 else growth * arb_poly([0, 1])
        for change, norm in zip(piece.changes, norms, strict=True):
            square = fmpq_poly(change.coeffs()[2:]) if k == 0 else change
            bound = factor * (norm * constant)
            if not _nowhere_negative(bound * bound - arb_poly(square), piece):
                return False
    return True


def _nowhere_negative(gap: arb_poly, piece: Piece) -> bool:
    """Whether a polynomial is ≥ 0 on a piece; intervals are halved until their enclosures tell."""
    pending = [(piece.start.enclosure().lower(), piece.end.enclosure().upper())]
    if _any_negative(gap, piece):
        return False
    for _ in range(MOST_INTERVALS):
        if not pending:
            return True
        low, high = pending.pop()
        middle, half = ((low + high) / 2).mid(), ((high - low) / 2).upper()
        if half < NARROWEST_INTERVAL:
            break
        value = gap(arb_poly([middle, 1]))(arb(0, half))
        if value < 0:
            return False
        if not value >= 0:
            pending += [(low, middle), (middle, high)]
    raise Undecided("trust is too close to tell")


def _any_negative(gap: arb_poly, piece: Piece) -> bool:
    """Whether it is negative at one of a few points of the piece."""
    low, high = piece.start.enclosure(), piece.end.enclosure()
    return any(gap(low + (high - low) * arb(k) / 8) < 0 for k in range(9))
