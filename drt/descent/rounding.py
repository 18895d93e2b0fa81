"""Rounding error bounds of gradients at one point W + tΔW, input by input, by norms.

An error e of a state becomes at most ‖W̃‖₂e after a layer, and β times that after φ; every layer adds what its own product may
round, (n+4)u·‖|W̃||h|‖. These products of norms only tell which slopes are known: φ' varies by V within the error of z_l, and
V = 0 where no kink is that near (where one is, Jacobians from layer to layer tell more). Errors of the outputs are then
the sum of what each layer adds, times ‖J_l‖ with the slopes as computed; V adds V·e_z to what the layer adds. Backwards the
same: the error of ∂𝓛/∂f is carried by J_l, and each layer adds what it rounds. So the error of g_l = Σ_i e_i h_iᵀ is at most
Σ_i(‖δe_i‖‖h_i‖ + ‖e_i‖‖δh_i‖ + ‖δe_i‖‖δh_i‖).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.segment import Segment
from drt.network.network import Network
from drt.numeric.spectra import PADDING, UNIT


class Errors(NamedTuple):
    """Bounds on errors: of the outputs, each input's norm (…, N); in Frobenius norm, of g_1 … g_L (…, L) and of M (…,)."""

    outputs: Tensor
    gradients: Tensor
    end_to_end: Tensor


@dataclass(frozen=True)
class _Point:
    """A segment at one t: W̃_l and at most their spectral norms; h_0 … h_L; z_1 … z_L; and of each layer and input, what its
    product may round, and what evaluating φ may.
    """

    net: Network
    weights: list[Tensor]
    norms: list[Tensor]
    hidden: list[Tensor]
    pre: list[Tensor]
    product: list[Tensor]
    evaluation: list[Tensor]

    def rows(self, chosen: Tensor) -> _Point:
        """Some of the inputs; without h, which their forward errors do not need."""
        pre, product, evaluation = ([v[chosen] for v in group] for group in (self.pre, self.product, self.evaluation))
        return _Point(self.net, self.weights, self.norms, [], pre, product, evaluation)


class _Forward(NamedTuple):
    """Layer by layer, for each input: errors of z_l and h_l, what layer l adds to the latter, how far a slope is unknown."""

    e_z: list[Tensor]
    e_h: list[Tensor]
    added: list[Tensor]
    unknown: list[Tensor]


def errors_at(s: Segment, t: Float[Tensor, "..."]) -> Errors | None:
    """The errors of the states and gradients as `Segment` computes them at W + tΔW; None for a loss without a bound."""
    if s.loss.smoothness is None:
        return None
    at = _point(s, t)
    forward = _forward_errors(at, bool(s.batch_shape))
    jacobians = _jacobian_norms(at)
    outputs = at.hidden[-1]
    carried_on = torch.stack([size * e for size, e in zip(jacobians, forward.added, strict=True)]).sum(0)
    e_out = torch.minimum(forward.e_h[-1], carried_on)
    back = s.loss.gradient(outputs)
    e_loss = s.loss.smoothness * e_out / outputs.shape[-2]
    e_loss = e_loss + 32 * (outputs.abs().amax(-1) + outputs.shape[-1]) * UNIT * _norms(back)
    rounded = 4 * (s.x.shape[-2] + 4) * UNIT * torch.linalg.matrix_norm(back.abs().mT @ s.x.abs())
    end_to_end = ((e_loss * _norms(s.x)).sum(-1) + rounded).expand(s.batch_shape)
    gradients = [e.expand(s.batch_shape) for e in _gradient_errors(at, forward, jacobians, back, e_loss)]
    return Errors(*(v * (1 + PADDING) for v in (e_out, torch.stack(gradients, -1), end_to_end)))


def _point(s: Segment, t: Tensor) -> _Point:
    size = t[..., None, None]
    weights = [w + size * dw for w, dw in zip(s.net.weights, s.dweights, strict=True)]
    norms = [torch.linalg.matrix_norm(w, 2).unsqueeze(-1) * (1 + PADDING) for w in weights]
    h, z, product, evaluation = [s.x], [], [], []
    for w, bias, phi in zip(weights, s.net.biases, s.net.activations, strict=True):
        offset = w.new_zeros(1) if bias is None else bias.unsqueeze(-2)
        z.append(h[-1] @ w.mT + offset)
        # Four times: W̃ itself is rounded, and differences were propagated from t = 0.
        product.append(4 * (w.shape[-1] + 4) * UNIT * _norms(h[-1].abs() @ w.abs().mT + offset.abs()))
        h.append(phi(z[-1]))
        evaluation.append(phi.beta * phi.ulps * UNIT * _norms(z[-1]))
    return _Point(s.net, weights, norms, h, z, product, evaluation)


def _forward_errors(at: _Point, batched: bool) -> _Forward:
    forward = _by_norms(at)
    if not batched:
        # Few inputs have a kink that near: there it pays to follow every layer's error by its own Jacobians.
        doubtful = torch.nonzero(torch.stack(forward.unknown).amax(0)).flatten()
        if len(doubtful):
            for group, better in zip(forward, _by_jacobians(at.rows(doubtful)), strict=True):
                for whole, part in zip(group, better, strict=True):
                    whole[doubtful] = torch.minimum(whole[doubtful], part)
    return forward


