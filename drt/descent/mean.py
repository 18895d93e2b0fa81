"""The mean of change_l(t) over the segment, ∫₀¹ ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F dt, from both sides.

A norm is convex, so along a chord from a to b its mean is at most the mean of ‖a‖ and ‖b‖, and at least ‖(a + b)/2‖; what the
chord misses, s(1−s)r + e, adds or takes ‖r‖/6 + ‖e‖ at most. Intervals where the two sides differ most are halved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.chords import Chord
from drt.descent.enclosure import enclosed_changes, even_intervals, halved, intervals, norm
from drt.numeric.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent.measurement import Descent

ROUNDS, CLOSE = 6, 1e-3  # how often intervals are halved; relative, when the sides are near enough
KEPT = 32  # intervals halved a round
WORK = 4e7  # multiplications of forward passes that all intervals may have


def mean_ends(m: Descent) -> tuple[Float[Tensor, "... L"], Float[Tensor, "... L"]]:
    """The least and the largest mean change that the segment may have; 0 and ∞ where there is no enclosure.

    The sides are brought closer only while the lower one leaves Lemma 1 with the mean undecided somewhere: first a few even
    intervals, then those between breakpoints, then halves.
    """
    low, high = torch.zeros_like(m.norm_g), torch.full_like(m.norm_g, torch.inf)
    work = 0
    for partition in (even_intervals, intervals):
        ends = partition(m)
        if ends is None or m.work * (work := work + len(ends[0])) > WORK:
            break
        parts = _integrals(m, *ends)
        settled = torch.zeros_like(parts[0])
        for step in range(ROUNDS + 1):
            total = settled + parts.sum(0)
            low, high = _relative(m, total, work)
            share = ((parts[..., 1] - parts[..., 0]) / total[..., 1]).nan_to_num(torch.inf).amax(-1)
            wide = (share > CLOSE / len(parts)) & (share.sum(0) > CLOSE)
            kept = min(int(wide.sum(0).max()), KEPT)
            lost = not m.batch_shape and bool((low[m.norm_step > 0] == 0).any())  # deep networks: halves would not help
            if m.suffices(low) or not kept or lost:
                return low, high
            if step == ROUNDS or m.work * (work := work + 2 * kept) > WORK:
                break
            order = share.argsort(0, descending=True)
            rest = order[kept:].reshape(-1, *order.shape[1:], 1, 1).expand(-1, *parts.shape[1:])
            settled = settled + torch.gather(parts, 0, rest).sum(0)
            ends = halved(*ends, order[:kept])
            parts = _integrals(m, *ends)
    return low, high


def _relative(m: Descent, total: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    """Both ends over ‖g_l(0)‖_F."""
    assert m.enclosed is not None  # there would be no intervals
    most, least = torch.stack([norm(g) for g in m.enclosed[1]], -1)[0], m.enclosed[2]
    slack = 4 * (terms + 4) * UNIT
    low = (total[..., 0] / most * (1 - slack)).nan_to_num(0.0).clamp(min=0)
    return low, torch.where(least > 0, total[..., 1] / least * (1 + slack), torch.inf).nan_to_num(torch.inf)


def _integrals(m: Descent, left: Tensor, right: Tensor) -> Float[Tensor, "T ... L 2"]:
    """The least and the largest ∫‖g_l(t) − g_l(0)‖_F dt over each interval."""

    def joined(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([torch.minimum(x[..., 0], y[..., 0]), torch.maximum(x[..., 1], y[..., 1])], -1)

    means = enclosed_changes(m, left, right, _mean_norm, joined, _extremes)
    return means * (right - left)[..., None, None]


def _norms(*matrices: Tensor) -> list[Tensor]:
    return [torch.linalg.matrix_norm(v) for v in matrices]


def _ends(low: Tensor, high: Tensor, x: Chord) -> Float[Tensor, "T ... 2"]:
    own = 4 * x.a.shape[-1] * x.a.shape[-2] * UNIT
    return torch.stack([(low - own * high).clamp(min=0), high * (1 + own)], -1)


def _mean_norm(x: Chord) -> Float[Tensor, "T ... 2"]:
    """The least and the largest mean of ‖x(s)‖_F over s."""
    start, end, middle, r, e = _norms(x.a, x.b, (x.a + x.b) / 2, x.r, x.e)
    return _ends(middle - r / 6 - e, (start + end) / 2 + r / 6 + e, x)


def _extremes(x: Chord) -> Float[Tensor, "T ... 2"]:
    """The least and the largest ‖x(s)‖_F."""
    start, end, middle, half, off = _norms(x.a, x.b, (x.a + x.b) / 2, (x.b - x.a) / 2, x.off)
    return _ends(middle - half - off, torch.maximum(start, end) + off, x)
