"""Numbers as people read them: short, and never rounded to something that they are not."""

import math

import pytest

from drt.numeric.formatting import factor, number, orders, power_of_ten, ratio


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0"), (0.98249, "0.982"), (500, "500"), (5040.2, "5,040"), (2.5e-9, "2.5e-9"), (1.25e40, "1.25e40"),
     (999.6, "1,000")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1 + 4e-16, "1"), (0.9999, "0.9999"), (0.999999, "0.999999"), (1.0003, "1.0003"), (1 - 4.6e-4, "0.9995"),
     (1 - 9.6e-5, "0.9999"), (1 - 4e-7, "1 − 4e-7"), (1 - 3e-10, "1 − 3e-10"), (1 + 2e-9, "1 + 2e-9")],
)  # fmt: skip
def test_numbers_never_round_a_near_miss_to_one(value, text):
    assert number(value) == text


def test_looseness_in_words():
    assert [orders(x) for x in (None, -1e-16, 3.25, 120.04)] == ["", "0.0", "3.2", "120.0"]
    assert [factor(x) for x in (0, 0.23, 4.11, 9.2, 300)] == ["1", "1.7", "13,000", "10⁹", "10³⁰⁰"]


@pytest.mark.parametrize(("exponent", "text"), [(0, "1"), (1, "10"), (-3, "10⁻³"), (300, "10³⁰⁰"), (-0.2, "1")])
def test_powers_of_ten(exponent, text):
    assert power_of_ten(exponent) == text


def test_ratios_out_of_range_come_from_their_logarithm():
    assert ratio(math.exp(700), 1000 * math.log(10)) == "1e1000"
    assert ratio(0.0, -400 * math.log(10)) == "1e-400"
    assert ratio(0.5, math.log(0.5)) == "0.5"
    assert ratio(None, None) == ""
