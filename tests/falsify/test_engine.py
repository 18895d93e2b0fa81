"""One interface for every quantity: each engine does what the attack asks of it, and the same unit gives the same result."""

import math
import random

import pytest

import drt
from drt.errors import InputError
from drt.falsify.attack import ENGINES
from drt.falsify.engine import FIND_BITS, TIE, Find, Found, WitnessedFind
from drt.falsify.space import Space
from drt.measurement.quantity import STEP, Quantity

SPACE = Space(depth=(1, 2), width=(1, 2), delta=(1e-3, 1.0))
TRUE = {
    "function": "spectral.function", "jacobian": "spectral.jacobian", "descent": "lemma1", "step": "fromage.relative-size",
}  # fmt: skip


def test_every_quantity_has_an_engine():
    assert set(ENGINES) == set(Quantity)
    assert len({engine.section for q, engine in ENGINES.items() if q is not STEP}) == 2


@pytest.mark.parametrize("name", TRUE)
def test_units_are_pure_functions_of_what_they_are_given(name):
    claim, engine = drt.claims[TRUE[name]], ENGINES[Quantity(name)]
    units = [engine.plan(claim, SPACE, [], random.Random(3), 0, 1)[0] for _ in range(2)]
    first, second = (engine.run(claim, unit) for unit in units)
    assert first.instances == second.instances > 0
    assert [f.log_ratio for f in first.finds] == [f.log_ratio for f in second.finds]
    assert first.log_ratio == second.log_ratio


@pytest.mark.parametrize("name", TRUE)
def test_a_true_claim_has_no_find_that_exceeds_it(name):
    claim, engine = drt.claims[TRUE[name]], ENGINES[Quantity(name)]
    found = engine.run(claim, engine.plan(claim, SPACE, [], random.Random(1), 0, 1)[0])
    assert isinstance(found, Found)
    assert not any(find.exceeds or find.violates for find in found.finds)
    assert max([found.log_ratio, *(find.log_ratio for find in found.finds)]) <= TIE


@pytest.mark.parametrize("name", ["function", "jacobian", "descent"])
def test_a_find_becomes_a_witness_in_the_space_with_the_ratio_it_had(name):
    claim, engine = drt.claims[TRUE[name]], ENGINES[Quantity(name)]
    found = engine.run(claim, engine.plan(claim, SPACE, [], random.Random(1), 0, 1)[0])
    finds = [f for f in found.finds if isinstance(f, WitnessedFind) and f.exact]
    assert finds
    for find in finds:
        witness = find.witness(claim, None)
        m = engine.measure(claim, witness)
        assert engine.inside(claim, SPACE, m)
        assert not engine.inside(claim, Space(depth=(5, 6)), m)
        entries = [v for g in (witness.weights, witness.dweights) for w in g for row in w for v in row]
        assert find.numbers >= len(entries)
        certificate, same = find.certify(claim, None)
        assert same == witness
        # Floats do not see that a pre-activation of a descent is exactly at a kink.
        assert certificate.answer in ("holds", "attained", *(["inapplicable"] if name == "descent" else []))
        assert certificate.bits <= FIND_BITS
        if certificate.answer == "inapplicable":
            continue
        low, high = certificate.log10_ratio
        if math.isfinite(find.log_ratio) and find.log_ratio > -300:
            assert low - 1e-6 <= find.log_ratio / math.log(10) <= high + 1e-6


@pytest.mark.parametrize("name", ["function", "jacobian", "descent"])
def test_probes_are_ordinary_instances_of_any_bound(name):
    claim, engine = drt.claims[TRUE[name]], ENGINES[Quantity(name)]
    again, witness_at = engine.probes(claim)
    m = again()
    assert (m.kappa < 1e9).any()
    assert (again().delta == m.delta).all()
    assert witness_at(0).quantity == name


def test_steps_have_no_witness_no_space_and_no_users_bounds():
    claim, engine = drt.claims[TRUE["step"]], ENGINES[STEP]
    for ask in (
        lambda: engine.probes(claim),
        lambda: engine.measure(claim, None),
        lambda: engine.inside(claim, SPACE, None),
    ):
        with pytest.raises(InputError):
            ask()
    assert engine.most_units(claim) == 4


def test_a_find_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Find()
