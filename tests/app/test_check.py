"""`drt check` of two networks: the parts are put together, and a violated theorem is told from a refuted model."""

import json
from dataclasses import replace

import pytest

from drt.app.check import check_pair
from drt.app.comparison import compare_networks
from drt.app.tally import Violation
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.training.inputs import inputs_for
from tests.instances import instance


@pytest.fixture(scope="module")
def pair():
    net, dws, _ = instance(0, (3, 3, 4), "leaky_relu:0.5", 0.01)
    return net, Network([w + d for w, d in zip(net.weights, dws, strict=True)], net.activations)


@pytest.fixture(scope="module")
def checked(pair):
    return check_pair(*pair, None, 5)


def test_it_compares_at_the_inputs_of_the_seed(pair, checked):
    assert checked.comparison == compare_networks(*pair, inputs_for(pair[0], None, 5))
    assert checked.comparison != compare_networks(*pair, inputs_for(pair[0], None, 6))
    assert checked.certified == []
    assert checked.violated_theorems == set()


def test_its_bounds_are_taken_apart_and_networks_without_digits_are_no_step_of_training(checked):
    assert "spectral.function" in {w.claim for w in checked.slack}
    assert checked.descent is None


def test_a_violated_theorem_counts_and_a_model_known_to_be_false_does_not(checked):
    for claim_id, counts in (("spectral.function", {"spectral.function"}), ("theorem1.function.as-stated", set())):
        comparison = replace(checked.comparison, violations=[Violation(claim_id, 0, None, 0.5)])
        assert replace(checked, comparison=comparison).violated_theorems == counts


def test_everything_is_json_and_printed(checked):
    fields = json.loads(json.dumps(checked.as_dict(), allow_nan=False))
    assert {"certified", "slack", "descent", "claims", "layers"} <= set(fields)
    assert fields["descent"] is None
    titles = [table.title for table in checked.tables()]
    assert titles[:3] == ["Layers", "Claims, over 256 inputs", "Hypotheses that fail"]
    assert len(titles) == 4
    assert all(c.outcome is not Outcome.VIOLATED for c in checked.comparison.claims)