def _by_norms(at: _Point) -> _Forward:
    """Errors carried from layer to layer by ‖W̃_l‖₂."""
    found = _Forward([], [], [], [])
    e_h = torch.zeros_like(at.product[0])
    for k, phi in enumerate(at.net.activations):
        e_z = at.norms[k] * e_h + at.product[k]
        unknown = phi.slope_variation(at.pre[k], e_z.unsqueeze(-1)).amax(-1)
        added = phi.beta * at.product[k] + at.evaluation[k] + unknown * e_z
        e_h = phi.beta * e_z + at.evaluation[k]
        for group, value in zip(found, (e_z, e_h, added, unknown), strict=True):
            group.append(value)
    return found


def _by_jacobians(at: _Point) -> _Forward:
    """The same, what each layer adds carried on by ∂h_l/∂h_j with the slopes as computed: L²/2 matrices an input."""
    found = _Forward([], [], [], [])
    carried: list[tuple[Tensor, Tensor]] = []  # ∂h_l/∂h_j for j < l, and a bound on its rounding error
    for k, (w, phi) in enumerate(zip(at.weights, at.net.activations, strict=True)):
        onward = []
        e_z = at.product[k]
        for (j, off), added in zip(carried, found.added, strict=True):
            size = torch.linalg.matrix_norm(j)
            off = at.norms[k] * (off + (w.shape[-1] + phi.ulps + 4) * UNIT * math.sqrt(w.shape[-2]) * size)
            j = w @ j
            e_z = e_z + (torch.linalg.matrix_norm(j) * (1 + PADDING) + off) * added
            onward.append((j * phi.slope(at.pre[k]).unsqueeze(-1), phi.beta * off))
        unknown = phi.slope_variation(at.pre[k], e_z.unsqueeze(-1)).amax(-1)
        added = phi.beta * at.product[k] + at.evaluation[k] + unknown * e_z
        for group, value in zip(found, (e_z, phi.beta * e_z + at.evaluation[k], added, unknown), strict=True):
            group.append(value)
        identity = torch.eye(len(w), dtype=w.dtype, device=w.device).expand(len(e_z), -1, -1)
        carried = [*onward, (identity, torch.zeros_like(e_z))]
    return found


def _jacobian_norms(at: _Point) -> list[Tensor]:
    """Upper bounds on ‖∂f/∂h_l‖ with the slopes as computed, l = 1 … L, for each input."""
    net, z = at.net, at.pre
    j = torch.eye(net.widths[-1], dtype=z[-1].dtype, device=z[-1].device).expand(*z[-1].shape[:-1], -1, -1)
    size, off = torch.linalg.matrix_norm(j), torch.zeros_like(z[-1][..., 0])
    found = [size]
    for layer in range(net.depth - 1, 0, -1):
        phi, w = net.activations[layer], at.weights[layer]
        # J_{l−1} = J_l Φ'_l W_l, rounded as a product of inner length n_l.
        off = phi.beta * at.norms[layer] * (off + (w.shape[-2] + phi.ulps + 4) * UNIT * math.sqrt(w.shape[-2]) * size)
        j = (j * phi.slope(z[layer]).unsqueeze(-2)) @ w.unsqueeze(-3)
        size = torch.linalg.matrix_norm(j) * (1 + PADDING) + off
        found.insert(0, size)
    return found


def _gradient_errors(
    at: _Point, forward: _Forward, jacobians: list[Tensor], back: Tensor, e_loss: Tensor
) -> list[Tensor]:
    """Bounds on the errors of g_1 … g_L in Frobenius norm.

    Args:
        at: the point.
        forward: the errors of its states.
        jacobians: upper bounds on ‖∂f/∂h_l‖ for each input.
        back: ∂𝓛/∂f (…, N, n_L).
        e_loss: the error of its norm for each input.
    """
    e_h = [torch.zeros_like(at.product[0]), *forward.e_h]
    found: list[Tensor] = []
    # What the layers above added to the error of ∂𝓛/∂h_l; the loss's is carried by J_l.
    later = torch.zeros_like(e_loss)
    for layer in range(at.net.depth - 1, -1, -1):
        phi, w, below = at.net.activations[layer], at.weights[layer], at.hidden[layer]
        e = back * phi.slope(at.pre[layer])
        variation = phi.slope_variation(at.pre[layer], forward.e_z[layer].unsqueeze(-1)) + phi.ulps * UNIT * phi.beta
        carried = jacobians[layer] * e_loss
        later = phi.beta * later + _norms(back.abs() * variation) + variation.amax(-1) * (carried + later)
        e_e = phi.beta * carried + later
        rounded = 4 * (e.shape[-2] + 4) * UNIT * torch.linalg.matrix_norm(e.abs().mT @ below.abs())
        found.insert(0, (e_e * (_norms(below) + e_h[layer]) + _norms(e) * e_h[layer]).sum(-1) + rounded)
        product = 4 * (w.shape[-2] + 4) * UNIT * _norms(e.abs() @ w.abs())
        back, later = e @ w, at.norms[layer] * later + product
    return found


def _norms(rows: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows, dim=-1)
