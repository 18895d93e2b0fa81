"""Derived bounds on the rounding error of what `propagate` computes.

Norm-wise running error analysis. With u = 2⁻⁵³, γ_k = ku/(1 − ku), ε_l, η_l bounds on the errors of h_l and Δh_l, both
divided by ‖h_l‖, r_l = ‖Δh_l‖/‖h_l‖ and q_l = ‖h_{l−1}‖/‖h_l‖ (all as computed):

    E_l = q_l (‖W_l‖₂ ε_{l−1} + γ ‖W_l‖_F) + 2u ‖z_l‖/‖h_l‖                                     error of z_l
    ε_l = β_l E_l + 8u
    D_l = q_l (‖W̃_l‖₂ η_{l−1} + γ ‖W̃_l‖_F r_{l−1} + ‖ΔW_l‖₂ ε_{l−1} + γ ‖ΔW_l‖_F) + 2u ‖Δz_l‖/‖h_l‖   error of Δz_l
    η_l = β_l D_l + 8u β_l ‖Δz_l‖/‖h_l‖ + V_l E_l

V_l bounds how much φ' varies within E_l + |Δz_l| of z_l: the error of Δh_l caused by z_l's. It is zero where no kink is
near, so that small perturbations keep their digits. The Jacobians' bounds follow the same pattern (`of_jacobians`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from drt.network import Network
from drt.numbers import LOG2
from drt.propagate import Backward, Forward, ScaledLayer, log_norm
from drt.spectra import UNIT, Spectrum

# Below this share of its scale a quantity may have lost digits to underflow: its error bound becomes infinite.
UNDERFLOW = 1e-150


@dataclass(frozen=True)
class ErrorBounds:
    """e_z[l−1], e_dz[l−1]: bounds on the largest error of z_l and Δz_l, in their own units; relative: ε_L and η_L."""

    e_z: tuple[Float[Tensor, "..."], ...]
    e_dz: tuple[Float[Tensor, "..."], ...]
    epsilon: Float[Tensor, "..."]
    eta: Float[Tensor, "..."]


def _gamma(k: int) -> float:
    return k * UNIT / (1 - k * UNIT)


def _norms(spectrum: Spectrum, k: int) -> tuple[Tensor, Tensor]:
    """Upper ends of ‖·‖₂ and ‖·‖_F of layer k's scaled matrix."""
    return spectrum.s_max[..., k] * (1 + spectrum.error[k]), spectrum.frobenius[..., k] * (1 + 1e-9)


def of_function(net: Network, states: Forward, w: Spectrum, dw: Spectrum, wt: Spectrum) -> ErrorBounds:
    """Error bounds of the forward pass."""
    ratio = torch.exp(states.log_dh - states.log_h)
    epsilon, eta = torch.zeros_like(ratio[..., 0]), torch.zeros_like(ratio[..., 0])
    e_z, e_dz = [], []
    for k, phi in enumerate(net.activations):
        gamma = _gamma(net.widths[k] + 4)
        (w2, wf), (dw2, dwf), (wt2, wtf) = (_norms(s, k) for s in (w, dw, wt))
        z, dz, unit = states.z[k], states.dz[k], states.unit[k]
        log_out = states.log_h[..., k + 1]
        # ‖h_{l−1}‖/‖h_l‖, times the scale that was taken out of the matrices
        q = torch.exp(states.log_h[..., k] - log_out + w.log_scale[..., k])
        to_output = torch.exp(unit * LOG2 - log_out)  # from z's units to shares of ‖h_l‖
        z_norm, dz_norm = (torch.linalg.vector_norm(v, dim=-1) for v in (z, dz))
        big_e = q * (w2 * epsilon + gamma * wf) + 2 * UNIT * z_norm * to_output
        big_d = q * (wt2 * eta + gamma * wtf * ratio[..., k] + dw2 * epsilon + gamma * dwf)
        big_d = big_d + 2 * UNIT * dz_norm * to_output
        e_z.append(big_e / to_output)
        e_dz.append(big_d / to_output)
        radius = e_z[-1].unsqueeze(-1) + dz.abs() + e_dz[-1].unsqueeze(-1)
        moved = (dz != 0) | (e_dz[-1] > 0).unsqueeze(-1)  # Δh is exactly 0 where Δz is
        variation = (phi.slope_variation(z, radius) * moved).amax(-1)
        eta = phi.beta * (big_d + 8 * UNIT * dz_norm * to_output) + variation * big_e
        epsilon = phi.beta * big_e + 8 * UNIT
        # Underflow: a state or a difference so far below its scale that digits may be gone.
        lost = (z_norm > 0) & (z_norm * to_output < UNDERFLOW) | (dz_norm > 0) & (dz_norm * to_output < UNDERFLOW)
        lost = lost | ((dwf > 0) & (dwf < UNDERFLOW * wf)) | ~torch.isfinite(z_norm + dz_norm)
        eta, epsilon = (torch.where(lost, torch.inf, v) for v in (eta, epsilon))
    return ErrorBounds(tuple(e_z), tuple(e_dz), epsilon, eta)


