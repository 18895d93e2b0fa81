"""The mean of change_l(t) over the segment, ∫₀¹ ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F dt, from both sides.

A norm is convex, so along a chord from a to b its mean is at most the mean of ‖a‖ and ‖b‖, and at least ‖(a + b)/2‖; what the
chord misses, s(1−s)r + e, adds or takes ‖r‖/6 + ‖e‖ at most. Intervals where the two sides differ most are halved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.chords import Chord
from drt.descent.enclosure import (
    Enclosure,
    affordable,
    enclosed_changes,
    even_intervals,
    halved,
    intervals,
    norm_upper_bound,
)
from drt.numeric.spectra import UNIT

HALVINGS = 6  # how often intervals are halved
SHARP_ENOUGH = 1e-3  # relative: when the two sides are near enough
INTERVALS_HALVED_PER_ROUND = 32
MOST_MULTIPLICATIONS = 4e7  # of forward passes, that all intervals may have together


def mean_ends(
    enclosure: Enclosure,
    breakpoints: Callable[[], Float[Tensor, "K ..."]],
    suffices: Callable[[Float[Tensor, "... L"]], bool],
) -> tuple[Float[Tensor, "... L"], Float[Tensor, "... L"]]:
    """The least and the largest mean change that the segment may have; 0 and ∞ where the intervals would be too many.

    The sides are brought closer only until the lower one suffices: first a few even intervals, then those between
    breakpoints, then halves.

    Args:
        enclosure: of the segment.
        breakpoints: finds them; only asked where even intervals do not suffice.
        suffices: whether this lower end decides everywhere what the mean is wanted for.
    """
    s = enclosure.segment
    low, high = torch.zeros_like(s.norm_g), torch.full_like(s.norm_g, torch.inf)
    count = 0

    def partitions() -> Iterator[tuple[Tensor, Tensor] | None]:
        yield even_intervals(s)
        yield intervals(s, breakpoints())

    for ends in partitions():
        if ends is None or not affordable(s, count := count + len(ends[0]), MOST_MULTIPLICATIONS):
            break
        parts = _integrals(enclosure, *ends)
        settled = torch.zeros_like(parts[0])
        for step in range(HALVINGS + 1):
            total = settled + parts.sum(0)
            low, high = _relative(enclosure, total, count)
            share = ((parts[..., 1] - parts[..., 0]) / total[..., 1]).nan_to_num(torch.inf).amax(-1)
            wide = (share > SHARP_ENOUGH / len(parts)) & (share.sum(0) > SHARP_ENOUGH)
            kept = min(int(wide.sum(0).max()), INTERVALS_HALVED_PER_ROUND)
            hopeless = not s.batch_shape and bool((low[s.norm_step > 0] == 0).any())  # deep: halves would not help
            if suffices(low) or not kept or hopeless:
                return low, high
            if step == HALVINGS or not affordable(s, count := count + 2 * kept, MOST_MULTIPLICATIONS):
                break
            order = share.argsort(0, descending=True)
            rest = order[kept:].reshape(-1, *order.shape[1:], 1, 1).expand(-1, *parts.shape[1:])
            settled = settled + torch.gather(parts, 0, rest).sum(0)
            ends = halved(*ends, order[:kept])
            parts = _integrals(enclosure, *ends)
    return low, high


def _relative(enclosure: Enclosure, total: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    """Both ends over ‖g_l(0)‖_F."""
    most = torch.stack([norm_upper_bound(g) for g in enclosure.gradients], -1)[0]
    least = enclosure.least_norms
    rounded = 4 * (terms + 4) * UNIT
    low = (total[..., 0] / most * (1 - rounded)).nan_to_num(0.0).clamp(min=0)
    return low, torch.where(least > 0, total[..., 1] / least * (1 + rounded), torch.inf).nan_to_num(torch.inf)


def _integrals(enclosure: Enclosure, left: Tensor, right: Tensor) -> Float[Tensor, "T ... L 2"]:
    """The least and the largest ∫‖g_l(t) − g_l(0)‖_F dt over each interval."""

    def joined(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([torch.minimum(x[..., 0], y[..., 0]), torch.maximum(x[..., 1], y[..., 1])], -1)

    means = enclosed_changes(enclosure, left, right, _mean_norm, joined, _extremes)
    return means * (right - left)[..., None, None]


def _norms(*matrices: Tensor) -> list[Tensor]:
    return [torch.linalg.matrix_norm(v) for v in matrices]


def _ends(low: Tensor, high: Tensor, x: Chord) -> Float[Tensor, "T ... 2"]:
    rounded = 4 * x.a.shape[-1] * x.a.shape[-2] * UNIT
    return torch.stack([(low - rounded * high).clamp(min=0), high * (1 + rounded)], -1)


def _mean_norm(x: Chord) -> Float[Tensor, "T ... 2"]:
    """The least and the largest mean of ‖x(s)‖_F over s."""
    first, last, middle, r, e = _norms(x.a, x.b, (x.a + x.b) / 2, x.r, x.e)
    return _ends(middle - r / 6 - e, (first + last) / 2 + r / 6 + e, x)


def _extremes(x: Chord) -> Float[Tensor, "T ... 2"]:
    """The least and the largest ‖x(s)‖_F."""
    first, last, middle, half, off = _norms(x.a, x.b, (x.a + x.b) / 2, (x.b - x.a) / 2, x.off)
    return _ends(middle - half - off, torch.maximum(first, last) + off, x)
