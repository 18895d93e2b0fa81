"""Rounding error bounds of descent data at one point W + tΔW, input by input, by norms.

An error e of a state becomes at most ‖W̃‖₂e after a layer, and β times that after φ; every layer adds what its own product may
round, (n+4)u·‖|W̃||h|‖. These products of norms only tell which slopes are known: φ' varies by V within the error of z_l, and
V = 0 where no kink is that near (where one is, Jacobians from layer to layer tell more). Errors of the outputs are then
the sum of each layer's own, times ‖J_l‖ with the slopes as computed; V adds V·e_z to the layer's own. Backwards the
same: the error of ∂𝓛/∂f is carried by J_l, and each layer adds its own. So the error of g_l = Σ_i e_i h_iᵀ is at most
Σ_i(‖δe_i‖‖h_i‖ + ‖e_i‖‖δh_i‖ + ‖δe_i‖‖δh_i‖).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.network.network import Network
from drt.numeric.spectra import UNIT

if TYPE_CHECKING:
    from drt.descent.measurement import Descent


class Errors(NamedTuple):
    """Bounds on errors: of the outputs, each input's norm (…, N); in Frobenius norm, of g_1 … g_L (…, L) and of M (…,)."""

    outputs: Tensor
    gradients: Tensor
    end_to_end: Tensor


def errors_at(m: Descent, t: Float[Tensor, "..."]) -> Errors | None:
    """The errors of the states and gradients as `Descent` computes them at W + tΔW; None for a loss without a bound."""
    if m.loss.smoothness is None:
        return None
    net, size = m.instance.net, t[..., None, None]
    weights = [w + size * dw for w, dw in zip(net.weights, m.instance.dweights, strict=True)]
    norms = [torch.linalg.matrix_norm(w, 2).unsqueeze(-1) * (1 + 2**-30) for w in weights]
    h, z, own, evaluated = [m.x], [], [], []
    for w, bias, phi in zip(weights, net.biases, net.activations, strict=True):
        offset = w.new_zeros(1) if bias is None else bias.unsqueeze(-2)
        z.append(h[-1] @ w.mT + offset)
        # Four times: W̃ itself is rounded, and differences were propagated from t = 0.
        own.append(4 * (w.shape[-1] + 4) * UNIT * _norm(h[-1].abs() @ w.abs().mT + offset.abs()))
        h.append(phi(z[-1]))
        evaluated.append(phi.beta * phi.ulps * UNIT * _norm(z[-1]))
    forward = _by_norms(net, norms, z, own, evaluated)
    if not m.batch_shape:
        # Few inputs have a kink that near: there it pays to follow every layer's error by its own Jacobians.
        doubtful = torch.nonzero(torch.stack(forward.unknown).amax(0)).flatten()
        if len(doubtful):
            rows = [[v[doubtful] for v in group] for group in (z, own, evaluated)]
            for group, better in zip(forward, _by_jacobians(net, weights, norms, *rows), strict=True):
                for whole, part in zip(group, better, strict=True):
                    whole[doubtful] = torch.minimum(whole[doubtful], part)
    e_z, local, e_h = forward.e_z, forward.local, [torch.zeros_like(own[0]), *forward.e_h]
    sizes = _jacobian_norms(net, weights, norms, z)
    carried_on = torch.stack([size * e for size, e in zip(sizes, local, strict=True)]).sum(0)
    e_out = torch.minimum(e_h[-1], carried_on)
    back = m.loss.gradient(h[-1])
    e_loss = m.loss.smoothness * e_out / h[-1].shape[-2]
    e_loss = e_loss + 32 * (h[-1].abs().amax(-1) + h[-1].shape[-1]) * UNIT * _norm(back)
    rounded = 4 * (m.x.shape[-2] + 4) * UNIT * torch.linalg.matrix_norm(back.abs().mT @ m.x.abs())
    end_to_end = (e_loss * _norm(m.x)).sum(-1) + rounded
    later = torch.zeros_like(
        e_loss
    )  # what layers above added to the error of ∂𝓛/∂h_l; the loss's own is carried by J_l
    found: list[Tensor] = []
    for layer in range(net.depth - 1, -1, -1):
        phi, w = net.activations[layer], weights[layer]
        e = back * phi.slope(z[layer])
        variation = phi.slope_variation(z[layer], e_z[layer].unsqueeze(-1)) + phi.ulps * UNIT * phi.beta
        carried = sizes[layer] * e_loss
        later = phi.beta * later + _norm(back.abs() * variation) + variation.amax(-1) * (carried + later)
        e_e = phi.beta * carried + later
        size, below = _norm(e), _norm(h[layer])
        own = 4 * (e.shape[-2] + 4) * UNIT * torch.linalg.matrix_norm(e.abs().mT @ h[layer].abs())
        found.insert(0, (e_e * (below + e_h[layer]) + size * e_h[layer]).sum(-1) + own)
        product = 4 * (w.shape[-2] + 4) * UNIT * _norm(e.abs() @ w.abs())
        back, later = e @ w, norms[layer] * later + product
    gradients = torch.stack([f.expand(m.batch_shape) for f in found], -1)
    end_to_end = end_to_end.expand(m.batch_shape)
    return Errors(*(v * (1 + 2**-20) for v in (e_out, gradients, end_to_end)))


