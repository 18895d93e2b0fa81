import pytest
import torch

from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import load_claim
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import FUNCTION
from drt.theory.base import evaluate
from drt.theory.registry import claims
from drt.witness.witness import load_witness
from proofs_checks.registry import chains, find_chain, step_claim
from tests.proofs_checks.common import of, random_instance

SMALL = Space(depth=(1, 2), width=(1, 3), alpha=(0.5, 0.5), kappa=(2.0, 2.0), delta=(0.1, 0.1))


def test_every_true_claim_about_a_network_has_a_chain():
    networks = [c for c in claims.values() if c.known == "true" and c.quantity in ("function", "jacobian")]
    assert len(networks) >= 11
    assert {c.id for c in networks} <= set(chains())


def test_a_single_step_is_a_claim_with_the_same_hypotheses():
    step = step_claim("theorem1.function#3")
    assert step.statement.startswith("operator norm: ")
    assert step.hypotheses == claims["theorem1.function"].hypotheses
    m = of(find_chain("theorem1.function"), random_instance(find_chain("theorem1.function")))
    walk = find_chain("theorem1.function").walk(m)
    torch.testing.assert_close(evaluate(step.left, m).logs, walk.logs[..., 2], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(step.log_value(m), walk.logs[..., 3], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["spectral.function#1", "telescoping.function#2"])
def test_a_true_step_survives(name):
    assert falsify(load_claim(name, "proofs_checks.registry"), SMALL, budget=0.5, jobs=1).status == "survived"


def test_a_step_whose_hypothesis_is_dropped_falls_but_floats_do_not_certify(tmp_path):
    target = load_claim("spectral.jacobian#7", "proofs_checks.registry").with_changes(["-widths"])
    outcome = falsify(target, Space(depth=(2, 2), width=(1, 2)), budget=0.5, jobs=1, folder=tmp_path)
    assert (outcome.status, outcome.certified) == ("unconfirmed", False)
    assert outcome.log_ratio > 0.1
    assert "q_7 = " in outcome.counterexample
    assert certify(load_witness(tmp_path / outcome.witness), target.claim).answer == "undecided"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("theorem1.function#11", "has steps #1 to #10, got #11"),
        ("theorem1.function#x", "the step must be a number"),
        ("relu-model#1", "has no chain"),
        ("lemma1#1", "cannot be attacked"),
    ],
)
def test_a_step_that_is_none_is_bad_input(name, words):
    with pytest.raises(InputError, match=words):
        step_claim(name)


def test_steps_can_be_climbed():
    """Gradients flow through both sides."""
    step, m = step_claim("spectral.function#7"), None
    instance = random_instance(find_chain("spectral.function"))
    weights = [w.clone().requires_grad_() for w in instance.net.weights]
    net = type(instance.net)(weights, list(instance.net.activations))
    m = Measurement.of(type(instance)(net, instance.dweights, instance.x), FUNCTION)
    (evaluate(step.left, m).logs - step.log_value(m)).sum().backward()
    assert all(torch.isfinite(w.grad).all() and (w.grad != 0).any() for w in weights)
