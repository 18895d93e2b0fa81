"""Rounding error bounds of descent data at one point W + tΔW, by norms: they stay small for deep networks.

For each input, an error e of a state becomes at most ‖W̃‖₂e after a layer, and β times that after φ; every layer adds what
its own product may round, (n+4)u·‖|W̃||h|‖. Backwards the same, and where a pre-activation is within its error of a kink,
or φ' varies, the slope's variation. So the error of g_l = Σ_i e_i h_iᵀ is at most Σ_i(‖δe_i‖‖h_i‖ + ‖e_i‖‖δh_i‖ + ‖δe_i‖‖δh_i‖).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent import Descent


class Errors(NamedTuple):
    """Bounds on the errors of the outputs, each input's norm (…, N), and of g_1 … g_L, in Frobenius norm (…, L)."""

    outputs: Tensor
    gradients: Tensor


def errors_at(m: Descent, t: float) -> Errors | None:
    """The errors of the states and gradients as `Descent` computes them at W + tΔW; None for a loss without a bound."""
    if m.loss.smoothness is None:
        return None
    net = m.instance.net
    weights = [w + t * dw for w, dw in zip(net.weights, m.instance.dweights, strict=True)]
    norms = [torch.linalg.matrix_norm(w, 2).unsqueeze(-1) * (1 + 2**-30) for w in weights]
    h, z, e_h, e_z = [m.x], [], [torch.zeros_like(m.x[..., 0])], []
    for layer, (w, phi) in enumerate(zip(weights, net.activations, strict=True)):
        bias = net.biases[layer]
        offset = w.new_zeros(1) if bias is None else bias.unsqueeze(-2)
        z.append(h[-1] @ w.mT + offset)
        # Four times: W̃ itself is rounded, and differences were propagated from t = 0.
        own = 4 * (w.shape[-1] + 4) * UNIT * torch.linalg.vector_norm(h[-1].abs() @ w.abs().mT + offset.abs(), dim=-1)
        e_z.append(norms[layer] * e_h[-1] + own)
        h.append(phi(z[-1]))
        e_h.append(phi.beta * (e_z[-1] + phi.ulps * UNIT * torch.linalg.vector_norm(z[-1], dim=-1)))
    back = m.loss.gradient(h[-1])
    e_back = m.loss.smoothness * e_h[-1] / h[-1].shape[-2]
    e_back = e_back + 32 * (h[-1].abs().amax(-1) + h[-1].shape[-1]) * UNIT * torch.linalg.vector_norm(back, dim=-1)
    found: list[Tensor] = []
    for layer in range(net.depth - 1, -1, -1):
        phi, w = net.activations[layer], weights[layer]
        slope = phi.slope(z[layer])
        e = back * slope
        variation = phi.slope_variation(z[layer], e_z[layer].unsqueeze(-1)) + phi.ulps * UNIT * phi.beta
        e_e = phi.beta * e_back + torch.linalg.vector_norm(back.abs() * variation, dim=-1)
        size, below = (torch.linalg.vector_norm(v, dim=-1) for v in (e, h[layer]))
        own = 4 * (e.shape[-2] + 4) * UNIT * torch.linalg.matrix_norm(e.abs().mT @ h[layer].abs())
        found.insert(0, (e_e * (below + e_h[layer]) + size * e_h[layer]).sum(-1) + own)
        product = 4 * (w.shape[-2] + 4) * UNIT * torch.linalg.vector_norm(e.abs() @ w.abs(), dim=-1)
        back, e_back = e @ w, norms[layer] * e_e + product
    gradients = torch.stack([f.expand(m.batch_shape) for f in found], -1)
    return Errors(e_h[-1], gradients * (1 + 2**-20))


def start_error(m: Descent) -> Float[Tensor, "... L"]:
    """A bound on the relative rounding error of ‖g_l(0)‖_F; 1 where there is none."""
    if m.errors is None:
        return torch.ones_like(m.norm_g)
    return (m.errors[0].gradients / m.norm_g).nan_to_num(1.0, 1.0).clamp(max=1.0) + 2**-40


def step_change_ends(m: Descent) -> tuple[Tensor, Tensor, Tensor]:
    """max_l change_l(1), and its least and largest value."""
    value = m.step_change.amax(-1)
    if m.errors is None:
        return value, torch.zeros_like(value), torch.full_like(value, torch.inf)
    start, end = (e.gradients for e in m.errors)
    off = (start + end) / m.norm_g
    relative = start_error(m)
    low = ((m.step_change - off) / (1 + relative)).clamp(min=0).amax(-1)
    high = torch.where(relative < 1, (m.step_change + off) / (1 - relative), torch.inf).amax(-1)
    return value, low, high


def excess_ends(m: Descent) -> tuple[Tensor, Tensor, Tensor]:
    """𝓛(1) − 𝓛(0) − Σ⟨g_l, ΔW_l⟩, and its least and largest value."""
    if m.errors is None:
        return m.excess, torch.full_like(m.excess, -torch.inf), torch.full_like(m.excess, torch.inf)
    entries = sum(w.shape[-1] * w.shape[-2] for w in m.instance.net.weights)
    error = ((m.errors[0].gradients + entries * UNIT * m.norm_g) * m.norm_step).sum(-1)
    o, do = m.outputs
    error = error + m.loss.difference_error(o, do)
    for at, off in zip((o, o + do), m.errors, strict=True):
        # 𝓛 between the true and the computed outputs: their distance times the gradient, which changes little there.
        gradient = torch.linalg.vector_norm(m.loss.gradient(at), dim=-1)
        curved = (m.loss.smoothness or 0.0) * off.outputs / at.shape[-2]
        error = error + ((gradient + curved) * off.outputs).sum(-1)
    error = error * (1 + 2**-20) + 8 * UNIT * (m.fall.abs() + m.slope.abs())
    return m.excess, m.excess - error, m.excess + error