class _Forward(NamedTuple):
    """Layer by layer, for each input: errors of z_l and h_l, what layer l adds to the latter, how far a slope is unknown."""

    e_z: list[Tensor]
    e_h: list[Tensor]
    local: list[Tensor]
    unknown: list[Tensor]


def _by_norms(
    net: Network, norms: list[Tensor], z: list[Tensor], own: list[Tensor], evaluated: list[Tensor]
) -> _Forward:
    """Errors carried from layer to layer by ‖W̃_l‖₂."""
    found = _Forward([], [], [], [])
    e_h = torch.zeros_like(own[0])
    for k, phi in enumerate(net.activations):
        e_z = norms[k] * e_h + own[k]
        unknown = phi.slope_variation(z[k], e_z.unsqueeze(-1)).amax(-1)
        local = phi.beta * own[k] + evaluated[k] + unknown * e_z
        e_h = phi.beta * e_z + evaluated[k]
        for group, value in zip(found, (e_z, e_h, local, unknown), strict=True):
            group.append(value)
    return found


def _by_jacobians(
    net: Network,
    weights: list[Tensor],
    norms: list[Tensor],
    z: list[Tensor],
    own: list[Tensor],
    evaluated: list[Tensor],
) -> _Forward:
    """The same, each layer's own error carried on by ∂h_l/∂h_j with the slopes as computed: L²/2 matrices an input."""
    found = _Forward([], [], [], [])
    carried: list[tuple[Tensor, Tensor]] = []  # ∂h_l/∂h_j for j < l, and a bound on its rounding error
    for k, (w, phi) in enumerate(zip(weights, net.activations, strict=True)):
        moved = []
        e_z = own[k]
        for (j, off), local in zip(carried, found.local, strict=True):
            size = torch.linalg.matrix_norm(j)
            off = norms[k] * (off + (w.shape[-1] + phi.ulps + 4) * UNIT * math.sqrt(w.shape[-2]) * size)
            j = w @ j
            e_z = e_z + (torch.linalg.matrix_norm(j) * (1 + 2**-30) + off) * local
            moved.append((j * phi.slope(z[k]).unsqueeze(-1), phi.beta * off))
        unknown = phi.slope_variation(z[k], e_z.unsqueeze(-1)).amax(-1)
        local = phi.beta * own[k] + evaluated[k] + unknown * e_z
        for group, value in zip(found, (e_z, phi.beta * e_z + evaluated[k], local, unknown), strict=True):
            group.append(value)
        identity = torch.eye(len(w), dtype=w.dtype, device=w.device).expand(len(e_z), -1, -1)
        carried = [*moved, (identity, torch.zeros_like(e_z))]
    return found


