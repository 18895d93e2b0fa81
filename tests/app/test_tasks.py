"""The main job's tasks: what they are, and what they find about every claim."""

import math

import pytest

import drt
from drt.app.evidence import Evidence, hold_all
from drt.app.tasks import on_extremal, on_random, tasks
from drt.falsify.extremal import ConstructionGrid, constructions
from drt.falsify.extremal_descent import NAMES
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits
from drt.training.trained import config_of, instances
from drt.training.training import train

MEASURED = [c.id for c in drt.claims.values() if c.quantity in ("function", "jacobian")]


@pytest.fixture(scope="module")
def findings():
    return on_random(5).findings


def test_true_claims_are_never_violated_on_random_networks(findings):
    for claim in drt.claims.values():
        if claim.known == "true" and claim.id in MEASURED:
            assert findings[claim.id].violations == 0, claim.id


def test_every_claim_meets_applicable_instances(findings):
    for claim_id in MEASURED:
        evidence = findings[claim_id]
        assert evidence.instances > evidence.inapplicable.total() > 0 or claim_id == "proposition1", claim_id


def test_reasons_name_the_hypothesis(findings):
    reasons = findings["theorem1.function"].inapplicable
    assert {reason.split(":")[0] for reason in reasons} <= {"transmission", "conditioning", "widths", "nonzero"}
    assert any("κ(" in reason for reason in reasons)


def test_constructions_refute_what_is_false():
    """In floating point already; certified in tests/falsify."""
    found = on_extremal([*constructions, *NAMES], quick=True).findings
    for claim_id in MEASURED:
        claim = drt.claims[claim_id]
        assert (found[claim_id].violations > 0) == (claim.known == "false"), claim_id


def test_constructions_attain_what_is_true():
    """A bound that no construction comes near would be a bound that nobody has tested."""
    best: dict[str, float] = {}
    for _, instance in ConstructionGrid(depths=(1, 2), widths=(2,), alphas=(0.5, 1.0)).instances():
        function, jacobians = drt.measure_all(instance)
        for claim_id in MEASURED:
            claim = drt.claims[claim_id]
            if claim.known == "true" and claim_id not in ("proposition1", "neyshabur.function"):
                ratio = Verdicts(claim, function if claim.quantity == "function" else jacobians[0]).log_ratio
                best[claim_id] = max(best.get(claim_id, -math.inf), float(ratio.nan_to_num(-1e9, -1e9, -1e9).max()))
    assert {claim_id: ratio for claim_id, ratio in best.items() if ratio < -1e-6} == {}


def test_same_seed_same_findings(findings):
    again = on_random(5).findings
    for claim_id, evidence in findings.items():
        other = again[claim_id]
        assert (evidence.instances, evidence.inapplicable, evidence.max_log_ratio) == (
            other.instances,
            other.inapplicable,
            other.max_log_ratio,
        )


def test_tasks_cover_every_construction_and_network():
    work = list(tasks(quick=False, seed=0))
    assert {origin for origin, _ in work} == {"random", "extremal", "trained"}
    assert sorted(name for origin, a in work if origin == "extremal" for name in a[0]) == sorted(
        [*constructions, *NAMES]
    )
    assert {a[0] for origin, a in work if origin == "trained"} == {2, 3, 8, 16}


def test_hidden_layers_meet_theorem_1():
    """The whole network contracts, its hidden layers do not: there Theorem 1 (a) applies, and holds."""
    digits = load_digits()
    run = train(config_of(3, "leaky_relu:0.1", quick=True, seed=1), digits)
    found: dict[str, Evidence] = {}
    for perturbed in instances(run, digits, 0):
        if perturbed.network.endswith("hidden"):
            hold_all(perturbed.instance, found)
    theorem = found["theorem1.function"]
    assert theorem.instances > theorem.inapplicable.total()
    assert theorem.violations == 0
