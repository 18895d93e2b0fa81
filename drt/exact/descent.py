"""What `drt.descent.measurement.Descent` holds, for one witness with a target, in exact or ball numbers.

    𝓛 = ½‖f(x) − y‖²: loss, gradients and their squared norms at W and W + ΔW are rational where φ is piecewise linear.

The supremum over t ∈ [0, 1] is that of polynomials between exact breakpoints where φ is piecewise linear
(`drt.exact.segment`). Elsewhere it is enclosed: what points of the segment attain, and what whole intervals of t, taken as
balls, cannot exceed. Independent of `drt.descent.measurement`: its own backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from flint import arb, arb_mat, fmpq, fmpq_mat

from drt.descent.measurement import Descent
from drt.exact.balls import Balls
from drt.exact.measurement import ExactWeights
from drt.exact.network import ExactNetwork, minus, squared_norm
from drt.exact.segment import Piece, TooLarge, pieces
from drt.exact.surds import Undecided
from drt.measurement.quantity import DESCENT
from drt.numeric.caching import cached_property

EVEN_INTERVALS = 8  # of t, at first
MOST_HALVED = 200  # intervals
SHARP_ENOUGH = 1e-3  # relative: when no more are halved


class ExactDescent(ExactWeights):
    """The twin of `Descent`: the same fields, of one input and the loss ½‖f(x) − y‖²."""

    quantity = DESCENT
    FIELDS = Descent.FIELDS

    def __init__(self, net: ExactNetwork, layer: int, bits: int, exact: bool):
        super().__init__(net, layer, bits, exact)
        assert net.witness.target is not None  # a witness about descent has one
        self.target = fmpq_mat(len(net.witness.target), 1, list(net.witness.target))

    def left(self, name: str) -> Balls:
        return self.excess.maximum(0) if name == "excess" else self.step_change.amax(-1)

    def _value(self, x: Any) -> Any:
        return self._number(x) if isinstance(x, fmpq) else x

    def loss(self, moved: bool = False) -> Any:
        """𝓛 at W, or at W + ΔW."""
        return squared_norm(minus(self.net.states(moved)[0][-1], self.target)) / 2

    def gradients(self, moved: bool = False) -> list[Any]:
        """g_1 … g_L at W, or at W + ΔW."""
        weights = self.net.wt if moved else self.net.w
        return self._backward(weights, *self.net.states(moved))

    def _backward(self, weights: list[Any], hidden: list[Any], pre: list[Any]) -> list[Any]:
        back = minus(hidden[-1], self.target)
        found: list[Any] = []
        for layer in range(self.net.depth - 1, -1, -1):
            phi = self.net.phis[layer]
            slopes = [phi.slope(v) for v in pre[layer].entries()]
            entries = [s * v for s, v in zip(slopes, back.entries(), strict=True)]
            rational = all(isinstance(v, fmpq) for v in entries)
            e = (fmpq_mat if rational else arb_mat)(len(entries), 1, entries)
            found.insert(0, _product(e, hidden[layer].transpose()))
            back = _product(weights[layer].transpose(), e)
        return found

    @cached_property
    def _start(self) -> list[Any]:
        return self.gradients()

    @cached_property
    def norm_g(self) -> Balls:
        return self._layers(lambda k: self._root(squared_norm(self._start[k])))

    @cached_property
    def norm_step(self) -> Balls:
        return self._layers(lambda k: self._root(squared_norm(self.net.dw[k])))

    @property
    def lever(self) -> Balls:
        """‖g_l‖_F·‖ΔW_l‖_F."""
        return self.norm_g * self.norm_step

    @cached_property
    def _inner(self) -> list[Any]:
        """⟨g_l, ΔW_l⟩."""
        pairs = zip(self._start, self.net.dw, strict=True)
        return [sum((a * b for a, b in zip(g.entries(), dw.entries(), strict=True)), fmpq(0)) for g, dw in pairs]

    @cached_property
    def cosines(self) -> Balls:
        def cosine(k: int) -> Any:
            size = squared_norm(self._start[k]) * squared_norm(self.net.dw[k])
            return self._number(fmpq(1)) if size == 0 else self._value(-self._inner[k]) / self._root(size)

        return self._layers(cosine)

    @cached_property
    def eta(self) -> Balls:
        return self.delta.amax(-1)

    @property
    def inputs(self) -> int:
        """N: a witness has one."""
        return 1

    @cached_property
    def slope(self) -> Balls:
        """Σ⟨g_l, ΔW_l⟩."""
        return Balls(self._value(sum(self._inner, fmpq(0))))

    @cached_property
    def fall(self) -> Balls:
        """𝓛(W) − 𝓛(W+ΔW)."""
        return Balls(self._value(self.loss() - self.loss(True)))

    @cached_property
    def excess(self) -> Balls:
        """𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩."""
        return Balls(self._value(self.loss(True) - self.loss() - sum(self._inner, fmpq(0))))

    @cached_property
    def step_change(self) -> Balls:
        """‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F."""
        pairs = list(zip(self._start, self.gradients(True), strict=True))
        return self._layers(lambda k: self._root(_relative(*pairs[k])))

    @cached_property
    def gamma(self) -> Balls:
        """‖∂𝓛̃/∂f − ∂𝓛/∂f‖/‖∂𝓛/∂f‖ at W + ΔW."""
        start, end = (minus(self.net.states(moved)[0][-1], self.target) for moved in (False, True))
        return Balls(self._root(_relative(start, end)))

    @cached_property
    def pieces(self) -> list[Piece] | None:
        """The exact pieces of the segment; None where φ is not piecewise linear, or they are too complex."""
        if not self.net.rational:
            return None
        try:
            return self.net.once("pieces", True, lambda: pieces(self.net, self.target))
        except TooLarge:
            return None

    @cached_property
    def breakdown(self) -> Balls:
        """sup_t ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F, enclosed; 0 for a layer that does not move."""
        largest = self._largest_of_pieces if self.pieces else self._largest_of_intervals()
        return self._layers(lambda k: largest(k) if squared_norm(self.net.dw[k]) else arb(0))

    def _largest_of_pieces(self, k: int) -> arb:
        largest = arb(0)
        for piece in self.pieces or ():
            largest = largest.max(piece.largest(k))
        return (largest / arb(squared_norm(self._start[k]))).sqrt()

    @cached_property
    def mean_breakdown(self) -> Balls:
        """∫₀¹ ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F dt, enclosed; 0 for a layer that does not move."""
        if self.pieces is None:
            raise Undecided("the mean over t ∈ [0, 1] is enclosed where φ is piecewise linear and the network small")
        found = self.pieces

        def mean(k: int) -> arb:
            total = sum((piece.integral(k, first=i == 0) for i, piece in enumerate(found)), arb(0))
            return total / arb(squared_norm(self._start[k])).sqrt()

        return self._layers(lambda k: mean(k) if squared_norm(self.net.dw[k]) else arb(0))

    def _largest_of_intervals(self) -> Callable[[int], arb]:
        ends = [fmpq(k, EVEN_INTERVALS) for k in range(EVEN_INTERVALS + 1)]
        attained = [arb(0)] * self.depth
        intervals = []
        for a, b in pairwise(ends):
            attained = [x.max(y.lower()) for x, y in zip(attained, self._changes(arb(b)), strict=True)]
            intervals.append((a, b, self._changes(arb(a).union(arb(b)))))
        for _ in range(MOST_HALVED):
            gaps = [max(float((u / x).upper()) for u, x in zip(p[2], attained, strict=True)) for p in intervals]
            worst = max(range(len(intervals)), key=gaps.__getitem__)
            if gaps[worst] <= 1 + SHARP_ENOUGH:
                break
            a, b, _ = intervals.pop(worst)
            middle = (a + b) / 2
            attained = [x.max(y.lower()) for x, y in zip(attained, self._changes(arb(middle)), strict=True)]
            intervals += [(p, q, self._changes(arb(p).union(arb(q)))) for p, q in ((a, middle), (middle, b))]

        def enclosed(k: int) -> arb:
            upper = attained[k]
            for _, _, changes in intervals:
                upper = upper.max(changes[k].upper())
            return attained[k].union(upper)

        return enclosed

    def _changes(self, t: arb) -> list[arb]:
        """The relative changes at t, a number or an interval."""
        weights = [arb_mat(w) + arb_mat(dw) * t for w, dw in zip(self.net.w, self.net.dw, strict=True)]
        hidden, pre = [arb_mat(self.net.x)], []
        for k, (w, phi) in enumerate(zip(weights, self.net.phis, strict=True)):
            bias = self.net.biases[k]
            z = w * hidden[-1]
            pre.append(z if bias is None else z + arb_mat(bias))
            hidden.append(arb_mat(z.nrows(), 1, [phi.value(v) for v in pre[-1].entries()]))
        there = self._backward(weights, hidden, pre)
        return [
            arb(_relative(arb_mat(g), moved)).nonnegative_part().sqrt()
            for g, moved in zip(self._start, there, strict=True)
        ]


def _product(a: Any, b: Any) -> Any:
    if isinstance(a, fmpq_mat) and isinstance(b, fmpq_mat):
        return a * b
    return arb_mat(a) * arb_mat(b)


def _relative(before: Any, after: Any) -> Any:
    """‖G̃ − G‖²/‖G‖²."""
    size = squared_norm(before)
    if size == 0 or (isinstance(size, arb) and size.contains(0)):
        raise Undecided("a gradient is not told from zero")
    return squared_norm(minus(after, before)) / size
