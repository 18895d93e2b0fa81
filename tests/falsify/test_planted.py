"""Detection power: every planted error is refuted and certified, every true variant survives."""

import pytest

from drt.exact.certify import certify
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import Target, load_claim
from drt.witness.witness import load_witness
from tests.falsify.planted import FALSE, TRUE

FILE = "tests/falsify/planted.py"


def target(name: str) -> Target:
    return load_claim(f"{FILE}:{name}")


@pytest.mark.parametrize("name", FALSE)
def test_planted_error_is_refuted_and_certified(name, tmp_path):
    outcome = falsify(target(name), Space(), budget=30, jobs=1, folder=tmp_path)
    assert outcome.status == "refuted"
    assert outcome.certified
    assert outcome.ratio > 1
    # The file alone carries the proof: read back, evaluated again.
    witness = load_witness(tmp_path / outcome.witness)
    assert certify(witness, target(name).claim).answer == "violated"
    # Small enough to read, unless it takes width or depth to reveal the flaw.
    numbers = sum(len(m) * len(m[0]) for m in witness.weights)
    assert numbers <= 30 or name in ("kappa_power_1_9", "kappa_power_1_when_deep", "jacobian_kappa_half_short")


@pytest.mark.parametrize("name", TRUE)
def test_true_variant_survives(name):
    outcome = falsify(target(name), Space(), budget=3, jobs=1)
    assert outcome.status == "survived"
    assert not outcome.certified
    assert outcome.ratio <= 1
    assert outcome.answer in ("holds", "attained")


def test_there_are_enough_of_them():
    assert len(FALSE) >= 25
    assert len(TRUE) >= 10
    assert sum(b.quantity == "jacobian" for b in FALSE.values()) >= 8
