"""The attack on claims about steps of optimisers: angles and learning rates out to where the formulas degenerate."""

from __future__ import annotations

import math
import random
import time

import torch

from drt.exact.certify import certify_step
from drt.optimisers.steps import Steps, measure_steps
from drt.theory.base import Claim
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts

BATCH, STEPS = 24, 2  # the second step shows what an optimiser keeps of the first
DRAWS_PER_SECOND, MOST_DRAWS = 4, 16
TRIED = 3  # violations of a draw that are certified
ANGLES = ("random", "orthogonal", "parallel", "opposite", "nearly opposite")


def draw(dice: random.Random, rng: torch.Generator, angles: tuple[str, ...] = ("random", "orthogonal")) -> Steps:
    """Steps of the real optimisers: weights of one shape, at one kind of angle to their gradients, η from 10⁻⁶ to 10."""
    shape, angle = dice.choice(((1, 2), (2, 3), (4, 4), (16, 8), (48, 40))), dice.choice(angles)
    dtype = dice.choice((torch.float32, torch.float64))

    def gaussian() -> torch.Tensor:
        return torch.randn(STEPS, BATCH, *shape, generator=rng, dtype=torch.float64)

    weight, gradient = gaussian() * 10 ** dice.uniform(-3, 3), gaussian()
    if angle == "orthogonal":
        weight = weight.to(dtype).double()  # orthogonal to what the optimiser sees
        for _ in range(2):  # once leaves a rounding error
            share = (weight * gradient).sum((-1, -2)) / (weight**2).sum((-1, -2))
            gradient = gradient - share[..., None, None] * weight
    elif angle != "random":
        aside = 10 ** dice.uniform(-8, -1) if angle == "nearly opposite" else 0.0
        unit = weight / torch.linalg.matrix_norm(weight, keepdim=True)
        gradient = (1.0 if angle == "parallel" else -1.0) * unit + aside * gradient
    gradient = gradient * 10 ** dice.uniform(-6, 6)
    eta = 10 ** (7 * torch.rand(BATCH, generator=rng, dtype=torch.float64) - 6)
    return measure_steps(weight.to(dtype), gradient.to(dtype), eta)


def falsify_steps(claim: Claim, budget: float, seed: int) -> dict:
    """The outcome that `drt.falsify.pipeline.falsify` returns, for a claim about steps; the budget buys draws."""
    begin = time.perf_counter()
    dice, rng = random.Random(seed), torch.Generator().manual_seed(seed)
    best, instances, status = -math.inf, 0, "survived"
    for _ in range(max(1, min(MOST_DRAWS, round(budget * DRAWS_PER_SECOND)))):
        steps = draw(dice, rng, ANGLES)
        verdicts = Verdicts(claim, steps)
        instances += len(verdicts)
        ratios = verdicts.log_ratio.nan_to_num(-math.inf, math.inf, -math.inf)
        # An excess within the rounding bound is none.
        best = max(best, float(torch.where(verdicts.where(Outcome.VIOLATED), ratios, ratios.clamp(max=0.0)).max()))
        for index in torch.nonzero(verdicts.where(Outcome.VIOLATED)).tolist()[:TRIED]:
            certified = certify_step(claim, steps, tuple(index)).answer == "violated"
            status = "refuted" if certified or status == "refuted" else "unconfirmed"
    return {
        "claim": claim.id, "statement": claim.statement, "status": status, "certified": status == "refuted", "answer": None,
        "ratio": math.exp(min(best, 700.0)) if math.isfinite(best) else None,
        "log_ratio": best if math.isfinite(best) else None, "depth": None, "widths": None, "alpha": None, "beta": None,
        "kappa": None, "seconds": round(time.perf_counter() - begin, 3), "instances": instances, "witness": None,
        "script": None, "counterexample": None, "interrupted": False, "cut": False,
    }  # fmt: skip
