"""What is known of change_l(t) over the whole segment: its maximum and its mean, each from two sides.

`largest` was evaluated, so but for rounding it is a lower bound on the maximum; `largest_upper` comes from intervals between
the breakpoints (`drt.descent.enclosure`).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.breakpoints import breakpoints
from drt.descent.enclosure import BREAKPOINT_MARGIN, Enclosure, enclosure_of, upper_bound
from drt.descent.mean import mean_ends
from drt.descent.rounded import RoundedSegment
from drt.descent.rounding import errors_at
from drt.descent.segment import Segment
from drt.numeric.caching import cached_property

CHEAP_PASS = 1e5  # multiplications of a forward pass, up to which both sides of every breakpoint are evaluated
QUADRATURE_NODES = 24
GRID_POINTS = 17  # of [0, 1], evaluated at first
REFINEMENTS = 5  # then so many times, both sides of every layer's maximum at half the distance


class Changes:
    """The changes of a segment's gradients, computed when first asked for; all (…, L) but where the shape is said."""

    def __init__(self, segment: Segment):
        self.segment = segment
        self.rounded = RoundedSegment(segment)

    @cached_property
    def breakpoints(self) -> Float[Tensor, "K ..."]:
        """The t at which a pre-activation passes a kink, as far as they were found: `drt.descent.breakpoints`."""
        return breakpoints(self.segment)

    @cached_property
    def enclosure(self) -> Enclosure | None:
        """What upper bounds start from; None where there are none: `drt.descent.enclosure`."""
        return enclosure_of(self.segment)

    @cached_property
    def evaluated(self) -> tuple[Float[Tensor, "T ..."], Float[Tensor, "T ... L"]]:
        """Every t evaluated, and the changes there.

        A grid, and both sides of every breakpoint where that is cheap; then around each layer's maximum.
        """
        s = self.segment
        t = s.everywhere(torch.linspace(0, 1, GRID_POINTS, dtype=torch.float64, device=s.device)[1:])
        if s.multiplications <= CHEAP_PASS:
            after = (self.breakpoints + BREAKPOINT_MARGIN).clamp(max=1.0)
            t = torch.cat([t, self.breakpoints - BREAKPOINT_MARGIN, after])
        change = s.along(t).change
        distance = 1 / (GRID_POINTS - 1)
        for _ in range(REFINEMENTS):
            distance /= 2
            best = torch.gather(t, 0, change.argmax(0).movedim(-1, 0))  # (L, …)
            more = torch.cat([best - distance, best + distance]).clamp(0, 1)
            if not s.batch_shape:  # layers often have theirs in one place
                more = more.unique()
            t, change = torch.cat([t, more]), torch.cat([change, s.along(more).change])
        return t, change

    @cached_property
    def largest(self) -> Float[Tensor, "... L"]:
        """The largest change_l(t) that was evaluated."""
        return self.evaluated[1].amax(0)

    @cached_property
    def largest_lower(self) -> Float[Tensor, "... L"]:
        """A lower bound on the maximum, rounding included; 0 where the loss has no error bound.

        From the changes at t = 1, and at the t where Σ‖g_l‖‖ΔW_l‖change_l(t) is largest.
        """
        s, rounded = self.segment, self.rounded
        if rounded.errors is None:
            return torch.zeros_like(self.largest)
        t, change = self.evaluated
        best = (change * s.norm_g * s.norm_step).sum(-1).argmax(0, keepdim=True)
        at = torch.gather(t, 0, best)[0]
        there = rounded.errors[1] if bool((at == 1).all()) else errors_at(s, at)
        assert there is not None  # as `rounded.errors` are not
        found = torch.gather(change, 0, best.unsqueeze(-1).expand(1, *change.shape[1:]))[0]
        return torch.maximum(rounded.step_change.low, rounded.least_change(found, there))

    @cached_property
    def largest_upper(self) -> Float[Tensor, "... L"]:
        """An upper bound on the supremum; ∞ where none is to be had."""
        if self.enclosure is None:
            return torch.full_like(self.largest, torch.inf)
        return upper_bound(self.enclosure, self.largest, self.breakpoints)

    @cached_property
    def lower_suffices(self) -> bool:
        """Whether the lower bounds on the maxima decide Lemma 1 everywhere (`RoundedSegment.suffices`)."""
        return self.rounded.suffices(self.largest_lower)

    @cached_property
    def mean_ends(self) -> tuple[Float[Tensor, "... L"], Float[Tensor, "... L"]]:
        """The least and the largest ∫₀¹ change_l(t) dt, as close as Lemma 1 with the mean needs them; 0 and ∞ if unknown."""
        if self.enclosure is None:
            zero = torch.zeros_like(self.segment.norm_g)
            return zero, zero + torch.inf
        return mean_ends(self.enclosure, lambda: self.breakpoints, self.rounded.suffices)

    @cached_property
    def mean(self) -> Float[Tensor, "... L"]:
        """The largest mean; by quadrature where no end of it is known."""
        high = self.mean_ends[1]
        if not bool((high == torch.inf).any()):
            return high
        s = self.segment
        nodes, weights = (torch.from_numpy(v).to(s.device) for v in np.polynomial.legendre.leggauss(QUADRATURE_NODES))
        mean = torch.einsum("t...,t->...", s.along(s.everywhere((nodes + 1) / 2)).change, weights / 2)
        return torch.where(high == torch.inf, mean, high)
