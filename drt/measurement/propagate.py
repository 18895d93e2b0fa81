"""How the difference of two networks travels: f̃ − f and J̃_l − J_l, propagated and never subtracted.

    Δz_l = W̃_l Δh_{l−1} + ΔW_l h_{l−1} + Δb_l,        Δh_l = φ(z_l + Δz_l) − φ(z_l)
    ΔJ_{l−1} = ΔJ_l Φ̃'_l W̃_l + J_l Φ̃'_l ΔW_l + J_l (Φ̃'_l − Φ'_l) W_l

Every matrix and every state is kept as (entries of moderate size)·2^e with its own e, so that neither weights of 1e±100 nor 64
layers overflow; where φ is not homogeneous its argument is brought to true scale first. Norms are logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from drt.network.network import Network, apply
from drt.numeric.numbers import LOG2
from drt.numeric.spectra import exponent_of, norm, times_power_of_two

# Below this a number, in its own scale, may have lost digits to underflow, or lose them in its next products.
LOSES_DIGITS_BELOW = 1e-150


def log_norm(x: Float[Tensor, "... n"], dims: int = 1) -> Float[Tensor, "..."]:
    """The logarithm of ‖x‖ over the last `dims` dimensions; −∞ for zero."""
    return torch.log(norm(x, dims))


@dataclass(frozen=True)
class ScaledLayer:
    """W_l, ΔW_l and W̃_l divided by 2^exponent, so that W_l's entries are of moderate size; biases stay at true scale.

    lost: whether ΔW_l is not zero, but so far below W_l that digits of it may be gone.
    """

    w: Float[Tensor, "... n m"]
    dw: Float[Tensor, "... n m"]
    wt: Float[Tensor, "... n m"]
    exponent: Int[Tensor, "..."]
    bias: Tensor | None
    dbias: Tensor | None
    lost: Bool[Tensor, "..."]


def scale_layers(net: Network, dweights: Sequence[Tensor], dbiases: Sequence[Tensor | None]) -> tuple[ScaledLayer, ...]:
    """Each layer scaled by the power of two that brings the entries of W_l to a moderate size (`exponent_of`)."""
    layers = []
    for w, dw, b, db in zip(net.weights, dweights, net.biases, dbiases, strict=True):
        e = exponent_of(w, 2)
        shift = -e[..., None, None]
        moved = norm(dw, 2) > 0
        w, dw = times_power_of_two(w, shift), times_power_of_two(dw, shift)
        lost = moved & (norm(dw, 2) < LOSES_DIGITS_BELOW)
        layers.append(ScaledLayer(w, dw, w + dw, e, b, db, lost))
    return tuple(layers)


@dataclass(frozen=True)
class Forward:
    """The forward pass. States and pre-activations of layer l at index l − 1 (h at index l), in units of 2^unit.

    log_h, log_dh: log ‖h_l‖ and log ‖Δh_l‖ for l = 0 … L, true scale, shape (…, L+1); log_dwh: log ‖ΔW_l h_{l−1}‖.
    log_change: log ‖Δh_l‖/‖h_l‖ for l = 0 … L; not the difference of the two, whose large scales would cost digits.
    lost: layers in which bringing something to scale may have lost digits to underflow.
    """

    z: tuple[Float[Tensor, "... _"], ...]
    dz: tuple[Float[Tensor, "... _"], ...]
    unit: tuple[Int[Tensor, "..."], ...]
    log_h: Float[Tensor, "... L1"]
    log_dh: Float[Tensor, "... L1"]
    log_dwh: Float[Tensor, "... L"]
    log_change: Float[Tensor, "... L1"]
    lost: tuple[Bool[Tensor, "..."], ...]


def _vanishing(x: Float[Tensor, "... n"]) -> Bool[Tensor, "..."]:
    """Not zero, but so small that further products may lose digits to underflow."""
    size = norm(x)
    return (size > 0) & (size < LOSES_DIGITS_BELOW)


def forward(net: Network, layers: Sequence[ScaledLayer], x: Float[Tensor, "... n_0"]) -> Forward:
    """Hidden states of f, and of f̃ − f, in one pass."""
    e = exponent_of(x, 1)
    h = times_power_of_two(x, -e[..., None])
    dh = torch.zeros_like(h)
    zs, dzs, units, log_dwh, losses = [], [], [], [], []
    log_h, log_dh, log_change = [log_norm(h) + e * LOG2], [log_norm(dh)], [log_norm(dh)]
    for phi, layer in zip(net.activations, layers, strict=True):
        e = e + layer.exponent
        z, dwh = apply(layer.w, h), apply(layer.dw, h)
        dz = apply(layer.wt, dh) + dwh
        log_dwh.append(log_norm(dwh) + e * LOG2)
        lost = layer.lost
        if layer.bias is not None:
            z = z + times_power_of_two(layer.bias, -e[..., None])
        if layer.dbias is not None:
            shift = times_power_of_two(layer.dbias, -e[..., None])
            dz = dz + shift
            lost = lost | _vanishing(shift) | ((shift == 0) & (layer.dbias != 0)).any(-1)
        if not phi.homogeneous:
            before, e_true = (z, dz), e[..., None]
            z, dz = (times_power_of_two(v, e_true) for v in before)
            for small, v in zip((z, dz), before, strict=True):
                lost = lost | _vanishing(small) | ((small == 0) & (v != 0)).any(-1)
            e = torch.zeros_like(e)
        e = e.expand(z.shape[:-1])
        losses.append(lost | ~torch.isfinite(z.detach() + dz.detach()).all(-1))
        zs.append(z)
        dzs.append(dz)
        units.append(e)
        h, dh = phi(z), phi.difference(z, dz)
        step = exponent_of(h, 1)
        h, dh, e = times_power_of_two(h, -step[..., None]), times_power_of_two(dh, -step[..., None]), e + step
        log_h.append(log_norm(h) + e * LOG2)
        log_dh.append(log_norm(dh) + e * LOG2)
        log_change.append(log_norm(dh) - log_norm(h))
    batch = np.broadcast_shapes(h.shape[:-1], dh.shape[:-1])  # ΔW may be a batch where W and x are not

    def stack(columns: list[Tensor]) -> Tensor:
        return torch.stack([c.expand(batch) for c in columns], -1)

    return Forward(
        tuple(zs),
        tuple(dzs),
        tuple(units),
        log_h=stack(log_h),
        log_dh=stack(log_dh),
        log_dwh=stack(log_dwh),
        log_change=stack(log_change),
        lost=tuple(losses),
    )


@dataclass(frozen=True)
class Backward:
    """The backward sweep: J_l and ΔJ_l for l = 0 … L, both divided by one power of two, the same for the two.

    J_l itself is j[l]·2^exponent[l].
    """

    j: tuple[Float[Tensor, "... n_L _"], ...]
    dj: tuple[Float[Tensor, "... n_L _"], ...]
    exponent: tuple[Int[Tensor, "..."], ...]


def backward(net: Network, layers: Sequence[ScaledLayer], states: Forward) -> Backward:
    """Every layer-to-output Jacobian and its change, in one sweep (Proposition 1)."""
    batch = states.log_h.shape[:-1]
    j = torch.eye(net.widths[-1], dtype=torch.float64, device=states.log_h.device).expand(*batch, -1, -1)
    dj = torch.zeros_like(j)
    e = torch.zeros(batch, dtype=torch.int64, device=j.device)
    js, djs, es = [j], [dj], [e]
    for phi, layer, z, dz in zip(net.activations[::-1], layers[::-1], states.z[::-1], states.dz[::-1], strict=True):
        slope = phi.slope(z).unsqueeze(-2)
        rise = phi.slope_difference(z, dz).unsqueeze(-2)
        slope_t = slope + rise
        dj = (dj * slope_t) @ layer.wt + (j * slope_t) @ layer.dw + (j * rise) @ layer.w
        j = (j * slope) @ layer.w
        step = exponent_of(j, 2)
        shift = -step[..., None, None]
        j, dj, e = times_power_of_two(j, shift), times_power_of_two(dj, shift), e + step + layer.exponent
        js.append(j)
        djs.append(dj)
        es.append(e)
    return Backward(tuple(js[::-1]), tuple(djs[::-1]), tuple(es[::-1]))
