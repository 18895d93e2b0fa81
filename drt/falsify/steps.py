"""The attack on claims about steps of optimisers: angles and learning rates out to where the formulas degenerate."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import torch

from drt.errors import InputError
from drt.exact.certify import Certificate, certify_step
from drt.falsify.engine import FIND_BITS, Engine, Find, Found, Source
from drt.falsify.space import Space
from drt.measurement.measured import Measured
from drt.optimisers.steps import Steps, measure_steps
from drt.theory.base import Claim
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness

BATCH, STEPS = 24, 2  # the second step shows what an optimiser keeps of the first
SAMPLES_PER_UNIT = 4
HANDED_BACK = 3  # violations, of a sample
ANGLES = ("random", "orthogonal", "parallel", "opposite", "nearly opposite")


def sample_steps(
    dice: random.Random, rng: torch.Generator, angles: tuple[str, ...] = ("random", "orthogonal")
) -> Steps:
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


@dataclass(frozen=True)
class Violation(Find):
    """A step above the bound by more than rounding explains, one of many; certified of the numbers that the optimiser left."""

    score: float
    steps: Steps
    index: tuple[int, int]
    sample: int
    exceeds = violates = exact = True
    numbers = 0

    @property
    def kind(self) -> Hashable:
        return self.sample, self.index

    @property
    def log_ratio(self) -> float:
        return self.score

    def certify(self, claim: Claim, source: Source) -> tuple[Certificate, None]:
        return certify_step(claim, self.steps, self.index, FIND_BITS), None


class RealSteps(Engine):
    """Claims about the steps of real optimisers, which are run."""

    def most_units(self, claim: Claim) -> float:
        return 4

    def probes(self, claim: Claim) -> tuple[Callable[[], Measured], Callable[[int], Witness]]:
        raise InputError(f"claim {claim.id!r}: no user's bound may be about the {claim.quantity}")

    def openings(self, claim: Claim, space: Space, seed: int) -> Iterator[tuple[Found, bool]]:
        """None that are better than any other step: a unit."""
        yield self.run(claim, seed), True

    def plan(
        self, claim: Claim, space: Space, finds: Sequence[Find], dice: random.Random, first: int, count: int
    ) -> list[int]:
        """Seeds."""
        return [dice.getrandbits(62) for _ in range(count)]

    def run(self, claim: Claim, unit: int) -> Found:
        dice, rng = random.Random(unit), torch.Generator().manual_seed(unit)
        largest, instances = -math.inf, 0
        finds: list[Find] = []
        for sample in range(SAMPLES_PER_UNIT):
            steps = sample_steps(dice, rng, ANGLES)
            verdicts = Verdicts(claim, steps)
            ratios = verdicts.log_ratio.nan_to_num(-math.inf, math.inf, -math.inf)
            # An excess within the rounding bound is none.
            violated = verdicts.where(Outcome.VIOLATED)
            ratios = torch.where(violated, ratios, ratios.clamp(max=0.0))
            largest, instances = max(largest, float(ratios.max())), instances + len(verdicts)
            for t, b in torch.nonzero(violated).tolist()[:HANDED_BACK]:
                finds.append(Violation(float(ratios[t, b]), steps, (t, b), sample))
        return Found(tuple(finds), instances, largest)

    def measure(self, claim: Claim, witness: Witness) -> Measured:
        raise InputError(f"a step of an optimiser has no witness, expected none for claim {claim.id!r}")

    def inside(self, claim: Claim, space: Space, m: Measured) -> bool:
        raise InputError(f"a step of an optimiser is in no space of networks, expected none for claim {claim.id!r}")
