"""Relative trust on the whole segment, for certain: change_l(t) ≤ C·[Π_k (1 + tδ_k) − 1] for every layer and every t ∈ (0, 1).

On an interval [a, b] away from 0 the largest change that it may have is held against the right side at a, which rises with t. On
[0, b] both sides are divided by t: change_l(t)/t at most, against C·Σδ_k, which [Π(1 + tδ_k) − 1]/t never falls below.
Intervals that fail are halved.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from drt.descent.enclosure import MOST_MULTIPLICATIONS, halved, intervals, largest_changes, largest_rates
from drt.descent.measurement import Descent
from drt.numeric.numbers import log_product_minus_one
from drt.numeric.spectra import UNIT

HALVINGS = 14  # how often intervals are halved
MOST_INTERVALS = 512


def growth_error(m: Descent, log_c: Tensor) -> float:
    """A bound on the rounding error of log C[(1 + η)^L − 1], or with Π(1 + δ_k)."""
    # δ is off by (mn + 4)u, which (1 + η)^L − 1 makes at most L times as much; then a few roundings, and those of log C.
    entries = max(w.shape[-1] * w.shape[-2] for w in m.net.weights)
    return (m.depth * (entries + 4) + 16) * UNIT * (1 + float(log_c.abs().max()))


def certainly_trusted(m: Descent, log_c: Float[Tensor, "..."]) -> Bool[Tensor, "..."]:
    """Where trust with the constant C is proved; elsewhere it may fail, or be too close to tell."""
    enclosure, error = m.changes.enclosure, growth_error(m, log_c)
    ends = None if enclosure is None else intervals(m.segment, m.changes.breakpoints)
    if enclosure is None or ends is None:
        return torch.zeros_like(log_c, dtype=torch.bool)
    most = min(MOST_INTERVALS, MOST_MULTIPLICATIONS // m.segment.multiplications)
    first, left, right = ends[1][0], ends[0][1:], ends[1][1:]
    for _ in range(HALVINGS):
        log_sum = torch.log(m.delta.sum(-1))
        rate = torch.log(largest_rates(enclosure, first).amax(-1)) - log_c - log_sum
        early = ~(rate + error * (1 + log_sum.abs()) <= 0)  # the first interval fails
        log_trust = log_product_minus_one(left.unsqueeze(-1) * m.delta) + log_c
        gap = (torch.log(largest_changes(enclosure, left, right).amax(-1)) - log_trust).nan_to_num(torch.inf)
        margin = gap + error * (1 + log_trust.abs())
        kept = int((margin > 0).sum(0).max())
        if (not kept and not early.any()) or 2 * kept > most:
            break
        left, right = halved(left, right, margin.argsort(0, descending=True)[:kept])
        # What the first interval leaves: nothing new where it holds.
        middle = torch.where(early, first / 2, first)
        left, right, first = torch.cat([left, middle.unsqueeze(0)]), torch.cat([right, first.unsqueeze(0)]), middle
    return ~early & (margin <= 0).all(0)
