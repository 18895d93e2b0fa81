"""The mean of change_l(t) over the segment, ∫₀¹ ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F dt, from both sides.

A norm is convex, so along a chord from a to b its mean is at most the mean of ‖a‖ and ‖b‖, and at least ‖(a + b)/2‖; what the
chord misses, s(1−s)r + e, adds or takes ‖r‖/6 + ‖e‖ at most. Intervals where the two sides differ most are halved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from drt.chords import Chord
from drt.descent_interval import KEPT, bounded, enclosed_changes, halved, intervals, norm
from drt.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent import Descent

ROUNDS, CLOSE = 6, 1e-3  # how often intervals are halved; relative, when the sides are near enough


def mean_ends(m: Descent) -> tuple[Float[Tensor, "... L"], Float[Tensor, "... L"]]:
    """The least and the largest mean change that the segment may have; 0 and ∞ where there is no enclosure."""
    ends = intervals(m)
    if ends is None:
        return torch.zeros_like(m.norm_g), torch.full_like(m.norm_g, torch.inf)
    assert m.enclosed is not None  # there would be no intervals
    parts = _integrals(m, *ends)
    settled, work = torch.zeros_like(parts[0]), len(parts)
    for _ in range(ROUNDS):
        gap = (parts[..., 1] - parts[..., 0]).nan_to_num(torch.inf)
        total = settled + parts.sum(0)
        share = (gap / total[..., 1]).nan_to_num(torch.inf).amax(-1)
        wide = (share > CLOSE / len(parts)) & (share.sum(0) > CLOSE)
        kept = min(int(wide.sum(0).max()), KEPT)
        work += 2 * kept
        if not kept or not bounded(m, work):
            break
        order = share.argsort(0, descending=True)
        rest = order[kept:].reshape(-1, *order.shape[1:], 1, 1).expand(-1, *parts.shape[1:])
        settled = settled + torch.gather(parts, 0, rest).sum(0)
        ends = halved(*ends, order[:kept])
        parts = _integrals(m, *ends)
    total = settled + parts.sum(0)
    most = torch.stack([norm(g) for g in m.enclosed[1]], -1)[0]
    slack = 4 * (len(parts) + KEPT) * UNIT
    low = (total[..., 0] / most * (1 - slack)).nan_to_num(0.0).clamp(min=0)
    least = m.enclosed[2]
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
