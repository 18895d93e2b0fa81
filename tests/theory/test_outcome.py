"""The four outcomes are words, and numbers in tensors."""

import pytest

from drt.theory.outcome import Outcome


def test_outcomes_are_the_words_that_users_see():
    assert [str(o) for o in Outcome] == ["holds", "violated", "inapplicable", "undecided"]
    assert Outcome("violated") is Outcome.VIOLATED
    assert Outcome.HOLDS == "holds"
    with pytest.raises(ValueError, match="'true' is not a valid Outcome"):
        Outcome("true")


def test_each_has_a_code_of_its_own():
    assert sorted(o.code for o in Outcome) == [0, 1, 2, 3]
    assert all(list(Outcome)[o.code] is o for o in Outcome)
