"""Steps of real optimisers, certified: what they did is taken exactly."""

from dataclasses import replace

import pytest
import torch
from flint import arb, ctx

from drt.exact.certify import certify_step
from drt.exact.steps import ExactSteps
from drt.exact.surds import ball
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.optimisers.steps import measure_steps
from drt.theory.registry import claims, of_steps
from drt.theory.verdict import Verdicts
from tests.instances import array

# ⟨g, W⟩ = 0 and η = ¾: ΔW = (3, −2.25), p = ⅘, W⁺ = (4.8, 1.4).
W, G = (torch.tensor(v, dtype=torch.float64).reshape(1, 1, 1, 2) for v in ([3.0, 4.0], [-8.0, 6.0]))


def test_by_hand():
    twin = ExactSteps(measure_steps(W, G, array(0.75)), (0, 0))
    with ctx.workprec(128):
        assert twin.norm_w == 5
        assert twin.norm_g == 10
        assert twin.cosine == 0
        # Exactly what the optimiser left, which is 4.8 and 1.4 to rounding only.
        assert ball(twin.kept.entries.item()).overlaps(arb(1, 1e-15))
        assert float(ball(twin.size.entries.item())) == pytest.approx((1.8**2 + 2.6**2) ** 0.5 / 5, abs=1e-15)


@pytest.mark.parametrize("claim", of_steps(), ids=lambda c: c.id)
def test_true_claims_hold_exactly_where_they_hold_in_floats(claim):
    steps = measure_steps(W, G, array(0.75))
    assert str(Verdicts(claim, steps)[0].outcome) == "holds"
    assert certify_step(claim, steps, (0, 0)).answer == "holds"


def test_a_missed_hypothesis_is_inapplicable():
    steps = measure_steps(W, W + G, array(0.75))
    certificate = certify_step(claims["fromage.norm-growth"], steps, (0, 0))
    assert (certificate.answer, certificate.reason) == ("inapplicable", "orthogonal: ⟨g, W⟩ is not 0")


def test_a_false_claim_about_steps_is_refuted_and_certified(monkeypatch):
    """η²/40 in place of η²(1+η)/2: at η = ¾ along the gradient the step is longer by 0.05."""
    halved = replace(claims["fromage.relative-size.second-order"], formula=lambda s: s.eta**2 / 40, known=None)
    assert certify_step(halved, measure_steps(W, W, array(0.75)), (0, 0)).answer == "violated"
    monkeypatch.setattr(Target, "claim", halved)
    outcome = falsify(Target(halved.id), Space(), budget=1, jobs=1)
    assert (outcome.status, outcome.certified, outcome.answer) == ("refuted", True, "violated")
    assert outcome.ratio > 1
