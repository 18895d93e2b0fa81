"""The registry: every claim once, about one quantity, with hypotheses that exist and a left side that the quantity has."""

import re
from pathlib import Path

import pytest

import drt
from drt.errors import InputError
from drt.measurement.quantity import DESCENT, STEP
from drt.theory import registry
from drt.theory.registry import claims, find, of_descent, of_network, of_steps


def test_every_claim_is_of_one_group():
    groups = [of_network(), of_descent(), of_steps()]
    assert sorted(c.id for group in groups for c in group) == sorted(claims)
    assert all(c.quantity is DESCENT for c in of_descent())
    assert all(c.quantity is STEP for c in of_steps())


def test_ids_are_keys_and_find_finds_them():
    for claim_id, claim in claims.items():
        assert claim.id == claim_id
        assert find(claim_id) is claim
    with pytest.raises(InputError, match=r"claim 'theorem9' is not known; expected one of condition4, "):
        find("theorem9")


@pytest.mark.parametrize("claim", claims.values(), ids=lambda c: c.id)
def test_a_claim_says_what_it_is(claim):
    assert claim.kind in ("identity", "theorem", "model", "conjecture")
    assert claim.known in ("true", "false", "open")
    assert set(claim.hypotheses) <= set(drt.hypotheses)
    assert callable(claim.left) or claim.left in claim.quantity.lefts
    assert set(claim.quantity.implied) <= set(claim.hypotheses) or claim.id == "proposition1"
    assert claim.statement.strip()
    assert claim.source.strip()


def test_every_module_of_a_result_is_imported_by_the_registry():
    """A module that is not would register nothing."""
    folder = Path(registry.__file__).parent
    registering = {
        f.stem for f in folder.glob("*.py") if re.search(r"^\s*register\(|= register\(", f.read_text(), re.M)
    }
    assert registering - {"base"} <= set(vars(registry))
    assert len(registering) >= 10
