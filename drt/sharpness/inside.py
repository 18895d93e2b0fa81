"""Networks inside a cell: κ(W_l) ≤ k, κ(ΔW_l) ≤ k, δ_l ≤ d hold by construction, so that only the change is left to maximise.

    W_l = U diag(k^{sin² t}) Vᵀ,   ΔW_l of the same form, scaled to the relative size d·sin² u

U and V are the orthonormal factors of free p × p matrices, p ≤ 4; further units are copies of one singular value, which is
all that width adds (through Frobenius norms). α = 1, β = r.

Function. Units are rotated and layers scaled so that the signal is h_l = e₁ throughout. φ has slopes r, 1, r with kinks at
0 and 1: then f gets slope α, and its change slope β wherever it points outward (above e₁, or below 0 elsewhere).

Jacobian. The slopes of f and f̃ are free in [1, r]: some φ with kinks between the pre-activations has them.

κ(W̃_l) ≤ k is asked by a penalty, where the claim asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.quantity import FUNCTION, JACOBIAN, Quantity

FREE = 1e12  # condition number of a matrix on which there is no condition
PENALTY = 20.0  # per unit of log κ(W̃_l) beyond log k: more than any change gains from it
Rows = Float[Tensor, " B"]
Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Problem:
    """Rows of cells with one architecture. kappa_dw, kappa_wt: whether they are limited; size: "delta" or "rho"."""

    quantity: Quantity
    depth: int
    width: int
    kappa: Rows
    ratio: Rows
    delta: Rows
    kappa_dw: bool
    kappa_wt: bool
    size: str

    @property
    def block(self) -> int:
        """Units that mix."""
        return min(self.width, INSIDE[self.quantity].mixing)

    def rows(self, index: Tensor) -> Problem:
        """The problem of these rows."""
        kappa, ratio, delta = (v[index] for v in (self.kappa, self.ratio, self.delta))
        return Problem(
            self.quantity, self.depth, self.width, kappa, ratio, delta, self.kappa_dw, self.kappa_wt, self.size
        )


@dataclass(frozen=True)
class Matrices:
    """Matrices (B, L, p, p) with the value (B, L) of their copies; slopes (B, L, p + 1) of f and f̃, for Jacobians."""

    w: Tensor
    w_rest: Tensor
    dw: Tensor
    dw_rest: Tensor
    slopes: Tensor
    slopes_after: Tensor


def _orthonormal(free: Tensor) -> Tensor:
    q, r = torch.linalg.qr(free)
    return q * torch.sign(r.diagonal(dim1=-2, dim2=-1)).unsqueeze(-2)


def matrices(problem: Problem, free: Parameters) -> Matrices:
    """The matrices that free parameters stand for."""
    p, copies = problem.block, problem.width - problem.block

    def matrix(name: str, kappa: Tensor) -> tuple[Tensor, Tensor]:
        values = torch.exp(kappa.log()[:, None, None] * torch.sin(free[f"{name}.s"]) ** 2)
        u, v = _orthonormal(free[f"{name}.u"]), _orthonormal(free[f"{name}.v"])
        return (u * values[..., None, :p]) @ v.mT, values[..., p]

    def size(block: Tensor, rest: Tensor) -> Tensor:
        if problem.size == "rho":
            largest = torch.linalg.matrix_norm(block, 2)
            return torch.maximum(largest, rest.abs()) if copies else largest
        return ((block**2).sum((-2, -1)) + copies * rest**2).sqrt()

    w, w_rest = matrix("w", problem.kappa)
    dw, dw_rest = matrix("dw", problem.kappa if problem.kappa_dw else torch.full_like(problem.kappa, FREE))
    dw_rest = dw_rest * torch.where(free["sign"] < 0, -1.0, 1.0)
    w, w_rest = INSIDE[problem.quantity].prepare(w, w_rest)
    scale = problem.delta[:, None] * torch.sin(free["size"]) ** 2 * size(w, w_rest) / size(dw, dw_rest)
    slopes = [torch.exp(problem.ratio.log()[:, None, None] * torch.sin(free[n]) ** 2) for n in ("before", "after")]
    return Matrices(w, w_rest, dw * scale[..., None, None], dw_rest * scale, slopes[0], slopes[1])


def _unprepared(w: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    return w, rest


def _with_signal(w: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled and reflected so that w e₁ = e₁."""
    norm = w[..., 0].norm(dim=-1)
    return _signal_to_first(w / norm[..., None, None]), rest / norm


