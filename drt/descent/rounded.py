"""The numbers of a segment between both ends of their rounding errors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.rounding import Errors, errors_at
from drt.descent.segment import Segment
from drt.numeric.caching import cached_property
from drt.numeric.spectra import PADDING, UNIT, norm_rounding


class Bounded(NamedTuple):
    """A number as computed, and the least and the largest value that rounding allows; −∞ (or 0) and ∞ where it is unknown."""

    value: Tensor
    low: Tensor
    high: Tensor

    def at(self, side: int) -> Tensor:
        """The number itself for side 0, its lower end for −1, its upper end for 1."""
        return (self.low, self.value, self.high)[side + 1]

    @staticmethod
    def within(value: Tensor, error: Tensor | float) -> Bounded:
        """A number and a bound on its error."""
        return Bounded(value, value - error, value + error)

    @staticmethod
    def of_size(value: Tensor, error: Tensor | float) -> Bounded:
        """The same of a number that is not negative."""
        return Bounded(value, (value - error).clamp(min=0), value + error)


class RoundedSegment:
    """The numbers of a segment, each with both ends of its rounding error.

    Where the loss has no error bound, what depends on it is unknown.
    """

    def __init__(self, segment: Segment):
        self.segment = segment

    @cached_property
    def errors(self) -> tuple[Errors, Errors] | None:
        """Error bounds at t = 0 and t = 1; None where the loss has none."""
        s = self.segment
        before, after = errors_at(s, s.zeros), errors_at(s, s.zeros + 1)
        return None if before is None or after is None else (before, after)

    @cached_property
    def _of_norms(self) -> Float[Tensor, " L"]:
        """The relative rounding error of the norm of a matrix shaped as W_l."""
        errors = [norm_rounding(w.shape[-1] * w.shape[-2]) for w in self.segment.net.weights]
        return torch.tensor(errors, dtype=torch.float64, device=self.segment.device)

    @cached_property
    def _of_start(self) -> Float[Tensor, "... L"]:
        """A bound on the error of ‖g_l(0)‖_F relative to its computed value; 1 where there is none."""
        s = self.segment
        if self.errors is None:
            return torch.ones_like(s.norm_g)
        return ((self.errors[0].gradients / s.norm_g).nan_to_num(1.0, 1.0) + self._of_norms).clamp(max=1.0)

    @cached_property
    def norm_g(self) -> Bounded:
        """‖g_l(0)‖_F."""
        norm = self.segment.norm_g
        error = torch.full_like(norm, torch.inf) if self.errors is None else self.errors[0].gradients
        return Bounded.of_size(norm, error + self._of_norms * norm)

    @cached_property
    def norm_step(self) -> Bounded:
        """‖ΔW_l‖_F."""
        return Bounded.of_size(self.segment.norm_step, self._of_norms * self.segment.norm_step)

    @cached_property
    def lever(self) -> Bounded:
        """‖g_l(0)‖_F·‖ΔW_l‖_F; 0 where ΔW_l = 0."""
        pairs = zip(self.norm_g, self.norm_step, strict=True)
        return Bounded(*(torch.where(self.segment.norm_step > 0, g * step, 0.0) for g, step in pairs))

    @cached_property
    def cosines(self) -> Bounded:
        """Cos θ_l: unit vectors along the computed and the true gradient are at most 2‖ĝ − g‖/‖ĝ‖ apart."""
        s = self.segment
        ends = Bounded.within(s.cosines, torch.where(s.norm_step > 0, 2 * self._of_start + self._of_norms, 0.0))
        return Bounded(s.cosines, ends.low.clamp(min=-1), ends.high.clamp(max=1))

    @cached_property
    def slope(self) -> Bounded:
        """Σ⟨g_l(0), ΔW_l⟩, a sum of as many products as there are weights."""
        s = self.segment
        if self.errors is None:
            return Bounded.within(s.slope, torch.inf)
        products = sum(w.shape[-1] * w.shape[-2] for w in s.net.weights)
        error = ((self.errors[0].gradients + products * UNIT * s.norm_g) * s.norm_step).sum(-1)
        return Bounded.within(s.slope, error * (1 + PADDING) + 4 * UNIT * s.slope.abs())

    @cached_property
    def fall(self) -> Bounded:
        """𝓛(0) − 𝓛(1)."""
        s = self.segment
        if self.errors is None:
            return Bounded.within(s.fall, torch.inf)
        outputs, moved = s.outputs
        error = s.loss.difference_error(outputs, moved)
        for at, off in zip((outputs, outputs + moved), self.errors, strict=True):
            # 𝓛 between the true and the computed outputs: their distance times the gradient, which changes little there.
            gradient = torch.linalg.vector_norm(s.loss.gradient(at), dim=-1)
            curved = (s.loss.smoothness or 0.0) * off.outputs / at.shape[-2]
            error = error + ((gradient + curved) * off.outputs).sum(-1)
        return Bounded.within(s.fall, error * (1 + PADDING) + 4 * UNIT * s.fall.abs())

    @cached_property
    def excess(self) -> Bounded:
        """𝓛(1) − 𝓛(0) − Σ⟨g_l(0), ΔW_l⟩."""
        rounded = 4 * UNIT * (self.segment.fall.abs() + self.segment.slope.abs())
        low, high = -self.fall.high - self.slope.high - rounded, -self.fall.low - self.slope.low + rounded
        return Bounded(self.segment.excess, low, high)

    @cached_property
    def step_change(self) -> Bounded:
        """change_l(1)."""
        value = self.segment.step_change
        if self.errors is None:
            return Bounded(value, torch.zeros_like(value), torch.full_like(value, torch.inf))
        before, after = self.errors
        largest = (value + (before.gradients + after.gradients) / self.segment.norm_g) / (1 - self._of_start)
        high = torch.where(self._of_start < 1, largest, torch.inf)
        return Bounded(value, self.least_change(value, after), high)

    def least_change(self, change: Float[Tensor, "... L"], there: Errors) -> Float[Tensor, "... L"]:
        """The least change_l that a computed one may stand for, with the errors of the gradients there; 0 if none is known."""
        assert self.errors is not None  # there would be no `there`
        off = (self.errors[0].gradients + there.gradients) / self.segment.norm_g
        return ((change - off) / (1 + self._of_start)).nan_to_num(0.0).clamp(min=0)

    @cached_property
    def gamma(self) -> Bounded:
        """γ = ‖M̃ − M‖_F/‖M‖_F."""
        s = self.segment
        change, size = s.end_to_end
        value = change / size
        if self.errors is None:
            return Bounded(value, torch.zeros_like(value), torch.full_like(value, torch.inf))
        before, after = (e.end_to_end for e in self.errors)
        rounded = 1 + norm_rounding(s.net.widths[0] * s.net.widths[-1])  # of either norm
        low = ((change / rounded - before - after) / (size * rounded + before)).nan_to_num(0.0).clamp(min=0)
        least = size / rounded - before
        return Bounded(value, low, torch.where(least > 0, (change * rounded + before + after) / least, torch.inf))

    def suffices(self, least: Float[Tensor, "... L"]) -> bool:
        """Whether these lower bounds on change_l exclude that Lemma 1 is violated anywhere, rounding included.

        They do if the excess is at most Σ‖g_l‖‖ΔW_l‖ times them: then upper bounds, which are dear, tell no more.
        """
        return bool((self.excess.low <= (self.lever.low * least).sum(-1)).all())
