"""The attack itself: what is kept of what is found, what is certified first, and that the budget buys units and no time."""

import pickle

import pytest

import drt
from drt.exact.certify import Certificate
from drt.falsify.attack import COMFORTABLE, SEARCH_FROM, Attack, attack, work
from drt.falsify.engine import Found, WitnessedFind
from drt.falsify.layout import Layout
from drt.falsify.networks import Unit
from drt.falsify.space import Space
from drt.falsify.target import Target
from tests.exact.cases import witness

HOLDS = witness("theorem1.function", [[[2]]], [[[1]]], [1])


def given(name):
    return property(lambda self: self.values[name])


class Fake(WitnessedFind):
    """A find with the answer that exact arithmetic is to give."""

    def __init__(self, log_ratio, answer="violated", **changes):
        base = {"numbers": 1, "kind": None, "exceeds": True, "violates": False, "exact": True}
        self.values, self.answer = {"log_ratio": log_ratio} | base | changes, answer

    log_ratio, numbers, kind, exceeds, violates, exact = map(
        given, ("log_ratio", "numbers", "kind", "exceeds", "violates", "exact")
    )

    def witness(self, claim, source):
        return HOLDS

    def certify(self, claim, source):
        certified.append(self)
        return Certificate(claim.id, self.answer), HOLDS


certified = []


@pytest.fixture
def state():
    certified.clear()
    return Attack(Target("theorem1.function"), Space())


def test_of_every_kind_the_best_is_kept(state):
    state.add(Found((Fake(0.1, kind="a"), Fake(0.3, kind="a"), Fake(0.2, kind="b")), 7, log_ratio=0.25))
    state.add(Found((Fake(0.15, kind="a"),), 5))
    assert sorted(f.log_ratio for f in state.finds) == [0.2, 0.3]
    assert state.instances == 12
    assert state.largest == 0.3


def test_small_finds_with_a_comfortable_margin_are_certified_first(state):
    finds = (
        Fake(COMFORTABLE / 2, "holds", numbers=1, kind=1),
        Fake(0.5, "holds", numbers=9, kind=2),
        Fake(0.1, "violated", numbers=3, kind=3),
        Fake(0.4, "holds", numbers=3, kind=4),
    )
    state.add(Found(finds, 4))
    assert state.refute()
    assert [f.log_ratio for f in certified] == [0.4, 0.1]
    assert (state.certificate.answer, state.refuted) == ("violated", HOLDS)


def test_what_was_tried_is_not_tried_again_and_what_is_undecided_is_doubtful(state):
    state.add(Found((Fake(0.1, "undecided"),), 1))
    assert not state.refute()
    assert not state.refute()
    assert len(certified) == 1
    assert state.doubtful == HOLDS
    assert state.certificate is None


def test_a_violation_beyond_rounding_that_nobody_can_certify_is_remembered(state):
    state.add(Found((Fake(0.1, exact=False, violates=True),), 1))
    assert not state.refute()
    assert state.unconfirmed
    assert certified == []


def test_the_closest_is_the_largest_that_does_not_exceed_and_of_equals_the_smallest(state):
    assert state.closest() is None
    state.add(Found((Fake(0.2, kind=1), Fake(-0.5, kind=2, exceeds=False)), 2))
    assert state.closest() == HOLDS


def test_the_budget_buys_units_and_the_same_seed_gives_the_same_attack():
    space, told = Space(depth=(1, 1), width=(1, 2)), []
    results = []
    for budget in (0.5, 1.5, 1.5):
        one = Attack(Target("spectral.function"), space)
        attack(one, budget, 3, None, lambda *what: told.append(what))
        results.append((one.units, one.instances, one.largest))
    assert SEARCH_FROM == 1.0
    assert [units for units, _, _ in results] == [0, 2, 2]
    assert results[1] == results[2]
    assert [(done, total) for done, total, _ in told[-3:]] == [(0, 2), (1, 2), (2, 2)]
    assert told[-1][2].startswith("largest actual/bound 1")


def test_nothing_more_is_done_once_a_violation_is_certified():
    one = Attack(Target("theorem1.function.as-stated"), Space())
    attack(one, 50.0, 0, None, lambda *what: None)
    assert one.units == 0
    assert one.certificate.answer == "violated"


def test_an_identity_is_opened_and_not_searched():
    one = Attack(Target("proposition1"), Space(depth=(1, 1), width=(1, 2)))
    attack(one, 50.0, 0, None, lambda *what: None)
    assert one.units == 0
    assert one.instances > 0


def test_a_unit_for_another_process_is_the_same_unit():
    layout, space = Layout((1, 1), ("identity",)), Space()
    target, unit = Target("spectral.function"), Unit("evolve", layout, space, 1)
    here = Attack(target, space)
    there, own = (
        pickle.loads(work(pickle.dumps((target, unit)))),
        here.engine.run(drt.claims["spectral.function"], unit),
    )
    assert (there.instances, there.finds[0].scores) == (own.instances, own.finds[0].scores)
