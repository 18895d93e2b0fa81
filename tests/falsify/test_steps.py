"""The attack on steps of optimisers: every angle and size, violations certified of the very numbers that were left."""

import random

import pytest
import torch

import drt
from drt.falsify.steps import ANGLES, BATCH, STEPS, RealSteps, Violation, sample_steps
from drt.optimisers.optim import Fromage
from drt.optimisers.steps import measure_steps
from drt.theory.verdict import Verdicts

CLAIM = drt.claims["fromage.relative-size"]


def sampled(angle, seed=0):
    return sample_steps(random.Random(seed), torch.Generator().manual_seed(seed), (angle,))


@pytest.mark.parametrize(
    ("angle", "low", "high"),
    [
        ("orthogonal", -1e-6, 1e-6),
        ("parallel", 1 - 1e-6, 1.0),
        ("opposite", -1.0, -1 + 1e-6),
        ("nearly opposite", -1.0, -0.5),
    ],
)
def test_angles_are_those_asked_for(angle, low, high):
    for seed in range(5):
        cosine = sampled(angle, seed).cosine
        assert cosine.shape == (STEPS, BATCH)
        assert ((cosine >= low) & (cosine <= high)).all()


def test_learning_rates_are_spread_over_seven_decades():
    eta = torch.cat([sampled("random", seed).eta.flatten() for seed in range(8)])
    assert eta.min() < 1e-5
    assert eta.max() > 1
    assert ((eta >= 1e-6) & (eta <= 10)).all()


def test_both_precisions_and_many_shapes_are_tried():
    found = [sampled("random", seed) for seed in range(20)]
    assert {s.unit for s in found} == {2.0**-24, 2.0**-53}
    assert len({tuple(s.weight.shape[-2:]) for s in found}) >= 4


def test_the_real_optimisers_survive_with_a_ratio_of_at_most_one():
    found = RealSteps().run(CLAIM, 0)
    assert found.finds == ()
    assert -1 < found.log_ratio <= 0 or found.log_ratio < 0
    assert found.instances == 4 * STEPS * BATCH


def test_a_wrong_optimiser_s_step_is_certified():
    class Doubled(Fromage):
        @torch.no_grad()
        def step(self, closure=None):
            before = [p.clone() for group in self.param_groups for p in group["params"]]
            super().step()
            for p, b in zip((p for group in self.param_groups for p in group["params"]), before, strict=True):
                p.add_(p - b)

    rng = torch.Generator().manual_seed(0)
    w, g = torch.randn(2, 1, 1, 3, 2, generator=rng, dtype=torch.float64)
    make = lambda params, etas: Doubled([{"params": [p], "lr": e} for p, e in zip(params, etas, strict=True)])  # noqa: E731
    steps = measure_steps(w, g, torch.tensor([0.1], dtype=torch.float64), fromage=make)
    verdicts = Verdicts(CLAIM, steps)
    assert verdicts.count("violated") == 1
    find = Violation(float(verdicts.log_ratio[0, 0]), steps, (0, 0), 0)
    certificate, witness = find.certify(CLAIM, None)
    assert certificate.answer == "violated"
    assert witness is None
    assert set(ANGLES) >= {"random", "orthogonal"}
