"""Enclosures of gradients for all t of an interval, rounding included: an upper bound on sup_t change_l(t).

The segment is split at its breakpoints (`drt.descent.breakpoints`). Where no unit crosses a kink, gradients are smooth, and
`drt.descent.chords` encloses them to second order in the interval's length. If one unit (on one input) may cross, the
gradient is bounded twice, with the slope left of the kink and with the slope right of it, and the larger bound is kept. If
several may cross, their slopes are only known to lie between α and β. How many may cross is checked, so a breakpoint that
the search missed makes the bound looser, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.chords import Chord, Slopes, activate
from drt.descent.segment import Segment
from drt.numeric.spectra import UNIT

EVEN_INTERVALS = 8  # where there are no breakpoints
FEWEST_INTERVALS = 3  # up to a breakpoint, around it, and after it
HALVINGS = 10  # how many times the intervals that matter are halved
INTERVALS_HALVED_PER_ROUND = 256
BREAKPOINT_MARGIN = 2.0**-30  # how far from a breakpoint an interval ends
MOST_MULTIPLICATIONS = 2e8  # of forward passes, that all intervals may have together
SMALLEST_NORM = 2.0**-900  # smaller ones are not told from 0: what underflows is not in the error bounds
SHARP_ENOUGH = 1e-9  # relative: near enough to what is attained


class States(NamedTuple):
    """W_2 … W_L, z_1 … z_L, h_0 … h_L and the slopes along each interval, (T, …); h_0 has no T."""

    weights: list[Chord]
    pre: list[Chord]
    hidden: list[Chord]
    slopes: list[Slopes]

    @property
    def passed(self) -> Tensor:
        """How many kinks may be passed, by all units and inputs (T, …)."""
        return torch.stack([s.passed.sum((-1, -2)) for s in self.slopes]).sum(0)

    def rows(self, chosen: Tensor) -> States:
        """Some of the intervals."""
        slopes = [Slopes(_rows(s.all, chosen), *(v[chosen] for v in s[1:])) for s in self.slopes]
        hidden = [self.hidden[0], *(_rows(h, chosen) for h in self.hidden[1:])]
        weights, pre = ([_rows(v, chosen) for v in group] for group in (self.weights, self.pre))
        return States(weights, pre, hidden, slopes)


def _rows(x: Chord, chosen: Tensor) -> Chord:
    return Chord(*(v[chosen] for v in x))


class Enclosure(NamedTuple):
    """A segment, and at t = 0 its states, its gradients, and the least ‖g_l‖_F that they may have (…, L), 0 if unknown."""

    segment: Segment
    states: States
    gradients: list[Chord]
    least_norms: Float[Tensor, "... L"]


def enclosure_of(s: Segment) -> Enclosure | None:
    """The start of a segment; None where its loss has no enclosure, no gradient is told from zero, or it is too large."""
    if s.multiplications * FEWEST_INTERVALS > MOST_MULTIPLICATIONS:
        return None
    zero = s.zeros.unsqueeze(0)
    at = states(s, zero, zero)
    found = gradients(s, at)
    if found is None:
        return None
    least = torch.stack([norm_lower_bound(g) for g in found], -1)[0]
    least = torch.where(least > SMALLEST_NORM, least, 0.0)
    return Enclosure(s, at, found, least) if bool((least > 0).any()) else None


def states(s: Segment, left: Tensor, right: Tensor) -> States:
    """The states for t from left to right, each (T, …)."""
    net, batch = s.net, len(s.batch_shape)
    low, high = (t.reshape(*t.shape, *[1] * (batch + 1 - t.ndim), 1, 1) for t in (left, right))
    weights: list[Chord] = []
    pre, hidden, slopes = [], [Chord.constant(s.x)], []
    for layer, (w, dw) in enumerate(zip(net.weights, s.dweights, strict=True)):
        bias = net.biases[layer]
        if layer:
            a, b = w + low * dw, w + high * dw
            weights.append(Chord(a, b, torch.zeros_like(a), 4 * UNIT * (w.abs() + high * dw.abs())))
            z = hidden[-1] @ weights[-1].mT
        else:  # affine in t
            at, step = s.x @ w.mT, s.x @ dw.mT
            a, b = at + low * step, at + high * step
            size = s.x.abs() @ w.abs().mT + high * (s.x.abs() @ dw.abs().mT)
            z = Chord(a, b, torch.zeros_like(a), 4 * (w.shape[-1] + 4) * UNIT * size)
        if bias is not None:
            z = z + Chord.constant(bias.unsqueeze(-2))
        h, slope = activate(net.activations[layer], z)
        pre.append(z)
        hidden.append(h)
        slopes.append(slope)
    return States(weights, pre, hidden, slopes)


def gradients(s: Segment, at: States, side: int = 0) -> list[Chord] | None:
    """g_1 … g_L; side: see `Slopes.on_side`. None where the loss has no enclosure."""
    back = s.loss.gradient_along(at.hidden[-1])
    if back is None:
        return None
    found: list[Chord] = []
    for layer in range(len(at.slopes) - 1, -1, -1):
        e = back * at.slopes[layer].on_side(side)
        found.insert(0, e.mT @ at.hidden[layer])
        if layer:
            back = e @ at.weights[layer - 1]
    return found


def norm_upper_bound(x: Chord) -> Tensor:
    """‖X‖_F at most: a norm is convex along a chord."""
    ends = torch.maximum(torch.linalg.matrix_norm(x.a), torch.linalg.matrix_norm(x.b))
    off = torch.linalg.matrix_norm(x.off)
    return (ends + off) * (1 + 2 * x.a.shape[-1] * x.a.shape[-2] * UNIT)


def norm_lower_bound(x: Chord) -> Tensor:
    """‖X‖_F at least, of a constant."""
    rounded = 2 * x.a.shape[-1] * x.a.shape[-2] * UNIT
    return (torch.linalg.matrix_norm(x.a) * (1 - rounded) - torch.linalg.matrix_norm(x.off) * (1 + rounded)).clamp(
        min=0
    )


def enclosed_changes(
    enclosure: Enclosure,
    left: Tensor,
    right: Tensor,
    bound: Callable[[Chord], Tensor],
    joined: Callable[[Tensor, Tensor], Tensor],
    bound_of_side: Callable[[Chord], Tensor],
) -> Tensor:
    """A bound on g_l(t) − g_l(0) over each interval, (T, …, L) and what axes the bound has itself.

    Args:
        enclosure: of the segment.
        left: where the intervals begin (T, …).
        right: where they end.
        bound: what bounds the change along a chord.
        joined: of the bounds of both sides of a kink, what holds whichever side the unit is on.
        bound_of_side: what takes the place of `bound` there: at some t one side has its say, at others the other.
    """
    s = enclosure.segment
    at, layer_axis = states(s, left, right), 1 + len(s.batch_shape)

    def changes(rows: Tensor, side: int, of: Callable[[Chord], Tensor]) -> Tensor:
        after = gradients(s, at.rows(rows), side)
        assert after is not None  # there would be no enclosure
        return torch.stack([of(g + -g0) for g, g0 in zip(after, enclosure.gradients, strict=True)], layer_axis)

    one = at.passed == 1
    several, single = (torch.nonzero(v.reshape(len(v), -1).any(-1)).flatten() for v in (~one, one))
    pieces = []
    if len(several):
        pieces.append((several, changes(several, 0, bound)))
    if len(single):
        pieces.append((single, joined(changes(single, -1, bound_of_side), changes(single, 1, bound_of_side))))
    result = pieces[0][1].new_empty(len(one), *pieces[0][1].shape[1:])
    for rows, found in pieces:
        chosen = (~one if rows is several else one)[rows]
        chosen = chosen.reshape(*chosen.shape, *[1] * (found.ndim - chosen.ndim))
        result[rows] = torch.where(chosen, found, result[rows])
    return result


def largest_changes(enclosure: Enclosure, left: Tensor, right: Tensor) -> Float[Tensor, "T ... L"]:
    """The largest change_l(t) that each interval may have."""
    least = enclosure.least_norms
    upper = enclosed_changes(enclosure, left, right, norm_upper_bound, torch.maximum, norm_upper_bound)
    return torch.where(least > 0, upper / least * (1 + 4 * UNIT), torch.inf)


def largest_rates(enclosure: Enclosure, end: Float[Tensor, "..."]) -> Float[Tensor, "... L"]:
    """The largest change_l(t)/t for 0 < t ≤ end; ∞ where a kink may be passed.

    From D = Δ/t, which has no cancellation near 0:  Dz_l = W̃_l Dh_{l−1} + ΔW_l h_{l−1},  Dh_l = σ Dz_l with a secant slope
    σ of φ, Dφ' = φ''·Dz_l, and ΔG/t = ẽᵀDh + Deᵀh.
    """
    s, begin, least = enclosure.segment, enclosure.states, enclosure.least_norms
    net = s.net
    at = states(s, torch.zeros_like(end).unsqueeze(0), end.unsqueeze(0))
    steps = [Chord.constant(dw) for dw in s.dweights]
    dz = [begin.hidden[0] @ steps[0].mT]
    # Slopes between z(0) and z(t) are means of slopes at points in between: of any s, not of t's own.
    secants = [slopes.all.hull for slopes in at.slopes]
    dh = [dz[0] * secants[0]]  # of h_1 … h_L; h_0 does not change
    for layer in range(1, net.depth):
        dz.append(dh[-1] @ at.weights[layer - 1].mT + begin.hidden[layer] @ steps[layer].mT)
        dh.append(dz[-1] * secants[layer])
    before, back = s.loss.gradient_along(begin.hidden[-1]), s.loss.gradient_along(at.hidden[-1])
    assert before is not None and back is not None  # noqa: PT018  (there would be no enclosure)
    dback = s.loss.gradient_rate(at.hidden[-1], dh[-1])
    rates: list[Tensor] = []
    for layer in range(net.depth - 1, -1, -1):
        z = begin.pre[layer]
        second = net.activations[layer].second_slope(z.a, z.e + end.reshape(*end.shape, 1, 1) * dz[layer].size)
        de = dback * at.slopes[layer].all + before * (dz[layer] * Chord.constant(*second))
        e0, e = before * begin.slopes[layer].all, back * at.slopes[layer].all
        rate = de.mT @ begin.hidden[layer]
        if layer:
            rate = rate + e.mT @ dh[layer - 1]
            dback = de @ at.weights[layer - 1] + e0 @ steps[layer]
            before, back = e0 @ begin.weights[layer - 1], e @ at.weights[layer - 1]
        rates.insert(0, norm_upper_bound(rate))
    known = (at.passed == 0).unsqueeze(-1) & (least > 0)
    return torch.where(known, torch.stack(rates, -1) / least * (1 + 4 * UNIT), torch.inf)[0]


def affordable(s: Segment, intervals: int, most: float = MOST_MULTIPLICATIONS) -> bool:
    """Whether so many intervals are within what may be computed."""
    return s.multiplications * intervals <= most


def intervals(s: Segment, breakpoints: Float[Tensor, "K ..."]) -> tuple[Tensor, Tensor] | None:
    """Left and right ends of a partition of [0, 1], (T, …): at the breakpoints, or even; None where that is too much."""
    at = breakpoints
    if not len(at) or not affordable(s, 2 * len(at) + 1):
        return even_intervals(s)
    return _between(s, torch.cat([at - BREAKPOINT_MARGIN, at + BREAKPOINT_MARGIN]).clamp(0, 1).sort(0).values)


def even_intervals(s: Segment) -> tuple[Tensor, Tensor] | None:
    """Left and right ends of a few intervals of one length; None where they are too many."""
    if not affordable(s, EVEN_INTERVALS):
        return None
    at = torch.linspace(0, 1, EVEN_INTERVALS + 1, dtype=torch.float64, device=s.device)[1:-1]
    return _between(s, s.everywhere(at))


def _between(s: Segment, inner: Tensor) -> tuple[Tensor, Tensor]:
    zero = s.zeros.unsqueeze(0)
    return torch.cat([zero, inner]), torch.cat([inner, zero + 1])


def halved(left: Tensor, right: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Both halves of the intervals of these numbers (K, …)."""
    low, high = torch.gather(left, 0, order), torch.gather(right, 0, order)
    middle = (low + high) / 2
    return torch.cat([low, middle]), torch.cat([middle, high])


def upper_bound(
    enclosure: Enclosure, attained: Float[Tensor, "... L"], breakpoints: Float[Tensor, "K ..."]
) -> Float[Tensor, "... L"]:
    """An upper bound on sup_t change_l(t), ∞ where there is none; intervals that may exceed what is attained are halved."""
    s = enclosure.segment
    ends = intervals(s, breakpoints)
    if ends is None:
        return torch.full_like(attained, torch.inf)
    upper = largest_changes(enclosure, *ends)
    settled, count = attained, len(ends[0])  # what is attained need not be halved
    for _ in range(HALVINGS):
        excess = (upper / settled).nan_to_num(torch.inf).amax(-1)
        kept = min(int((excess > 1 + SHARP_ENOUGH).sum(0).max()), INTERVALS_HALVED_PER_ROUND)
        count += 2 * kept
        if not kept or not affordable(s, count):
            break
        order = excess.argsort(0, descending=True)
        rest = order[kept:].unsqueeze(-1).expand(-1, *upper.shape[1:])
        if len(rest):
            settled = torch.maximum(settled, torch.gather(upper, 0, rest).amax(0))
        ends = halved(*ends, order[:kept])
        upper = largest_changes(enclosure, *ends)
    return torch.maximum(settled, upper.amax(0))