def of_jacobians(
    net: Network,
    layers: Sequence[ScaledLayer],
    states: Forward,
    sweep: Backward,
    bounds: ErrorBounds,
    spectra: tuple[Spectrum, Spectrum, Spectrum],
) -> list[tuple[Tensor, Tensor]]:
    """(ε, η) for each l = 0 … L: bounds on the errors of J_l and ΔJ_l, both divided by ‖J_l‖_F.

    v, ṽ and d bound, entry by entry, how far the computed slopes Φ', Φ̃' and their difference may be off; G stands for J_l
    times a diagonal. One step of the sweep adds ‖G‖_F times a spectral norm for each of them, and γ times Frobenius norms
    for its own products.
    """
    epsilon = torch.zeros_like(bounds.epsilon)
    eta = torch.zeros_like(bounds.epsilon)
    result = [(epsilon, eta)]
    for k in range(net.depth - 1, -1, -1):
        phi, gamma = net.activations[k], _gamma(net.widths[k + 1] + 4)
        (w2, wf), (dw2, dwf), (wt2, wtf) = (_norms(s, k) for s in spectra)
        z, dz = states.z[k], states.dz[k]
        e_z, e_dz = bounds.e_z[k].unsqueeze(-1), bounds.e_dz[k].unsqueeze(-1)
        v = phi.slope_variation(z, e_z)
        v_t = phi.slope_variation(z + dz, e_z + e_dz)
        d = phi.slope_difference_error(z, dz, e_z, e_dz)
        rise = (phi.slope_difference(z, dz).abs() + d).amax(-1).clamp(max=2 * phi.beta)
        j, dj = sweep.j[k + 1], sweep.dj[k + 1]
        size, change = (torch.linalg.matrix_norm(m) for m in (j, dj))
        jv, jv_t, jd, djv_t = (_scaled_norm(*pair) for pair in ((j, v), (j, v_t), (j, d), (dj, v_t)))
        beta = phi.beta * (1 + 8 * UNIT)
        e_j, e_dj = epsilon * size, eta * size
        new_e = w2 * (beta * e_j + jv) + gamma * wf * beta * size
        new_d = wt2 * (beta * e_dj + djv_t) + dw2 * (beta * e_j + jv_t) + w2 * (rise * e_j + jd)
        new_d = new_d + gamma * (wtf * beta * change + dwf * beta * size + wf * rise * size)
        # j[k] was divided by 2^step after the product
        step = (sweep.exponent[k] - sweep.exponent[k + 1] - layers[k].exponent) * LOG2
        to_output = torch.exp(-step - log_norm(sweep.j[k], 2))
        epsilon, eta = new_e * to_output, new_d * to_output
        result.append((epsilon, eta))
    return result[::-1]


def _scaled_norm(matrix: Float[Tensor, "... m n"], diagonal: Float[Tensor, "... n"]) -> Float[Tensor, "..."]:
    if not diagonal.any():
        return torch.zeros(matrix.shape[:-2], dtype=matrix.dtype, device=matrix.device)
    return torch.linalg.matrix_norm(matrix * diagonal.unsqueeze(-2))
