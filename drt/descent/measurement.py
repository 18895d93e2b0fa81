"""Descent data: what a loss and its gradients do along the segment W + tΔW, t ∈ [0, 1], as far as bounds may read it.

g_l(t) = ∂𝓛/∂W_l at W + tΔW,   θ_l = ∠(ΔW_l, −g_l(0)),   change_l(t) = ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.changes import Changes
from drt.descent.losses import Loss, as_loss
from drt.descent.rounded import RoundedSegment
from drt.descent.segment import Segment
from drt.errors import InputError
from drt.measurement.measured import WeightFields
from drt.measurement.quantity import DESCENT
from drt.network.network import ArrayLike, Network, as_float64
from drt.numeric.caching import cached_property


class Descent(WeightFields):
    """What `measure_descent` returns: batch (…,) of networks and perturbations, one set of N inputs each.

    Beside the fields of the weights (`WeightFields`):

        norm_g, norm_step (…, L)   ‖g_l(0)‖_F and ‖ΔW_l‖_F
        lever (…, L)               their product: what the loss falls by, to first order, where cos θ_l = 1
        cosines (…, L)             cos θ_l; 1 where ΔW_l = 0
        eta (…,)                   max_l δ_l
        inputs                     N
        slope, fall (…,)           Σ⟨g_l(0), ΔW_l⟩, and 𝓛(0) − 𝓛(1)
        excess (…,)                𝓛(1) − 𝓛(0) − slope, what curvature adds
        step_change (…, L)         change_l(1)
        gamma (…,)                 γ = ‖M̃ − M‖_F/‖M‖_F, M = Σ_i ∂𝓛/∂f_i·x_iᵀ at t = 0, M̃ at 1; for one input, the change of ∂𝓛/∂f
        breakdown (…, L)           max_t change_l(t): the change at which the descent that cos θ_l promises breaks down
        mean_breakdown (…, L)      ∫₀¹ change_l(t) dt; both are 0 where ΔW_l = 0, as ‖ΔW_l‖ = 0 times them is

    What is behind them: `segment`, the states, gradients and losses themselves; `changes`, what is known of change_l(t).
    """

    quantity = DESCENT
    FIELDS: ClassVar[tuple[str, ...]] = (
        *WeightFields.FIELDS, "norm_g", "norm_step", "lever", "cosines", "eta", "inputs", "slope", "fall", "excess",
        "step_change", "gamma", "breakdown", "mean_breakdown",
    )  # fmt: skip
    SIGNED = ("cosines", "slope", "fall", "excess")

    def __init__(self, changes: Changes, side: int = 0):
        super().__init__(changes.segment, 0, side)
        self.changes = changes

    @property
    def segment(self) -> Segment:
        """The segment W + tΔW."""
        return self.changes.segment

    @property
    def _rounded(self) -> RoundedSegment:
        return self.changes.rounded

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return self.segment.batch_shape

    def inflated(self, side: int) -> Descent:
        return Descent(self.changes, side)

    @property
    def inputs(self) -> int:
        return self.segment.x.shape[-2]

    @property
    def norm_g(self) -> Float[Tensor, "... L"]:
        return self._rounded.norm_g.at(self.side) if self.side else self.segment.norm_g

    @property
    def norm_step(self) -> Float[Tensor, "... L"]:
        return self._rounded.norm_step.at(self.side)

    @property
    def lever(self) -> Float[Tensor, "... L"]:
        return self._rounded.lever.at(self.side)

    @property
    def cosines(self) -> Float[Tensor, "... L"]:
        return self._rounded.cosines.at(self.side) if self.side else self.segment.cosines

    @cached_property
    def eta(self) -> Float[Tensor, "..."]:
        return self.delta.amax(-1)

    @property
    def slope(self) -> Float[Tensor, "..."]:
        return self._rounded.slope.at(self.side)

    @property
    def fall(self) -> Float[Tensor, "..."]:
        return self._rounded.fall.at(self.side)

    @property
    def excess(self) -> Float[Tensor, "..."]:
        return self._rounded.excess.at(self.side)

    @property
    def step_change(self) -> Float[Tensor, "... L"]:
        return self._rounded.step_change.at(self.side)

    @property
    def gamma(self) -> Float[Tensor, "..."]:
        return self._rounded.gamma.at(self.side)

    @property
    def breakdown(self) -> Float[Tensor, "... L"]:
        """As evaluated, or the lower or upper end of where it is known to be."""
        found = self.changes
        if self.side < 0:
            value = found.largest_lower
        else:  # the upper ends are dear, and tell no more where the lower ones suffice
            value = found.largest_upper if self.side > 0 and not found.lower_suffices else found.largest
        return value.where(self.segment.norm_step > 0, 0.0)

    @property
    def mean_breakdown(self) -> Float[Tensor, "... L"]:
        """The upper end of where it is known to be, or its lower end."""
        low, high = self.changes.mean_ends
        value = (low, self.changes.mean, high)[self.side + 1]
        return value.where(self.segment.norm_step > 0, 0.0)

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """log(excess) ("excess"; −∞ where it is negative) or log max_l change_l(1) ("change"), and both its ends."""
        ends = self._rounded.excess if left == "excess" else (v.amax(-1) for v in self._rounded.step_change)
        value, low, high = (torch.log(v.clamp(min=0)) for v in ends)
        return value, low, high


def measure_descent(
    net: Network, dweights: Sequence[ArrayLike], x: ArrayLike, loss: Loss | Callable[[Tensor], Tensor]
) -> Descent:
    """The descent data of a perturbation: gradients of the loss over all inputs, along W + tΔW.

    Args:
        net: f, its weights (…, n_l, n_{l−1}); biases stay as they are.
        dweights: ΔW_1 … ΔW_L; zero is allowed.
        x: N inputs (N, n_0), or (…, N, n_0).
        loss: a `drt.descent.losses` loss, or a function of the outputs (N, n_L) that returns a scalar.

    Raises:
        InputError: shapes that do not match, labels out of range, a loss that is not scalar or not finite at W.
    """
    x = as_float64(x, "x", 2)
    if x.shape[-1] != net.widths[0]:
        raise InputError(f"x has shape {tuple(x.shape)}: its last dimension must be n_0 = {net.widths[0]}")
    loss = as_loss(loss)
    loss.check(x.shape[-2], net.widths[-1])
    segment = Segment(net, dweights, x, loss)
    value = loss(segment.start.hidden[-1])
    if not torch.isfinite(value).all():
        raise InputError(f"the loss must be finite, got {value[~torch.isfinite(value)].flatten()[0].item()}")
    return Descent(Changes(segment))
