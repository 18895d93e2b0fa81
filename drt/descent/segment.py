"""The segment W + tΔW, t ∈ [0, 1]: states, loss and gradients at its start, and how they change along it.

    g_l(t) = ∂𝓛/∂W_l at W + tΔW,   change_l(t) = ‖g_l(t) − g_l(0)‖_F/‖g_l(0)‖_F

Differences are propagated, never formed by subtraction: Δh_l from Δz_l, Δ(∂𝓛/∂z_l) from the layer above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.losses import Loss
from drt.measurement.instance import PerturbedNetwork
from drt.network.network import ArrayLike, Network, broadcast_batch
from drt.numeric.caching import cached_property


@dataclass(frozen=True)
class Start:
    """At t = 0: states h_0 … h_L, pre-activations z_1 … z_L, and ∂𝓛/∂z_1 … ∂𝓛/∂z_L, each (…, N, n_l)."""

    hidden: list[Tensor]
    pre: list[Tensor]
    loss_by_pre: list[Tensor]


@dataclass(frozen=True)
class Along:
    """At points t (T, …): f(t) − f(0); 𝓛(t) − 𝓛(0) (T, …); g_l(t) − g_l(0), each (T, …, n_l, n_{l−1}); change (T, …, L)."""

    t: Tensor
    outputs: Tensor
    loss_change: Tensor
    gradient_changes: list[Tensor]
    change: Tensor


class Segment(PerturbedNetwork):
    """Networks (…) whose weights move from W to W + ΔW, one set of N inputs each, and a loss of all their outputs.

    Args:
        net: f; its biases stay as they are.
        dweights: ΔW_1 … ΔW_L.
        x: the inputs (N, n_0), or (…, N, n_0).
        loss: 𝓛.

    Raises:
        InputError: as for `PerturbedNetwork`, or batch dimensions that do not broadcast.
    """

    def __init__(self, net: Network, dweights: Sequence[ArrayLike], x: Tensor, loss: Loss):
        super().__init__(net, dweights)
        self.x, self.loss = x, loss
        self.batch_shape = broadcast_batch(
            ("weights", net.batch_shape),
            *((f"dweights[{i}]", tuple(dw.shape[:-2])) for i, dw in enumerate(self.dweights)),
            ("x", tuple(x.shape[:-2])),
        )

    @property
    def device(self) -> torch.device:
        """Where every tensor is."""
        return self.x.device

    @cached_property
    def multiplications(self) -> float:
        """Of one forward pass of all inputs: the measure of what an evaluation costs."""
        return self.x.numel() * sum(w.numel() for w in self.net.weights) / self.x.shape[-1]

    def everywhere(self, t: Float[Tensor, " T"]) -> Float[Tensor, "T ..."]:
        """The same points t for every instance of the batch."""
        return t.reshape(-1, *[1] * len(self.batch_shape)).expand(-1, *self.batch_shape)

    @cached_property
    def start(self) -> Start:
        """States and backward pass at W."""
        net, h, z = self.net, [self.x], []
        e: list[Tensor] = []
        for layer, (w, phi) in enumerate(zip(net.weights, net.activations, strict=True)):
            bias = net.biases[layer]
            z.append(h[-1] @ w.mT + (0.0 if bias is None else bias.unsqueeze(-2)))
            h.append(phi(z[-1]))
        back = self.loss.gradient(h[-1])
        for layer in range(net.depth - 1, -1, -1):
            e.insert(0, back * net.activations[layer].slope(z[layer]))
            back = e[0] @ net.weights[layer]
        return Start(h, z, e)

    @cached_property
    def gradients(self) -> list[Tensor]:
        """g_1 … g_L at t = 0, each (…, n_l, n_{l−1})."""
        pairs = zip(self.start.loss_by_pre, self.start.hidden[:-1], strict=True)
        return [(e.mT @ below).expand(*self.batch_shape, -1, -1) for e, below in pairs]

    def along(self, t: Float[Tensor, "T ..."]) -> Along:
        """The outputs, the loss and the gradients at W + tΔW, less those at W; one column of t an instance."""
        net, h, z, e = self.net, self.start.hidden, self.start.pre, self.start.loss_by_pre
        size = t.reshape(len(t), *t.shape[1:], *[1] * (len(self.batch_shape) + 1 - t.ndim), 1, 1)
        steps = [size * dw for dw in self.dweights]
        dh, dz = [torch.zeros_like(self.x)], []
        for layer, (w, dw, phi) in enumerate(zip(net.weights, steps, net.activations, strict=True)):
            # Δz = W̃Δh + ΔWh
            dz.append(dh[-1] @ (w + dw).mT + h[layer] @ dw.mT)
            dh.append(phi.difference(z[layer].expand_as(dz[-1]), dz[-1]))
        outputs = h[-1].expand_as(dh[-1])
        loss_change = self.loss.difference(outputs, dh[-1])
        back, dback = self.loss.gradient(h[-1]), self.loss.gradient_difference(outputs, dh[-1])
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
    def end(self) -> Along:
        """What is different at t = 1."""
        return self.along(torch.ones_like(self.zeros).unsqueeze(0))

    @property
    def outputs(self) -> tuple[Tensor, Tensor]:
        """The outputs f at t = 0, and f̃ − f at t = 1, each (…, N, n_L)."""
        return self.start.hidden[-1], self.end.outputs[0]

    @cached_property
    def zeros(self) -> Float[Tensor, "..."]:
        """A zero for each instance."""
        return torch.zeros(self.batch_shape, dtype=torch.float64, device=self.device)

    @cached_property
    def norm_g(self) -> Float[Tensor, "... L"]:
        """‖g_l(0)‖_F."""
        return torch.stack([torch.linalg.matrix_norm(g) for g in self.gradients], -1)

    @cached_property
    def norm_step(self) -> Float[Tensor, "... L"]:
        """‖ΔW_l‖_F."""
        norms = [torch.linalg.matrix_norm(dw).expand(self.batch_shape) for dw in self.dweights]
        return torch.stack(norms, -1)

    @cached_property
    def inner(self) -> Float[Tensor, "... L"]:
        """⟨g_l(0), ΔW_l⟩."""
        pairs = zip(self.gradients, self.dweights, strict=True)
        return torch.stack([(g * dw).sum((-1, -2)) for g, dw in pairs], -1)

    @cached_property
    def cosines(self) -> Float[Tensor, "... L"]:
        """Cos θ_l, θ_l = ∠(ΔW_l, −g_l(0)); 1 where ΔW_l = 0."""
        product = self.norm_g * self.norm_step
        return torch.where(self.norm_step > 0, (-self.inner / product).clamp(-1, 1) + 0.0, 1.0)  # + 0.0: no minus zero

    @cached_property
    def slope(self) -> Float[Tensor, "..."]:
        """Σ⟨g_l(0), ΔW_l⟩, the derivative of 𝓛(t) at t = 0."""
        return self.inner.sum(-1)

    @cached_property
    def fall(self) -> Float[Tensor, "..."]:
        """𝓛(0) − 𝓛(1), how far the loss falls."""
        return -self.end.loss_change[0]

    @cached_property
    def excess(self) -> Float[Tensor, "..."]:
        """𝓛(1) − 𝓛(0) − Σ⟨g_l(0), ΔW_l⟩, what curvature adds to the slope."""
        return -self.fall - self.slope

    @cached_property
    def step_change(self) -> Float[Tensor, "... L"]:
        """change_l(1)."""
        return self.end.change[0]

    @cached_property
    def end_to_end(self) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
        """‖M̃ − M‖_F and ‖M‖_F, M = Σ_i ∂𝓛/∂f_i·x_iᵀ at t = 0 and M̃ at t = 1."""
        outputs, moved = self.outputs
        before = self.loss.gradient(outputs).mT @ self.x
        change = self.loss.gradient_difference(outputs.expand_as(moved), moved).mT @ self.x
        norms = torch.linalg.matrix_norm(change), torch.linalg.matrix_norm(before)
        return norms[0].expand(self.batch_shape), norms[1].expand(self.batch_shape)
