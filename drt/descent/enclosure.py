"""Enclosures of gradients for all t of an interval, rounding included: an upper bound on sup_t change_l(t).

The segment is cut at its breakpoints (`drt.descent.breakpoints`). Where no pre-activation passes a kink, states and
gradients are smooth, and `drt.descent.chords` encloses them to second order in the interval's length. Where one unit of one
input may, every gradient has its slope on one side of the kink or on the other: the larger bound of both counts. Where
several may, any slope does. Which of these holds is verified, not assumed: a breakpoint that was missed costs sharpness,
never truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.chords import Chord, Slopes, activate
from drt.numeric.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent.measurement import Descent

PIECES, SPLITS = 8, 10  # intervals where there are no breakpoints; how many times those that matter are halved
KEPT = 256  # intervals halved a round
ASIDE = 2.0**-30  # of a breakpoint, an interval's end
WORK = 2e8  # multiplications of forward passes that all intervals may have
TINY = 2.0**-900  # norms below are not told from 0: what underflows is not in the error bounds
CLOSE = 1e-9  # relative: near enough to what is attained


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


def states(m: Descent, left: Tensor, right: Tensor) -> States:
    """The states for t from left to right, each (T, …)."""
    net, batch = m.instance.net, len(m.batch_shape)
    low, high = (t.reshape(*t.shape, *[1] * (batch + 1 - t.ndim), 1, 1) for t in (left, right))
    weights: list[Chord] = []
    pre, hidden, slopes = [], [Chord.constant(m.x)], []
    for layer, (w, dw) in enumerate(zip(net.weights, m.instance.dweights, strict=True)):
        bias = net.biases[layer]
        if layer:
            a, b = w + low * dw, w + high * dw
            weights.append(Chord(a, b, torch.zeros_like(a), 4 * UNIT * (w.abs() + high * dw.abs())))
            z = hidden[-1] @ weights[-1].mT
        else:  # affine in t
            at, step = m.x @ w.mT, m.x @ dw.mT
            a, b = at + low * step, at + high * step
            size = m.x.abs() @ w.abs().mT + high * (m.x.abs() @ dw.abs().mT)
            z = Chord(a, b, torch.zeros_like(a), 4 * (w.shape[-1] + 4) * UNIT * size)
        if bias is not None:
            z = z + Chord.constant(bias.unsqueeze(-2))
        h, slope = activate(net.activations[layer], z)
        pre.append(z)
        hidden.append(h)
        slopes.append(slope)
    return States(weights, pre, hidden, slopes)


def gradients(m: Descent, at: States, side: int = 0) -> list[Chord] | None:
    """g_1 … g_L; side: see `Slopes.on_side`. None where the loss has no enclosure."""
    back = m.loss.gradient_along(at.hidden[-1])
    if back is None:
        return None
    found: list[Chord] = []
    for layer in range(len(at.slopes) - 1, -1, -1):
        e = back * at.slopes[layer].on_side(side)
        found.insert(0, e.mT @ at.hidden[layer])
        if layer:
            back = e @ at.weights[layer - 1]
    return found


def start(m: Descent) -> tuple[States, list[Chord], Tensor] | None:
    """At t = 0: the states, the gradients, and the least ‖g_l‖_F that they may have (…, L); None without an enclosure."""
    zero = torch.zeros_like(m.norm_g[..., 0]).unsqueeze(0)
    at = states(m, zero, zero)
    found = gradients(m, at)
    if found is None:
        return None
    least = torch.stack([least_norm(g) for g in found], -1)[0]
    return at, found, torch.where(least > TINY, least, 0.0)


def bounded(m: Descent, intervals: int) -> bool:
    """Whether gradients have enclosures that tell them from zero, and so many intervals are within what may be computed."""
    return m.work * intervals <= WORK and m.enclosed is not None and bool((m.enclosed[2] > 0).any())


def norm(x: Chord) -> Tensor:
    """‖X‖_F at most: a norm is convex along a chord."""
    ends = torch.maximum(torch.linalg.matrix_norm(x.a), torch.linalg.matrix_norm(x.b))
    off = torch.linalg.matrix_norm(x.off)
    return (ends + off) * (1 + 2 * x.a.shape[-1] * x.a.shape[-2] * UNIT)


def least_norm(x: Chord) -> Tensor:
    """‖X‖_F at least, of a constant."""
    own = 2 * x.a.shape[-1] * x.a.shape[-2] * UNIT
    return (torch.linalg.matrix_norm(x.a) * (1 - own) - torch.linalg.matrix_norm(x.off) * (1 + own)).clamp(min=0)


def enclosed_changes(
    m: Descent,
    left: Tensor,
    right: Tensor,
    of: Callable[[Chord], Tensor],
    joined: Callable[[Tensor, Tensor], Tensor],
    of_either: Callable[[Chord], Tensor],
) -> Tensor:
    """A bound `of` g_l(t) − g_l(0) over each interval, (T, …, L) and what axes it has itself.

    Where one kink may be passed, the bounds `of_either` of both sides `joined`: at every t one of them has its say.
    """
    assert m.enclosed is not None  # `intervals` says so
    at, before, axis = states(m, left, right), m.enclosed[1], 1 + len(m.batch_shape)

    def changes(rows: Tensor, side: int, of: Callable[[Chord], Tensor]) -> Tensor:
        after = gradients(m, at.rows(rows), side)
        assert after is not None
        return torch.stack([of(g + -g0) for g, g0 in zip(after, before, strict=True)], axis)

    one = at.passed == 1
    several, single = (torch.nonzero(v.reshape(len(v), -1).any(-1)).flatten() for v in (~one, one))
    pieces = []
    if len(several):
        pieces.append((several, changes(several, 0, of)))
    if len(single):
        pieces.append((single, joined(changes(single, -1, of_either), changes(single, 1, of_either))))
    bound = pieces[0][1].new_empty(len(one), *pieces[0][1].shape[1:])
    for rows, found in pieces:
        chosen = (~one if rows is several else one)[rows]
        chosen = chosen.reshape(*chosen.shape, *[1] * (found.ndim - chosen.ndim))
        bound[rows] = torch.where(chosen, found, bound[rows])
    return bound


def largest_changes(m: Descent, left: Tensor, right: Tensor) -> Float[Tensor, "T ... L"]:
    """The largest change_l(t) that each interval may have."""
    assert m.enclosed is not None  # `intervals` says so
    least = m.enclosed[2]
    upper = enclosed_changes(m, left, right, norm, torch.maximum, norm)
    return torch.where(least > 0, upper / least * (1 + 4 * UNIT), torch.inf)


def largest_rates(m: Descent, end: Float[Tensor, "..."]) -> Float[Tensor, "... L"]:
    """The largest change_l(t)/t for 0 < t ≤ end; ∞ where a kink may be passed.

    From D = Δ/t, which has no cancellation near 0:  Dz_l = W̃_l Dh_{l−1} + ΔW_l h_{l−1},  Dh_l = σ Dz_l with a secant slope
    σ of φ, Dφ' = φ''·Dz_l, and ΔG/t = ẽᵀDh + Deᵀh.
    """
    assert m.enclosed is not None  # `intervals` says so
    net, (begin, _, least) = m.instance.net, m.enclosed
    at = states(m, torch.zeros_like(end).unsqueeze(0), end.unsqueeze(0))
    steps = [Chord.constant(dw) for dw in m.instance.dweights]
    dz = [begin.hidden[0] @ steps[0].mT]
    # Slopes between z(0) and z(t) are means of slopes at points in between: of any s, not of t's own.
    secants = [slopes.all.hull for slopes in at.slopes]
    dh = [dz[0] * secants[0]]  # of h_1 … h_L; h_0 does not change
    for layer in range(1, net.depth):
        dz.append(dh[-1] @ at.weights[layer - 1].mT + begin.hidden[layer] @ steps[layer].mT)
        dh.append(dz[-1] * secants[layer])
    before, back = m.loss.gradient_along(begin.hidden[-1]), m.loss.gradient_along(at.hidden[-1])
    assert before is not None and back is not None  # noqa: PT018  (there would be no `begin`)
    dback = m.loss.gradient_rate(at.hidden[-1], dh[-1])
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
        rates.insert(0, norm(rate))
    known = (at.passed == 0).unsqueeze(-1) & (least > 0)
    return torch.where(known, torch.stack(rates, -1) / least * (1 + 4 * UNIT), torch.inf)[0]


def intervals(m: Descent) -> tuple[Tensor, Tensor] | None:
    """Left and right ends of a partition of [0, 1], (T, …): at the breakpoints, or even; None where that is too much."""
    at = m.breakpoints
    if not len(at) or not bounded(m, 2 * len(at) + 1):
        return even_intervals(m)
    return _between(m, torch.cat([at - ASIDE, at + ASIDE]).clamp(0, 1).sort(0).values)


def even_intervals(m: Descent) -> tuple[Tensor, Tensor] | None:
    """A few of one length."""
    if not bounded(m, PIECES):
        return None
    at = torch.linspace(0, 1, PIECES + 1, dtype=torch.float64, device=m.device)[1:-1]
    return _between(m, at.reshape(-1, *[1] * len(m.batch_shape)).expand(-1, *m.batch_shape))


def _between(m: Descent, inner: Tensor) -> tuple[Tensor, Tensor]:
    zero = torch.zeros_like(m.norm_g[..., 0]).unsqueeze(0)
    return torch.cat([zero, inner]), torch.cat([inner, zero + 1])


def halved(left: Tensor, right: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Both halves of the intervals of these numbers (K, …)."""
    low, high = torch.gather(left, 0, order), torch.gather(right, 0, order)
    middle = (low + high) / 2
    return torch.cat([low, middle]), torch.cat([middle, high])


def upper_bound(m: Descent) -> Float[Tensor, "... L"]:
    """An upper bound on sup_t change_l(t), ∞ where there is none; intervals where it is large are halved."""
    ends = intervals(m)
    if ends is None:
        return torch.full_like(m.largest, torch.inf)
    upper = largest_changes(m, *ends)
    settled, work = m.largest, len(ends[0])  # what is attained need not be halved
    for _ in range(SPLITS):
        excess = (upper / settled).nan_to_num(torch.inf).amax(-1)
        kept = min(int((excess > 1 + CLOSE).sum(0).max()), KEPT)
        work += 2 * kept
        if not kept or not bounded(m, work):
            break
        order = excess.argsort(0, descending=True)
        rest = order[kept:].unsqueeze(-1).expand(-1, *upper.shape[1:])
        if len(rest):
            settled = torch.maximum(settled, torch.gather(upper, 0, rest).amax(0))
        ends = halved(*ends, order[:kept])
        upper = largest_changes(m, *ends)
    return torch.maximum(settled, upper.amax(0))