def _jacobian_norms(net: Network, weights: list[Tensor], norms: list[Tensor], z: list[Tensor]) -> list[Tensor]:
    """Upper bounds on ‖∂f/∂h_l‖ with the slopes as computed, l = 1 … L, for each input."""
    j = torch.eye(net.widths[-1], dtype=z[-1].dtype, device=z[-1].device).expand(*z[-1].shape[:-1], -1, -1)
    size, off = torch.linalg.matrix_norm(j), torch.zeros_like(z[-1][..., 0])
    found = [size]
    for layer in range(net.depth - 1, 0, -1):
        phi, w = net.activations[layer], weights[layer]
        # J_{l−1} = J_l Φ'_l W_l, rounded as a product of inner length n_l.
        off = phi.beta * norms[layer] * (off + (w.shape[-2] + phi.ulps + 4) * UNIT * math.sqrt(w.shape[-2]) * size)
        j = (j * phi.slope(z[layer]).unsqueeze(-2)) @ w.unsqueeze(-3)
        size = torch.linalg.matrix_norm(j) * (1 + 2**-30) + off
        found.insert(0, size)
    return found


def _norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x, dim=-1)


def start_error(m: Descent) -> Float[Tensor, "... L"]:
    """A bound on the relative rounding error of ‖g_l(0)‖_F; 1 where there is none."""
    if m.errors is None:
        return torch.ones_like(m.norm_g)
    return ((m.errors[0].gradients / m.norm_g).nan_to_num(1.0, 1.0) + 2**-40).clamp(max=1.0)


def cosine_error(m: Descent) -> Float[Tensor, "... L"]:
    """A bound on the rounding error of cos θ_l: unit vectors along ĝ and g are at most 2‖ĝ − g‖/‖ĝ‖ apart."""
    entries = [w.shape[-1] * w.shape[-2] + 8 for w in m.instance.net.weights]
    return 2 * start_error(m) + UNIT * torch.tensor(entries, dtype=m.norm_g.dtype, device=m.norm_g.device)


def least_change(m: Descent, change: Float[Tensor, "... L"], there: Errors) -> Float[Tensor, "... L"]:
    """The least change_l that a computed one may stand for, with the errors of the gradients there; 0 where none is known."""
    assert m.errors is not None  # there would be no `there`
    off = (m.errors[0].gradients + there.gradients) / m.norm_g
    return ((change - off) / (1 + start_error(m))).nan_to_num(0.0).clamp(min=0)


def gamma_ends(m: Descent, change: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """The least and largest γ = ‖M̃ − M‖_F/‖M‖_F that computed norms of M̃ − M and M may stand for."""
    if m.errors is None:
        return torch.zeros_like(size), torch.full_like(size, torch.inf)
    start, end = (e.end_to_end for e in m.errors)
    own = 1 + (m.widths[0] * m.widths[-1] + 8) * UNIT  # a norm's own rounding, of either, and the quotient's
    low = ((change / own - start - end) / (size * own + start)).nan_to_num(0.0).clamp(min=0)
    least = size / own - start
    return low, torch.where(least > 0, (change * own + start + end) / least, torch.inf)


def step_change_ends(m: Descent) -> tuple[Tensor, Tensor, Tensor]:
    """max_l change_l(1), and its least and largest value."""
    value = m.step_change.amax(-1)
    if m.errors is None:
        return value, torch.zeros_like(value), torch.full_like(value, torch.inf)
    start, end = (e.gradients for e in m.errors)
    relative = start_error(m)
    largest = (m.step_change + (start + end) / m.norm_g) / (1 - relative)
    high = torch.where(relative < 1, largest, torch.inf).amax(-1)
    return value, least_change(m, m.step_change, m.errors[1]).amax(-1), high


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
