"""Derived bounds on the rounding error of what `propagate` computes.

Norm-wise running error analysis. With u = 2⁻⁵³, γ_k = ku/(1 − ku), ε_l, η_l bounds on the errors of h_l and Δh_l, both
divided by ‖h_l‖, r_l = ‖Δh_l‖/‖h_l‖ and q_l = ‖h_{l−1}‖/‖h_l‖ (all as computed):

    E_l = q_l (‖W_l‖₂ ε_{l−1} + γ ‖W_l‖_F) + 2u ‖z_l‖/‖h_l‖                                     error of z_l
    ε_l = β_l E_l + νu β_l ‖z_l‖/‖h_l‖
    D_l = q_l (‖W̃_l‖₂ η_{l−1} + γ ‖W̃_l‖_F r_{l−1} + ‖ΔW_l‖₂ ε_{l−1} + γ ‖ΔW_l‖_F) + 2u ‖Δz_l‖/‖h_l‖   error of Δz_l
    η_l = β_l D_l + νu β_l ‖Δz_l‖/‖h_l‖ + V_l E_l

V_l bounds how much φ' varies within E_l + |Δz_l| of z_l: the error of Δh_l caused by z_l's. It is zero where no kink is
near, so that small perturbations keep their digits. The Jacobians' bounds follow the same pattern (`of_jacobians`).

Evaluating φ costs at most ν units roundoff of its value, and so do φ(z + Δz) − φ(z) of β|Δz| and φ' of β: ν = 8, and for
piecewise-linear φ two more than twice its number of pieces, if that is larger. Where digits may have been lost to
underflow, or something overflowed, the bounds are infinite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.propagate import Backward, Forward, ScaledLayer, log_norm
from drt.network.network import Network
from drt.numeric.numbers import LOG2
from drt.numeric.spectra import UNIT, Spectrum, gamma, norm


@dataclass(frozen=True)
class ErrorBounds:
    """e_z[l−1], e_dz[l−1]: bounds on the largest error of z_l and Δz_l, in their own units; relative: ε_L and η_L.

    dwh (…, L): of ‖ΔW_l h_{l−1}‖, divided by ‖h_{l−1}‖ and the scale taken out of W_l.
    """

    e_z: tuple[Float[Tensor, "..."], ...]
    e_dz: tuple[Float[Tensor, "..."], ...]
    dwh: Float[Tensor, "... L"]
    epsilon: Float[Tensor, "..."]
    eta: Float[Tensor, "..."]


def _safe(bound: Tensor) -> Tensor:
    """∞ for a bound that is no number: 0·∞, where something before was zero or overflowed."""
    return torch.nan_to_num(bound, nan=torch.inf, posinf=torch.inf)


def of_function(net: Network, states: Forward, w: Spectrum, dw: Spectrum, wt: Spectrum) -> ErrorBounds:
    """Error bounds of the forward pass.

    Args:
        net: f.
        states: its forward pass, and that of f̃ − f.
        w: the spectrum of the W_l.
        dw: that of the ΔW_l.
        wt: that of the W̃_l.
    """
    ratio = torch.exp(states.log_change)
    epsilon, eta = torch.zeros_like(ratio[..., 0]), torch.zeros_like(ratio[..., 0])
    e_z, e_dz, e_dwh = [], [], []
    for k, phi in enumerate(net.activations):
        product = gamma(net.widths[k] + 4)  # of a matrix and a vector
        (w2, wf), (dw2, dwf), (wt2, wtf) = (s.upper_ends(k) for s in (w, dw, wt))
        z, dz, unit = states.z[k], states.dz[k], states.unit[k]
        log_out = states.log_h[..., k + 1]
        # E and D in z's units, as they must be where h_l is 0: ‖h_{l−1}‖ times the scale that was taken out of the matrices
        size = torch.exp(states.log_h[..., k] + w.log_scale[..., k] - unit * LOG2)
        to_output = torch.exp(unit * LOG2 - log_out)  # from z's units to shares of ‖h_l‖
        z_norm, dz_norm = norm(z), norm(dz)
        big_e = _safe(size * (w2 * epsilon + product * wf) + 2 * UNIT * z_norm)
        e_dwh.append(dw2 * epsilon + product * dwf)
        big_d = _safe(size * (wt2 * eta + product * wtf * ratio[..., k] + e_dwh[-1]) + 2 * UNIT * dz_norm)
        e_z.append(big_e)
        e_dz.append(big_d)
        radius = e_z[-1].unsqueeze(-1) + dz.abs() + e_dz[-1].unsqueeze(-1)
        moved = (dz != 0) | (e_dz[-1] > 0).unsqueeze(-1)  # Δh is exactly 0 where Δz is
        variation = (phi.slope_variation(z, radius) * moved).amax(-1)
        own = phi.ulps * UNIT
        eta = to_output * (phi.beta * (big_d + own * dz_norm) + variation * big_e)
        epsilon = to_output * phi.beta * (big_e + own * z_norm)
        eta, epsilon = (torch.where(states.lost[k], torch.inf, _safe(v)) for v in (eta, epsilon))
    batch = epsilon.shape
    return ErrorBounds(tuple(e_z), tuple(e_dz), torch.stack([e.expand(batch) for e in e_dwh], -1), epsilon, eta)


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

    Args:
        net: f.
        layers: its layers as the passes took them, scaled.
        states: the forward pass.
        sweep: the backward sweep.
        bounds: the error bounds of `states`.
        spectra: of the W_l, ΔW_l and W̃_l.
    """
    epsilon = torch.zeros_like(bounds.epsilon)
    eta = torch.zeros_like(bounds.epsilon)
    lost = torch.stack([v.expand(epsilon.shape) for v in states.lost]).any(0)
    result = [(epsilon, eta)]
    for k in range(net.depth - 1, -1, -1):
        phi = net.activations[k]
        product = gamma(net.widths[k + 1] + 4 + phi.ulps)  # of two matrices; the slopes are rounded too
        (w2, wf), (dw2, dwf), (wt2, wtf) = (s.upper_ends(k) for s in spectra)
        z, dz = states.z[k], states.dz[k]
        e_z, e_dz = bounds.e_z[k].unsqueeze(-1), bounds.e_dz[k].unsqueeze(-1)
        v = phi.slope_variation(z, e_z)
        v_t = phi.slope_variation(z + dz, e_z + e_dz)
        d = phi.slope_difference_error(z, dz, e_z, e_dz)
        rise = (phi.slope_difference(z, dz).abs() + d).amax(-1).clamp(max=2 * phi.beta)
        j, dj = sweep.j[k + 1], sweep.dj[k + 1]
        size, change = norm(j, 2), norm(dj, 2)
        jv, jv_t, jd, djv_t = (_scaled_norm(*pair) for pair in ((j, v), (j, v_t), (j, d), (dj, v_t)))
        beta = phi.beta * (1 + 8 * UNIT)
        e_j, e_dj = epsilon * size, eta * size
        new_e = w2 * (beta * e_j + jv) + product * wf * beta * size
        new_d = wt2 * (beta * e_dj + djv_t) + dw2 * (beta * e_j + jv_t) + w2 * (rise * e_j + jd)
        new_d = new_d + product * (wtf * beta * change + dwf * beta * size + wf * rise * size)
        # j[k] was divided by 2^step after the product
        step = (sweep.exponent[k] - sweep.exponent[k + 1] - layers[k].exponent) * LOG2
        to_output = torch.exp(-step - log_norm(sweep.j[k], 2))
        epsilon, eta = new_e * to_output, new_d * to_output
        result.append((epsilon, eta))
    return [(torch.where(lost, torch.inf, e), torch.where(lost, torch.inf, d)) for e, d in result[::-1]]


def _scaled_norm(matrix: Float[Tensor, "... m n"], diagonal: Float[Tensor, "... n"]) -> Float[Tensor, "..."]:
    if not diagonal.any():
        return torch.zeros(matrix.shape[:-2], dtype=matrix.dtype, device=matrix.device)
    return norm(matrix * diagonal.unsqueeze(-2), 2)
