"""Numbers, vectors, frames and factored matrices: inside their ranges, varied, and shrinking to simple ones."""

import math

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import Phase, find, given, settings

from drt.errors import InputError
from drt.strategies.draws import (
    LANDMARKS,
    SMALLEST_DRAWN,
    checked_range,
    factors,
    frames,
    nonzero_vectors,
    numbers,
    vectors,
)
from drt.strategies.factors import frame

GENERATE = settings(phases=[Phase.generate], max_examples=100)


def drawn(strategy):
    found = []
    GENERATE(given(strategy)(lambda example: found.append(example)))()
    return found


def test_a_number_stands_for_the_range_that_holds_it_alone():
    assert checked_range("kappa", 2.5, 1.0, 9.0) == (2.5, 2.5)
    assert checked_range("kappa", (1, 3.5), 1.0, 9.0) == (1, 3.5)
    assert checked_range("depth", [1, 3], 1, 9) == (1, 3)


@pytest.mark.parametrize(
    ("value", "low", "words"),
    [
        (2.5, 1, r"n=2.5 must be a whole number or a range \(LOW, HIGH\) with 1 <= LOW <= HIGH <= 9"),
        (True, 1, "n=True must be a whole number"),
        ((3, 2), 1.0, r"n=\(3, 2\) must be a number or a range"),
        ((1, 2, 3), 1.0, r"n=\(1, 2, 3\) must be a number"),
        (0.5, 1.0, "n=0.5 must be a number"),
        (10, 1.0, "n=10 must be a number"),
        (math.nan, 1.0, "n=nan must be a number"),
        ("3", 1.0, "n='3' must be a number"),
    ],
)
def test_what_is_no_range_is_named(value, low, words):
    with pytest.raises(InputError, match=words):
        checked_range("n", value, low, 9)


def test_numbers_are_in_their_range_and_reach_its_ends():
    found = drawn(numbers(0.3, 5.0))
    assert all(0.3 <= v <= 5 for v in found)
    assert {0.3, 5.0, 1.0, 2.0} <= set(found)
    assert len(set(found) - set(LANDMARKS)) > 10, "not landmarks alone"
    assert find(numbers(0.0, 10.0), lambda v: v > 0) == 1.0
    assert min(v for v in drawn(numbers(0.0, 10.0)) if v > 0) >= SMALLEST_DRAWN / 2


def test_vectors_are_zero_ones_and_anything_else():
    found = drawn(vectors(3))
    assert all(v.shape == (3,) and v.abs().max() <= 4 for v in found)
    assert any(v.tolist() == [1, 1, 1] for v in found)
    assert any((v == 0).any() for v in found)
    assert find(vectors(4), lambda v: True).tolist() == [1, 1, 1, 1]


def test_a_vector_that_must_not_be_zero_is_the_first_unit_vector_instead():
    assert all(v.any() for v in drawn(nonzero_vectors(1)))
    assert find(nonzero_vectors(2), lambda v: v.tolist() == [1.0, 0.0]).tolist() == [1, 0]


def test_frames_are_exactly_orthogonal():
    found = drawn(frames(3))
    for q in found:
        assert q * q.transpose() == frame(3)
    assert any(q == frame(3) for q in found)
    assert any(q != frame(3) for q in found)
    assert find(frames(2), lambda q: True) == fmpq_mat(2, 2, [1, 0, 0, 1])


@pytest.mark.parametrize(("m", "n", "rank"), [(3, 2, None), (2, 4, 1), (4, 4, 3), (1, 3, None)])
def test_factors_have_the_rank_and_the_kappa_of_their_range(m, n, rank):
    r = min(m, n) if rank is None else rank
    for a in drawn(factors(m, n, (2.0, 5.0), rank)):
        values = sorted(a.singular, reverse=True)
        assert len(values) == min(m, n)
        assert sum(v > 0 for v in values) == r
        smallest = values[r - 1]
        assert smallest in {fmpq(1, 8), fmpq(1, 2), fmpq(1), fmpq(2), fmpq(8)}
        if r > 1:
            assert 2 <= values[0] / smallest <= 5
