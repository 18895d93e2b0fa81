"""Singular values of batches of matrices, their rounding errors, and condition numbers.

`s_max`, `s_min` are the largest and smallest of the min(m, n) singular values (the thin convention); κ = s_max/s_min.
Matrices are taken as scale·A with A's entries of moderate size, so no norm overflows.
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
# Relative, of a bound on rounding errors as computed itself. Such a bound is made of sums, products and norms of numbers that
# are not negative, so nothing cancels: it is off by γ_k = ku/(1 − ku) at most, k being the longest way from an input to the
# result: the inner lengths of the products of all layers together, the entries of a norm, and p = m + n of each spectral norm
# (see `Spectrum`). For k up to 2³², more than any memory holds, γ_k < 2⁻²⁰.
PADDING = 2.0**-20
UNSCALED_UP_TO = 2.0**64  # norms from 2⁻⁶⁴ to 2⁶⁴ need no scaling: products of a few of them stay far from overflow
OWN_CALL_FROM = 32  # matrices of a layer from which putting all layers' into one batch costs more than a call each

_pool = ThreadPoolExecutor(os.cpu_count() or 1)


def power_of_two(exponent: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """2^exponent exactly, for −1022 ≤ exponent ≤ 1023; 0 below, ∞ above."""
    return ((exponent.to(torch.int64).clamp(-1023, 1024) + 1023) << 52).view(torch.float64)


def times_power_of_two(x: Float[Tensor, "..."], exponent: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """x·2^exponent, exact unless it overflows or underflows; beyond 2^±2044, ∞ (0·∞ = NaN) or 0."""
    if not exponent.any():
        return x.expand(np.broadcast_shapes(x.shape, exponent.shape))
    half = torch.div(exponent, 2, rounding_mode="floor")
    return x * power_of_two(half) * power_of_two(exponent - half)


def is_finite(x: Tensor) -> bool:
    """Whether all entries are."""
    # A sum is ten times cheaper than a look at every entry; it may overflow where no entry does.
    return bool(torch.isfinite(x.sum())) or bool(torch.isfinite(x).all())


def exponent_of(x: Float[Tensor, "..."], dims: int) -> Int[Tensor, "..."]:
    """The e with 2^(e−1) ≤ max|x| < 2^e over the last `dims` dimensions; 0 for a zero x, and for x of moderate size."""
    flat = x.detach().flatten(-dims)
    size = torch.linalg.vector_norm(flat, dim=-1)
    moderate = (size > 1 / UNSCALED_UP_TO) & (size < UNSCALED_UP_TO)
    if moderate.all():
        return torch.zeros_like(size, dtype=torch.int64)
    return torch.where(moderate, 0, torch.frexp(flat.abs().amax(-1)).exponent.to(torch.int64))


def norm(x: Float[Tensor, "... n"], dims: int = 1) -> Float[Tensor, "..."]:
    """The Euclidean (Frobenius) norm over the last `dims` dimensions; no square overflows or underflows."""
    plain = torch.linalg.vector_norm(x.flatten(-dims), dim=-1)
    if bool(((plain > 1e-140) & (plain < 1e140)).all()):
        return plain
    exponent = exponent_of(x, dims)
    scaled = times_power_of_two(x, -exponent[(..., *[None] * dims)])
    return times_power_of_two(torch.linalg.vector_norm(scaled.flatten(-dims), dim=-1), exponent)


def gamma(k: int) -> float:
    """γ_k = ku/(1 − ku), which bounds the relative error of k roundings one after another."""
    return k * UNIT / (1 - k * UNIT)


def norm_rounding(entries: int) -> float:
    """A bound on the relative rounding error of a Frobenius norm of k entries, and of two operations after it: (k + 8)u.

    Squares are rounded once and added in k − 1 steps, all of one sign: relative error at most γ_k, of which the root leaves
    half and adds one rounding. (k/2 + 2)u covers that, 2u the operations after it, and the rest what is of second order.
    """
    return (entries + 8) * UNIT


def singular_values(matrices: Sequence[Float[Tensor, "... _ _"]]) -> list[Float[Tensor, "... _"]]:
    """All singular values of every matrix, largest first, spread over the cores; small batches of one shape in one call.

    Differentiable where the matrices require gradients.
    """
    groups = defaultdict(list)
    for i, matrix in enumerate(matrices):
        rows, columns = matrix.shape[-2:]
        groups[max(rows, columns), min(rows, columns)].append(i)
    result: list[Tensor] = [torch.empty(0)] * len(matrices)
    for tall in groups.values():
        flat = [matrices[i] if matrices[i].shape[-2] >= matrices[i].shape[-1] else matrices[i].mT for i in tall]
        stacks = [m.reshape(-1, *m.shape[-2:]) for m in flat]
        sizes = [len(stack) for stack in stacks]
        if min(sizes) < OWN_CALL_FROM:
            stacks = [torch.cat(stacks)]
        for i, values in zip(tall, _svdvals(stacks).split(sizes), strict=True):
            result[i] = values.reshape(*matrices[i].shape[:-2], -1)
    return result


def _svdvals(stacks: list[Float[Tensor, "_ m n"]]) -> Float[Tensor, "batch r"]:
    workers = torch.get_num_threads()
    if workers == 1 or stacks[0].requires_grad or stacks[0].is_cuda:
        return torch.cat([_svdvals_of_one(stack) for stack in stacks])
    # LAPACK takes one matrix at a time on one core: give each core its share (torch releases the interpreter lock).
    shares = [share for stack in stacks for share in stack.chunk(workers)]
    return torch.cat(list(_pool.map(_svdvals_of_one, shares)))


def _svdvals_of_one(stack: Float[Tensor, "batch m n"]) -> Float[Tensor, "batch r"]:
    if is_finite(stack):
        return torch.linalg.svdvals(stack)
    # LAPACK refuses such a matrix, and the whole batch with it.
    finite = torch.isfinite(stack).flatten(1).all(-1)
    return torch.where(finite[:, None], torch.linalg.svdvals(torch.where(finite[:, None, None], stack, 0.0)), torch.inf)


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

    def upper_ends(self, k: int) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
        """Upper ends of ‖·‖₂ and ‖·‖_F of layer k's scaled matrix, k from 0."""
        return self.s_max[..., k] * (1 + self.error[k]), self.frobenius[..., k] * (1 + PADDING)

    def log_norm(self) -> Float[Tensor, "... L"]:
        """The logarithms of ‖·‖₂, at true scale."""
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
    """The spectrum of layers' matrices.

    Args:
        matrices: one a layer, (…, m, n), scaled to entries of moderate size.
        values: their min(m, n) singular values, (…, min(m, n)), in any order.
        log_scales: the natural logarithm of what each was divided by, (…,).
    """
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
