"""Ascent inside a cell: restarts at extremal shapes and at noise, then near the best of this cell and of its neighbours."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from drt.sharpness.inside import Parameters, Problem, Rows, log_change, matrices

RATE = 0.05
JITTER = (0.3, 0.1, 0.02)  # of the restarts after each ascent
ASCENTS = len(JITTER) + 1
SHAPES = 5  # restarts at extremal shapes, as they are


def starts(problem: Problem, restarts: int, rng: Generator) -> Parameters:
    """Each row an extremal shape or noise: W = I or diag(1, κ, …, κ); ΔW ∝ W or diag(κ, 1, …, 1), straight or turned."""
    rows, depth, p = len(problem.kappa), problem.depth, problem.block

    def noise(*shape: int) -> Tensor:
        return torch.randn(rows, depth, *shape, dtype=torch.float64, generator=rng)

    def choose(*options: Tensor, layers: int = 1) -> Tensor:
        index = torch.randint(len(options), (rows, layers), generator=rng)
        return torch.stack(options)[index].expand(rows, depth, *options[0].shape).clone()

    eye, flat = torch.eye(p, dtype=torch.float64), torch.zeros(p + 1, dtype=torch.float64)
    first, others, top = flat.clone(), flat + math.pi / 2, torch.tensor(math.pi / 2, dtype=torch.float64)
    first[0], others[0] = top, 0
    free = {
        "w.u": choose(eye), "w.v": choose(eye), "w.s": choose(flat, others, first),
        "dw.u": choose(eye, -eye, eye.roll(1, 0), -eye.roll(1, 0), layers=depth), "dw.v": choose(eye),
        "dw.s": choose(flat, first, others), "size": choose(top),
        "before": choose(flat), "after": choose(flat + top), "sign": noise(),
    }  # fmt: skip
    place = torch.arange(rows) % restarts
    for shape in range(3):  # W = I or diag(1, κ, …) or diag(κ, 1, …), ΔW = δW
        for part in ("u", "v", "s"):
            free[f"dw.{part}"][place == shape] = free[f"w.{part}"][place == shape]
    # W = diag(1, κ, …), ΔW ∝ diag(κ, 1, …): straight; or turned, e₁ to −e₂, in the first layer.
    for shape, turn in ((3, eye), (4, -eye.roll(1, 0))):
        free["w.s"][place == shape], free["dw.s"][place == shape] = others, first
        free["dw.u"][place == shape] = eye
        free["dw.u"][place == shape, 0] = turn
    free["sign"][place < SHAPES] = 1
    # Of the others a half is jittered, a half is noise.
    kind = 1 + (place % 2)
    kind[place < SHAPES] = 0
    for name, value in free.items():
        amount = torch.tensor([0.0, 0.1, 1.0], dtype=torch.float64)[kind].reshape(-1, *[1] * (value.ndim - 1))
        free[name] = value + amount * noise(*value.shape[2:])
    return free


def climb(problem: Problem, free: Parameters, steps: int, rate: float) -> tuple[Parameters, Rows]:
    """Adam with a rate that decays to a tenth: the best parameters of each row and their log change (B,).

    Args:
        problem: B rows of cells.
        free: the parameters to start from, each with leading dimension B.
        steps: of Adam.
        rate: of the first step.
    """
    names = [n for n in free if n != "sign"]
    moving = {n: v.clone().requires_grad_(n in names) for n, v in free.items()}
    optimiser = torch.optim.Adam([moving[n] for n in names], lr=rate)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1 ** (1 / steps))
    best, highest = {n: v.clone() for n, v in free.items()}, torch.full_like(problem.kappa, -torch.inf)
    for _ in range(steps):
        value = log_change(problem, matrices(problem, moving))
        better = value.detach() > highest
        highest = torch.where(better, value.detach(), highest)
        for n in best:
            best[n][better] = moving[n].detach()[better]
        optimiser.zero_grad()
        (-torch.where(torch.isfinite(value), value, 0.0).sum()).backward()
        for n in names:
            if moving[n].grad is not None:
                moving[n].grad.nan_to_num_(0.0, 0.0, 0.0)  # type: ignore[union-attr]
        optimiser.step()
        decay.step()
    return best, highest


def search(problem: Problem, restarts: int, steps: int, rng: Generator) -> Parameters:
    """The best parameters found for each row: restarts, then restarts near the best of this row and of the others.

    Args:
        problem: a row for each cell.
        restarts: for each row.
        steps: of each ascent.
        rng: of everything random.
    """
    cells = len(problem.kappa)
    owner = torch.arange(cells).repeat_interleave(restarts)
    wide = problem.rows(owner)
    free, own = starts(wide, restarts, rng), restarts * torch.arange(cells)
    for noise in JITTER:
        found, value = climb(wide, free, steps, RATE)
        best = {n: v[value.reshape(cells, restarts).argmax(-1) + own] for n, v in found.items()}
        source = torch.where(
            torch.rand(len(owner), generator=rng) < 0.5, owner, torch.randint(cells, (len(owner),), generator=rng)
        )
        source[own] = torch.arange(cells)  # the best itself is among them, as it is
        free = {n: v[source] for n, v in best.items()}
        for n in (n for n in free if n != "sign"):
            jitter = noise * torch.randn(free[n].shape, dtype=torch.float64, generator=rng)
            jitter[own] = 0
            free[n] = free[n] + jitter
    found, value = climb(wide, free, steps, RATE / 4)
    return {n: v[value.reshape(cells, restarts).argmax(-1) + own] for n, v in found.items()}