def _signal_to_first(w: Tensor) -> Tensor:
    """Reflected so that w e₁ = e₁, where it has norm 1."""
    first = torch.zeros_like(w[..., 0])
    first[..., 0] = 1
    mirror = w[..., 0] - first
    square = (mirror**2).sum(-1)[..., None, None]
    reflected = w - 2 * mirror[..., :, None] * (mirror[..., None, :] @ w) / square.clamp(min=1e-30)
    rest = torch.where(square > 1e-30, reflected, w)[..., 1:]
    return torch.cat([first[..., None], rest], -1)


def log_change(problem: Problem, at: Matrices) -> Rows:
    """Log of the relative change, less the penalty."""
    change = INSIDE[problem.quantity].change(problem, at)
    result = change.clamp(min=1e-300).log()
    if not problem.kappa_wt:
        return result
    s = torch.linalg.svdvals(at.w + at.dw)
    largest, smallest = s[..., 0], s[..., -1]
    if problem.width > problem.block:
        rest = (at.w_rest + at.dw_rest).abs()
        largest, smallest = torch.maximum(largest, rest), torch.minimum(smallest, rest)
    excess = (largest / smallest.clamp(min=1e-300)).log() - problem.kappa.log()[:, None]
    return result - PENALTY * excess.clamp(min=0).sum(-1)


def _function(problem: Problem, at: Matrices) -> Rows:
    ratio = problem.ratio[:, None]
    change = torch.zeros_like(at.w[:, 0, :, 0])
    for k in range(problem.depth):
        dz = ((at.w[:, k] + at.dw[:, k]) @ change[..., None])[..., 0] + at.dw[:, k, :, 0]
        # The piece of [z, z + dz] inside (0, 1) has slope 1: z is 1 for the first unit and 0 for the others.
        inner = torch.cat([dz[:, :1].clamp(-1, 0), dz[:, 1:].clamp(0, 1)], -1)
        change = ratio * dz + (1 - ratio) * inner
    return change.norm(dim=-1)


def _jacobian(problem: Problem, at: Matrices) -> Rows:
    p, copies = problem.block, problem.width - problem.block
    j = torch.eye(p, dtype=torch.float64).expand(len(problem.kappa), p, p)
    dj, rest, drest = torch.zeros_like(j), torch.ones_like(problem.kappa), torch.zeros_like(problem.kappa)
    for k in range(problem.depth):
        before, after = at.slopes[:, k], at.slopes_after[:, k]
        w, dw, one, done = at.w[:, k], at.dw[:, k], at.w_rest[:, k], at.dw_rest[:, k]
        step = after[:, :p, None] * dw + (after - before)[:, :p, None] * w
        dj = after[:, :p, None] * (w + dw) @ dj + step @ j
        j = before[:, :p, None] * w @ j
        drest = after[:, p] * (one + done) * drest + (after[:, p] * done + (after - before)[:, p] * one) * rest
        rest = before[:, p] * one * rest
    return (((dj**2).sum((-2, -1)) + copies * drest**2) / ((j**2).sum((-2, -1)) + copies * rest**2)).sqrt()


@dataclass(frozen=True)
class Inside:
    """What the search does for one quantity.

    mixing: units that mix, at most. prepare: what is done to the W_l and their copies first. change: the relative change (B,).
    """

    mixing: int
    prepare: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    change: Callable[[Problem, Matrices], Rows]


INSIDE: dict[Quantity, Inside] = {
    FUNCTION: Inside(3, _with_signal, _function),
    JACOBIAN: Inside(4, _unprepared, _jacobian),
}
