"""Descent data: gradients of a loss along the segment W + tΔW, t ∈ [0, 1], and what Lemmas 1 and 2 say of them.

    g_l(t) = ∂𝓛/∂W_l at W + tΔW,   θ_l = ∠(ΔW_l, −g_l(0)),   change_l(t) = ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F

Differences are propagated, never formed by subtraction: Δh_l from Δz_l, Δ(∂𝓛/∂z_l) from the layer above. The maximum over t
is known from two sides: `largest` was evaluated, so it is a lower bound; `largest_upper` comes from intervals between
the breakpoints.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.breakpoints import breakpoints
from drt.descent.chords import Chord
from drt.descent.enclosure import ASIDE, States, start, upper_bound
from drt.descent.losses import Loss, as_loss
from drt.descent.mean import mean_ends
from drt.descent.rounding import (
    Errors,
    cosine_error,
    errors_at,
    excess_ends,
    gamma_ends,
    least_change,
    start_error,
    step_change_ends,
)  # fmt: skip
from drt.errors import InputError
from drt.measurement.instance import PerturbedNetwork
from drt.measurement.measured import WeightFields
from drt.measurement.quantity import DESCENT
from drt.network.network import ArrayLike, Network, as_float64, broadcast_batch
from drt.numeric.caching import cached_property

CHEAP = 1e5  # multiplications of a forward pass
NODES = 24  # of the quadrature
GRID, ROUNDS = 17, 5  # points of [0, 1] at first; then each round halves the neighbourhood of every layer's maximum


@dataclass(frozen=True)
class Along:
    """At points t (T, …): f(t) − f(0); 𝓛(t) − 𝓛(0) (T, …); g_l(t) − g_l(0), each (T, …, n_l, n_{l−1}); change (T, …, L)."""

    t: Tensor
    outputs: Tensor
    loss_change: Tensor
    gradient_changes: list[Tensor]
    change: Tensor


class Descent(WeightFields):
    """What `measure_descent` returns: the fields of the weights (`WeightFields`) and those below.

    Batch (…,) of networks and perturbations, one set of N inputs each.

        gradients           g_1 … g_L at t = 0
        norm_g, norm_step, cosines, step_change (…, L)   ‖g_l‖_F, ‖ΔW_l‖_F, cos θ_l (1 where ΔW_l = 0), change_l(1)
        eta (…,)            max_l δ_l
        slope, fall (…,)    Σ⟨g_l, ΔW_l⟩, and 𝓛(0) − 𝓛(1) without cancellation
        gamma (…,)          γ = ‖M̃ − M‖_F/‖M‖_F at t = 1, M = Σ_i ∂𝓛/∂f_i·x_iᵀ; for one input, the change of ∂𝓛/∂f
        excess (…,)         𝓛(1) − 𝓛(0) − slope, what curvature adds
        largest (…, L)      the largest change_l(t) that was evaluated
        largest_lower       a lower bound on the maximum, rounding included: at t = 1, and at the t that costs the most;
                            0 where the loss has no error bound
        breakdown, mean_breakdown (…, L)   the maximum and the mean of change_l(t) over the segment, 0 where ΔW_l = 0
        largest_upper       an upper bound on the supremum; ∞ where none is to be had
    """

    quantity = DESCENT
    FIELDS: ClassVar[tuple[str, ...]] = (
        *WeightFields.FIELDS, "norm_g", "norm_step", "lever", "cosines", "step_change", "eta", "slope", "fall", "gamma",
        "excess", "breakdown", "mean_breakdown",
    )  # fmt: skip

    SIGNED = ("cosines", "slope", "fall")

    def __init__(self, instance: PerturbedNetwork, x: Tensor, loss: Loss):
        super().__init__(instance, 0, 0)
        self.instance, self.x, self.loss = instance, x, loss
        self._batch_shape = broadcast_batch(
            ("weights", instance.net.batch_shape),
            *((f"dweights[{i}]", tuple(dw.shape[:-2])) for i, dw in enumerate(instance.dweights)),
            ("x", tuple(x.shape[:-2])),
        )
        # Multiplications of one forward pass.
        self.work = x.numel() * sum(w.numel() for w in instance.net.weights) / x.shape[-1]

    @property
    def inputs(self) -> int:
        """N."""
        return self.x.shape[-2]

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return self._batch_shape

    @cached_property
    def _start(self) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """h_0 … h_L, z_1 … z_L and ∂𝓛/∂z_1 … ∂𝓛/∂z_L."""
        net = self.instance.net
        h, z = [self.x], []
        e: list[Tensor] = []
        for layer, (w, phi) in enumerate(zip(net.weights, net.activations, strict=True)):
            bias = net.biases[layer]
            z.append(h[-1] @ w.mT + (0.0 if bias is None else bias.unsqueeze(-2)))
            h.append(phi(z[-1]))
        back = self.loss.gradient(h[-1])
        for layer in range(net.depth - 1, -1, -1):
            e.insert(0, back * net.activations[layer].slope(z[layer]))
            back = e[0] @ net.weights[layer]
        return h, z, e

    @cached_property
    def gradients(self) -> list[Tensor]:
        h, _, e = self._start
        return [(grad.mT @ below).expand(*self.batch_shape, -1, -1) for grad, below in zip(e, h[:-1], strict=True)]

    def along(self, t: Float[Tensor, "T ..."]) -> Along:
        """The loss and the gradients at W + tΔW, less those at W; one column of t an instance."""
        net, (h, z, e) = self.instance.net, self._start
        size = t.reshape(len(t), *t.shape[1:], *[1] * (len(self.batch_shape) + 1 - t.ndim), 1, 1)
        steps = [size * dw for dw in self.instance.dweights]
        dh, dz = [torch.zeros_like(self.x)], []
        for layer, (w, dw, phi) in enumerate(zip(net.weights, steps, net.activations, strict=True)):
            # Δz = W̃Δh + ΔWh
            dz.append(dh[-1] @ (w + dw).mT + h[layer] @ dw.mT)
            dh.append(phi.difference(z[layer].expand_as(dz[-1]), dz[-1]))
        loss_change = self.loss.difference(h[-1].expand_as(dh[-1]), dh[-1])
        back, dback = self.loss.gradient(h[-1]), self.loss.gradient_difference(h[-1].expand_as(dh[-1]), dh[-1])
        changes: list[Tensor] = []
        for layer in range(net.depth - 1, -1, -1):
            w, phi, at = net.weights[layer], net.activations[layer], z[layer].expand_as(dz[layer])
            # Δe = φ'(z̃)Δb + Δφ'·b, then ΔG = ẽᵀΔh + Δeᵀh, and Δb = W̃ᵀΔe + ΔWᵀe
            de = phi.slope(at + dz[layer]) * dback + phi.slope_difference(at, dz[layer]) * back
            changes.insert(0, (e[layer] + de).mT @ dh[layer] + de.mT @ h[layer])
            back, dback = e[layer] @ w, de @ (w + steps[layer]) + e[layer] @ steps[layer]
        norms = torch.stack([torch.linalg.matrix_norm(g) for g in changes], -1)
        return Along(t, dh[-1], loss_change, changes, norms / self.norm_g)

    @cached_property
    def norm_g(self) -> Float[Tensor, "... L"]:
        return torch.stack([torch.linalg.matrix_norm(g) for g in self.gradients], -1)

    @cached_property
    def norm_step(self) -> Float[Tensor, "... L"]:
        norms = [torch.linalg.matrix_norm(dw).expand(self.batch_shape) for dw in self.instance.dweights]
        return torch.stack(norms, -1)

    @cached_property
    def _inner(self) -> Float[Tensor, "... L"]:
        pairs = zip(self.gradients, self.instance.dweights, strict=True)
        return torch.stack([(g * dw).sum((-1, -2)) for g, dw in pairs], -1)

    @cached_property
    def _cosines(self) -> Float[Tensor, "... L"]:
        product = self.norm_g * self.norm_step
        return torch.where(self.norm_step > 0, (-self._inner / product).clamp(-1, 1) + 0.0, 1.0)  # + 0.0: no minus zero

    @property
    def cosines(self) -> Float[Tensor, "... L"]:
        """Cos θ_l, or an end of its rounding error."""
        if not self.side:
            return self._cosines
        return torch.where(
            self.norm_step > 0, (self._cosines + self.side * cosine_error(self)).clamp(-1, 1), self._cosines
        )

    @cached_property
    def eta(self) -> Float[Tensor, "..."]:
        return self.delta.amax(-1)

    @cached_property
    def slope(self) -> Float[Tensor, "..."]:
        return self._inner.sum(-1)

    @cached_property
    def _end_of_segment(self) -> Along:
        return self.along(torch.ones_like(self.norm_g[..., 0]).unsqueeze(0))

    @property
    def outputs(self) -> tuple[Tensor, Tensor]:
        """f, and f̃ − f."""
        return self._start[0][-1], self._end_of_segment.outputs[0]

    @cached_property
    def errors(self) -> tuple[Errors, Errors] | None:
        """Rounding error bounds at both ends of the segment."""
        at = torch.zeros_like(self.norm_g[..., 0])
        start, end = errors_at(self, at), errors_at(self, at + 1)
        return None if start is None or end is None else (start, end)

    @cached_property
    def fall(self) -> Float[Tensor, "..."]:
        return -self._end_of_segment.loss_change[0]

    @cached_property
    def step_change(self) -> Float[Tensor, "... L"]:
        return self._end_of_segment.change[0]

    @cached_property
    def _end_to_end(self) -> tuple[Tensor, Tensor]:
        """‖M̃ − M‖_F and ‖M‖_F."""
        o, do = self.outputs
        start = self.loss.gradient(o).mT @ self.x
        change = self.loss.gradient_difference(o.expand_as(do), do).mT @ self.x
        norms = torch.linalg.matrix_norm(change), torch.linalg.matrix_norm(start)
        return norms[0].expand(self.batch_shape), norms[1].expand(self.batch_shape)

    @property
    def gamma(self) -> Float[Tensor, "..."]:
        """γ, or an end of its rounding error."""
        change, size = self._end_to_end
        if not self.side:
            return change / size
        return gamma_ends(self, change, size)[self.side > 0]

    @cached_property
    def excess(self) -> Float[Tensor, "..."]:
        return -self.fall - self.slope

    @cached_property
    def breakpoints(self) -> Float[Tensor, "K ..."]:
        return breakpoints(self)

    @cached_property
    def enclosed(self) -> tuple[States, list[Chord], Tensor] | None:
        """The start of the segment, rounding included: `drt.descent.enclosure.start`."""
        return start(self)

    @cached_property
    def evaluated(self) -> tuple[Tensor, Tensor]:
        """Every t evaluated (T, …) and the changes there (T, …, L).

        A grid, and both sides of every breakpoint where that is cheap; then around each layer's maximum.
        """
        t = torch.linspace(0, 1, GRID, dtype=torch.float64, device=self.x.device)[1:]
        t = t.reshape(-1, *[1] * len(self.batch_shape)).expand(-1, *self.batch_shape)
        if self.work <= CHEAP:
            t = torch.cat([t, self.breakpoints - ASIDE, (self.breakpoints + ASIDE).clamp(max=1.0)])
        change = self.along(t).change
        half = 1 / (GRID - 1)
        for _ in range(ROUNDS):
            half /= 2
            best = torch.gather(t, 0, change.argmax(0).movedim(-1, 0))  # (L, …)
            more = torch.cat([best - half, best + half]).clamp(0, 1)
            if not self.batch_shape:  # layers often have theirs in one place
                more = more.unique()
            t, change = torch.cat([t, more]), torch.cat([change, self.along(more).change])
        return t, change

    @cached_property
    def largest(self) -> Float[Tensor, "... L"]:
        return self.evaluated[1].amax(0)

    @cached_property
    def largest_lower(self) -> Float[Tensor, "... L"]:
        if self.errors is None:
            return torch.zeros_like(self.largest)
        t, change = self.evaluated
        best = (change * self.norm_g * self.norm_step).sum(-1).argmax(0, keepdim=True)
        at = torch.gather(t, 0, best)[0]
        there = self.errors[1] if bool((at == 1).all()) else errors_at(self, at)
        assert there is not None  # as `errors` are not
        found = torch.gather(change, 0, best.unsqueeze(-1).expand(1, *change.shape[1:]))[0]
        return torch.maximum(least_change(self, self.step_change, self.errors[1]), least_change(self, found, there))

    @cached_property
    def largest_upper(self) -> Float[Tensor, "... L"]:
        return upper_bound(self)

    @property
    def breakdown(self) -> Float[Tensor, "... L"]:
        """max_t change_l(t): as evaluated, or the lower or upper end of where it is known to be (`inflated`).

        0 for a layer that does not move: whatever its gradient does, ‖ΔW_l‖ = 0 times it is 0.
        """
        if self.side < 0:
            value = self.largest_lower
        else:
            value = self.largest_upper if self.side > 0 and not self._lower_suffices else self.largest
        return value.where(self.norm_step > 0, 0.0)

    @cached_property
    def _lower_suffices(self) -> bool:
        """Whether the lower bounds exclude that Lemma 1 is violated anywhere: the upper ones, which are dear, tell no more."""
        return self.suffices(self.largest_lower)

    def suffices(self, least: Float[Tensor, "... L"]) -> bool:
        """Whether the excess is everywhere at most Σ‖g_l‖‖ΔW_l‖ times these, rounding included."""
        product = self.norm_g * self.norm_step * (1 - start_error(self)) * least.where(self.norm_step > 0, 0.0)
        return bool((excess_ends(self)[1] <= product.sum(-1)).all())

    @cached_property
    def mean_ends(self) -> tuple[Tensor, Tensor]:
        """The least and the largest mean of change_l(t) over [0, 1], both (…, L)."""
        return mean_ends(self)

    @property
    def mean_breakdown(self) -> Float[Tensor, "... L"]:
        """∫₀¹ change_l(t) dt: the upper end of where it is known to be, or its lower end; 0 where ΔW_l = 0.

        Where no upper end is known, it is found by quadrature.
        """
        low, high = self.mean_ends
        value = low if self.side < 0 else high
        if not self.side and bool((high == torch.inf).any()):
            nodes, weights = (torch.from_numpy(v).to(self.device) for v in np.polynomial.legendre.leggauss(NODES))
            t = ((nodes + 1) / 2).reshape(-1, *[1] * len(self.batch_shape)).expand(-1, *self.batch_shape)
            mean = torch.einsum("t...,t->...", self.along(t).change, weights / 2)
            value = torch.where(high == torch.inf, mean, high)
        return value.where(self.norm_step > 0, 0.0)

    @property
    def lever(self) -> Float[Tensor, "... L"]:
        """‖g_l‖_F·‖ΔW_l‖_F, or an end of it."""
        return self._stretched(self.norm_g * self.norm_step, start_error(self))

    def inflated(self, side: int) -> Descent:
        view = copy.copy(self)
        view.__dict__ = {k: v for k, v in self.__dict__.items() if k not in _RELATIVE}
        view.side = side
        return view

    def log_left(self, left: str) -> tuple[Tensor, Tensor, Tensor]:
        """log(excess) ("excess"; −∞ where it is negative) or log max_l change_l(1) ("change"), and both its ends."""
        value, low, high = excess_ends(self) if left == "excess" else step_change_ends(self)
        logs = [torch.log(v.clamp(min=0)) for v in (value, low, high)]
        return logs[0], logs[1], logs[2]


# What an end of the rounding error moves.
_RELATIVE = {"numbers", "delta", "rho", "kappa_w", "kappa_dw", "kappa_wt", "kappa", "eta"}


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
    m = Descent(PerturbedNetwork(net, dweights), x, loss)
    value = loss(m._start[0][-1])
    if not torch.isfinite(value).all():
        raise InputError(f"the loss must be finite, got {value[~torch.isfinite(value)].flatten()[0].item()}")
    return m
