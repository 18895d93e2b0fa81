"""The functions of formulas: on tensors, on plain numbers, and on balls."""

import math

import pytest
import torch
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

import drt
from drt.exact.balls import Balls
from drt.exact.surds import ball
from drt.numeric import numbers
from drt.numeric.lognumbers import LogNumber
from tests import high_precision as hp
from tests.instances import array

small = st.lists(st.floats(0, 1e3) | st.sampled_from([1e-300, 1e-16, 1e-8]), min_size=1, max_size=6)


@given(small)
def test_product_minus_one_does_not_cancel(d):
    """(1 + 1e-16) − 1 is 0 in floats."""
    with hp.precision():
        true = arb(1)
        for v in d:
            true *= 1 + arb(v)
        true -= 1
        for computed in (
            float(drt.product_minus_one(array(*d))),
            math.exp(float(numbers.log_product_minus_one(array(*d)))),
        ):
            if true > 1e-300:
                assert hp.relative_error(computed, true) < 1e-13
            else:
                assert computed == pytest.approx(0, abs=1e-299)


def test_its_logarithm_neither_overflows_nor_cancels():
    d = torch.full((1000,), 1e3, dtype=torch.float64)
    assert float(numbers.log_product_minus_one(d)) == pytest.approx(1000 * math.log(1001))
    assert float(drt.product_minus_one(d)) == math.inf
    assert float(numbers.log_product_minus_one(array(1e-200))) == pytest.approx(math.log(1e-200))
    assert float(numbers.log_product_minus_one(array(0.0, 0.0))) == -math.inf


@pytest.mark.parametrize("name", ["exp", "log", "expm1", "log1p", "sqrt"])
def test_one_name_for_tensors_numbers_and_balls(name):
    function, expected = getattr(drt, name), getattr(math, name)(0.7)
    assert function.__name__ == name
    assert function(0.7) == pytest.approx(expected, rel=1e-15)
    assert float(function(array(0.7))[0]) == pytest.approx(expected, rel=1e-15)
    assert float(function(Balls([arb(0.7)])).entries[0]) == pytest.approx(expected, rel=1e-15)


def test_reductions_are_over_the_layers():
    x = array([1.0, 2.0, 4.0], [3.0, 5.0, 0.5])
    assert drt.sum(x).tolist() == [7.0, 8.5]
    assert drt.prod(x).tolist() == [8.0, 7.5]
    assert drt.maximum(x).tolist() == [4.0, 5.0]
    assert drt.maximum(x, 2.5).tolist() == [[2.5, 2.5, 4.0], [3.0, 5.0, 2.5]]
    assert drt.maximum(2.5, x).tolist() == [[2.5, 2.5, 4.0], [3.0, 5.0, 2.5]]
    assert drt.maximum(2, 3.0) == 3.0
    assert drt.product_minus_one(x).tolist() == pytest.approx([29.0, 35.0])


def test_products_over_some_of_the_layers():
    x = array([1.0, 2.0, 4.0], [3.0, 5.0, 0.5])
    assert numbers.products_from(x).tolist() == [[8.0, 8.0, 4.0], [7.5, 2.5, 0.5]]
    assert numbers.products_above(x).tolist() == [[8.0, 4.0, 1.0], [2.5, 0.5, 1.0]]
    assert numbers.products_below(x).tolist() == [[1.0, 1.0, 2.0], [1.0, 3.0, 15.0]]
    assert numbers.products_others(x).tolist() == [[8.0, 4.0, 2.0], [2.5, 1.5, 15.0]]
    for function in (numbers.products_from, numbers.products_above, numbers.products_below, numbers.products_others):
        assert torch.equal(function(LogNumber.of(x)).plain().round(decimals=12), function(x))
        assert [[float(ball(v)) for v in row] for row in function(Balls.of(x)).entries] == function(x).tolist()


def test_infinite_arguments_do_not_raise():
    """A number in a user's formula may overflow; the verdict is then undecided."""
    assert drt.exp(1e4) == math.inf
    assert drt.log(0.0) == -math.inf
    assert math.isnan(drt.log(-1.0))
