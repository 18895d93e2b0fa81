"""What Fromage's iterates do near a minimum W* ≠ 0, where a step still has relative size η: they hover around it.

Teacher and student, so that the least loss is 0 and known: 𝓛 = ½·mean ‖f(x) − f*(x)‖², all inputs in every gradient.

    linear     f(x) = Wx
    network    f(x) = W₂φ(W₁x), φ a leaky ReLU of slope 0.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor
from torch.nn.functional import leaky_relu

from drt.errors import InputError
from drt.optimisers.optim import Fromage

PROBLEMS = {"linear": 1, "network": 2}  # layers
WIDTH, INPUTS, START_DISTANCE = 8, 32, 0.3  # of the start from W*, relative


@dataclass(frozen=True)
class Stay:
    """Runs of Fromage, E learning rates and S seeds.

    losses (T, E, S)     before every step
    moves (E, S)         the least ‖W⁺ − W‖/‖W‖ of any layer over the second half of the steps
    """

    etas: tuple[float, ...]
    losses: Float[Tensor, "T E S"]
    moves: Float[Tensor, "E S"]

    @property
    def stationary(self) -> Float[Tensor, "E S"]:
        """The mean loss over the second half of the steps: it may alternate between two values."""
        return self.losses[len(self.losses) // 2 :].mean(0)


def stay(problem: str, etas: Sequence[float], seeds: int, steps: int, decay: float = 1.0) -> Stay:
    """Fromage with η·decay^t, from START_DISTANCE away from the minimum.

    Args:
        problem: linear or network.
        etas: η.
        seeds: how many teachers, inputs and starts.
        steps: how many.
        decay: 1 for constant η.

    Raises:
        InputError: an unknown problem.
    """
    if problem not in PROBLEMS:
        raise InputError(f"problem={problem!r} must be one of {', '.join(PROBLEMS)}")
    rng = torch.Generator().manual_seed(0)
    depth, count = PROBLEMS[problem], len(etas)

    def gaussian(*shape: int) -> Tensor:
        return torch.randn(seeds, *shape, generator=rng, dtype=torch.float64).repeat(count, 1, 1)

    x = gaussian(INPUTS, WIDTH)
    teachers, noises = ([gaussian(WIDTH, WIDTH) for _ in range(depth)] for _ in range(2))
    y = _forward(teachers, x)
    # Every η has the same teachers and starts; row e·S + s of a stack is a parameter of its own.
    stacks = [w + START_DISTANCE * n * _norm(w) / _norm(n) for w, n in zip(teachers, noises, strict=True)]
    params = [[torch.nn.Parameter(w) for w in stack] for stack in stacks]
    groups = [
        {"params": [p for layer in params for p in layer[e * seeds : (e + 1) * seeds]], "lr": eta}
        for e, eta in enumerate(etas)
    ]
    optimiser = Fromage(groups)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, decay)
    losses, moves = [], torch.full((count * seeds,), torch.inf, dtype=torch.float64)
    for step in range(steps):
        leaves = [stack.detach().clone().requires_grad_() for stack in stacks]
        loss = ((_forward(leaves, x) - y) ** 2).sum(-1).mean(-1) / 2
        for layer, gradients in zip(params, torch.autograd.grad(loss.sum(), leaves), strict=True):
            for p, g in zip(layer, gradients, strict=True):
                p.grad = g
        optimiser.step()
        schedule.step()
        losses.append(loss.detach().reshape(count, seeds))
        if step >= steps // 2:
            for before, after in zip(leaves, stacks, strict=True):
                moved = _norm(after - before.detach()) / _norm(before.detach())
                moves = torch.minimum(moves, moved.flatten())
    return Stay(tuple(etas), torch.stack(losses), moves.reshape(count, seeds))


def _forward(weights: Sequence[Tensor], x: Tensor) -> Tensor:
    for w in weights[:-1]:
        x = leaky_relu(x @ w.mT, 0.1)
    return x @ weights[-1].mT


def _norm(w: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(w, keepdim=True)


def slope(etas: Sequence[float], losses: Float[Tensor, "E S"]) -> tuple[float, float, float]:
    """The slope of log loss against log η, least squares for each seed: mean and 95 % interval (Student's t) over seeds."""
    x = torch.tensor(etas, dtype=torch.float64).log()
    x = x - x.mean()
    slopes = (x[:, None] * losses.log()).sum(0) / (x**2).sum()
    mean, seeds = float(slopes.mean()), len(slopes)
    half = float(stats.t.ppf(0.975, seeds - 1)) * float(slopes.std()) / seeds**0.5 if seeds > 1 else float("nan")
    return mean, mean - half, mean + half
