"""Singular values of batches of matrices, their rounding errors, and condition numbers.

`s_max`, `s_min` are the largest and smallest of the min(m, n) singular values (the thin convention); κ = s_max/s_min.
Matrices are taken as scale·A with A's entries below 1, so no norm overflows.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

UNIT = 2.0**-53  # unit roundoff of float64

_pool = ThreadPoolExecutor(os.cpu_count() or 1)


def power_of_two(exponent: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """2^exponent exactly, for −1022 ≤ exponent ≤ 1023; 0 below, ∞ above."""
    return ((exponent.to(torch.int64).clamp(-1023, 1024) + 1023) << 52).view(torch.float64)


def times_power_of_two(x: Float[Tensor, "..."], exponent: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """x·2^exponent, exact unless it overflows or underflows; beyond 2^±2044, ∞ (0·∞ = NaN) or 0."""
    half = torch.div(exponent, 2, rounding_mode="floor")
    return x * power_of_two(half) * power_of_two(exponent - half)


def exponent_of(x: Float[Tensor, "..."], dims: int) -> Int[Tensor, "..."]:
    """E with 2^(e−1) ≤ max|x| < 2^e over the last `dims` dimensions; 0 where x is zero."""
    return torch.frexp(x.detach().abs().flatten(-dims).amax(-1)).exponent.to(torch.int64)


def norm(x: Float[Tensor, "... n"], dims: int = 1) -> Float[Tensor, "..."]:
    """The Euclidean (Frobenius) norm over the last `dims` dimensions; no square overflows or underflows."""
    plain = torch.linalg.vector_norm(x.flatten(-dims), dim=-1)
    if bool(((plain > 1e-140) & (plain < 1e140)).all()):
        return plain
    exponent = exponent_of(x, dims)
    scaled = times_power_of_two(x, -exponent[(..., *[None] * dims)])
    return times_power_of_two(torch.linalg.vector_norm(scaled.flatten(-dims), dim=-1), exponent)


def singular_values(matrices: Sequence[Float[Tensor, "... _ _"]]) -> list[Float[Tensor, "... _"]]:
    """All singular values of every matrix, largest first; one batched call per shape, spread over the cores.

    Differentiable where the matrices require gradients.
    """
    groups = defaultdict(list)
    for i, matrix in enumerate(matrices):
        rows, columns = matrix.shape[-2:]
        groups[max(rows, columns), min(rows, columns)].append(i)
    result: list[Tensor] = [torch.empty(0)] * len(matrices)
    for tall in groups.values():
        flat = [matrices[i] if matrices[i].shape[-2] >= matrices[i].shape[-1] else matrices[i].mT for i in tall]
        stacked = torch.cat([m.reshape(-1, *m.shape[-2:]) for m in flat])
        sizes = [m.shape[:-2].numel() for m in flat]
        for i, values in zip(tall, _svdvals(stacked).split(sizes), strict=True):
            result[i] = values.reshape(*matrices[i].shape[:-2], -1)
    return result


def _svdvals(stacked: Float[Tensor, "batch m n"]) -> Float[Tensor, "batch r"]:
    finite = torch.isfinite(stacked).flatten(1).all(-1)
    if not finite.all():  # LAPACK refuses such a matrix, and the whole batch with it
        values = _svdvals(torch.where(finite[:, None, None], stacked, 0.0))
        return torch.where(finite[:, None], values, torch.inf)
    workers = torch.get_num_threads()
    if stacked.requires_grad or stacked.is_cuda or workers == 1 or len(stacked) < workers:
        return torch.linalg.svdvals(stacked)
    # LAPACK takes one matrix at a time on one core: give each core its share (torch releases the interpreter lock).
    return torch.cat(list(_pool.map(torch.linalg.svdvals, stacked.chunk(workers))))


@dataclass(frozen=True)
class Spectrum:
    """The extreme singular values of the layers' matrices, one column a layer.

    log_scale: natural logarithm of the power of two taken out of each matrix. s_max, s_min, frobenius: of what is left.
    error: a bound on |computed − true| for s_max and s_min, relative to s_max: p·u with p = m + n, the modestly growing
    factor of LAPACK's backward error (Users' Guide, section 4.9.1: p(m, n)·ε·‖A‖₂).
    zero: the matrices that are zero.
    """

    s_max: Float[Tensor, "... L"]
    s_min: Float[Tensor, "... L"]
    frobenius: Float[Tensor, "... L"]
    log_scale: Float[Tensor, "... L"]
    error: Float[Tensor, " L"]
    zero: Tensor

    def log_norm(self) -> Float[Tensor, "... L"]:
        """Log ‖·‖₂."""
        return torch.log(self.s_max) + self.log_scale

    def kappa(self, side: int = 0, of_zero: float = torch.inf) -> Float[Tensor, "... L"]:
        """κ = s_max/s_min; ∞ where s_min is zero to working precision. A zero ΔW_l asks nothing: `of_zero` is then 1.

        side = +1 or −1 gives the upper or lower end of what the rounding errors allow.
        """
        slack = self.error * self.s_max
        deficient = self.s_min <= slack
        low = torch.where(deficient, torch.ones_like(self.s_min), self.s_min - side * slack)
        kappa = torch.where(deficient, torch.inf, (self.s_max + side * slack) / low)
        return torch.where(self.zero, of_zero, kappa)


def spectrum(
    matrices: Sequence[Float[Tensor, "... _ _"]],
    values: Sequence[Float[Tensor, "... _"]],
    log_scales: Sequence[Float[Tensor, "..."]],
) -> Spectrum:
    """Collect layers' matrices (scaled), their singular values and the logarithms of the scales taken out."""
    batch = np.broadcast_shapes(*{*(m.shape[:-2] for m in matrices), *(v.shape[:-1] for v in values)})

    def stack(columns: Sequence[Tensor]) -> Tensor:
        return torch.stack([c.expand(batch) for c in columns], -1)

    s_max = stack([v.amax(-1) for v in values])
    return Spectrum(
        s_max,
        stack([v.amin(-1) for v in values]),
        stack([norm(m, 2) for m in matrices]),
        stack(log_scales),
        torch.tensor([sum(m.shape[-2:]) * UNIT for m in matrices], dtype=torch.float64, device=s_max.device),
        s_max == 0,
    )
