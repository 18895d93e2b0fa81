"""Deep and spectral relative trust: false, with certified counterexamples; where they do hold; formulas transcribed."""

import pytest
import torch

import drt
from drt.certify import certify
from drt.claims import claims
from drt.data import load_digits
from drt.descent import measure_descent
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.trained import descents
from drt.training import TrainingConfig, train
from drt.verdict import Verdicts
from tests.claims.test_lemma1 import scalar
from tests.claims.test_lemma2 import witness
from tests.test_descent import case

IDS = ("deep-relative-trust", "spectral-relative-trust")


@pytest.mark.parametrize("claim_id", IDS)
def test_the_counterexample_is_certified(claim_id):
    """w = (1, 1) → (4/5, 4/5): both gradients go from 1/10 to −26/125, changed by 308 % where 44 % are allowed."""
    certificate = certify(witness(claim_id))
    assert certificate.answer == "violated"
    assert certificate.lhs[0] == pytest.approx(3.08)
    assert certificate.rhs[1] == pytest.approx(0.44)
    outcome = falsify(Target(claim_id), Space(), 1.0)
    assert (outcome["status"], outcome["certified"]) == ("refuted", True)
    assert "max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F = " in outcome["counterexample"]


@pytest.mark.parametrize("claim_id", IDS)
def test_what_is_no_counterexample_is_not_certified(claim_id):
    """Far from its target the gradient hardly changes."""
    assert certify(witness(claim_id, y="-100")).answer == "holds"
    assert certify(witness(claim_id, y="1")).answer == "inapplicable"


@pytest.mark.parametrize("claim_id", IDS)
def test_where_it_holds_and_where_not(claim_id):
    """One weight, δ = ρ = |Δw|: the change is |Δw|/|w − y|."""
    assert drt.check(claim_id, scalar(-0.1, y=-1.0)).outcome == "holds"
    verdict = drt.check(claim_id, scalar(-0.1, y=0.5))
    assert verdict.outcome == "violated"
    assert verdict.ratio == pytest.approx(2)
    assert verdict.lhs == pytest.approx(0.2)


def test_the_formulas():
    m = measure_descent(*case(0, size=0.2))
    ws, dws = case(0, size=0.2)[0].weights, case(0, size=0.2)[1]
    for claim_id, order in zip(IDS, ("fro", 2), strict=True):
        ratios = [
            torch.linalg.matrix_norm(d, order) / torch.linalg.matrix_norm(w, order)
            for w, d in zip(ws, dws, strict=True)
        ]
        expected = torch.stack([1 + r for r in ratios]).prod(0) - 1
        torch.testing.assert_close(claims[claim_id].value(m), expected)
        torch.testing.assert_close(claims[claim_id].log_value(m), expected.log())
    torch.testing.assert_close(Verdicts(claims[IDS[0]], m).log_lhs, m.step_change.amax(-1).log())


def test_trained_networks_exceed_it():
    """Three layers on real digits, moved against their gradient: beyond deep relative trust at every size."""
    digits = load_digits()
    run = train(TrainingConfig((32, 32), steps_per_epoch=20, epochs=2, checkpoints=(0, 40)), digits)
    against = list(descents(run, digits, 0))[::2]
    assert len(against) == 6
    for m in against:
        assert (m.cosines > 0.999999).all()
        assert drt.check("deep-relative-trust", m).outcome == "violated"
        assert drt.check("lemma1", m).outcome == "holds"
