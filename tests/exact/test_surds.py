"""Sums of square roots of rationals: arithmetic, order and equality, exact."""

import math
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq, fmpz

from drt.exact.surds import MAX_TERMS, Surd, Undecided, at_most, ball, larger, rational, smaller

TWO, THREE, SIX = (Surd.root(fmpq(n)) for n in (2, 3, 6))


def test_what_is_a_rational():
    assert rational(0.1) == fmpq(*(0.1).as_integer_ratio())
    assert rational(Fraction(2, 6)) == fmpq(1, 3)
    assert rational(fmpz(4)) == rational(4) == 4
    assert rational(math.inf) is None
    assert rational("1") is None
    assert Surd.of(math.nan) is None


def test_roots_of_squares_are_rational_and_others_are_not():
    assert Surd.root(fmpq(4, 9)).as_rational() == fmpq(2, 3)
    assert Surd.root(fmpq(0)).as_rational() == 0
    assert TWO.as_rational() is None
    assert Surd.root(fmpq(8, 9)).terms == {fmpz(72): fmpq(1, 9)}


def test_products_and_sums_close_up():
    """√2·√3 = √6; √8 = 2√2; (√2 + √3)² = 5 + 2√6; (√3 − √2)(√3 + √2) = 1."""
    assert (TWO * THREE - SIX).sign() == 0
    assert (Surd.root(fmpq(8)) - 2 * TWO).sign() == 0
    assert ((TWO + THREE) ** 2 - (5 + 2 * SIX)).sign() == 0
    assert ((THREE - TWO) * (THREE + TWO)).as_rational() == 1
    assert (TWO - TWO).terms == {}


def test_quotients_by_one_term_are_exact_and_by_sums_balls():
    assert (SIX / TWO - THREE).sign() == 0
    assert (1 / TWO - TWO / 2).sign() == 0
    assert (TWO**-2).as_rational() == fmpq(1, 2)
    with ctx.workprec(128):
        quotient = 1 / (1 + TWO)
        assert isinstance(quotient, arb)
        assert quotient.overlaps(arb(2).sqrt() - 1)


def test_signs_are_told_however_close():
    """√(n² + 1) − n ≈ 1/(2n)."""
    for digits in (5, 40, 200):
        n = 10**digits
        gap = Surd.root(fmpq(n * n + 1)) - n
        assert gap.sign() == 1
        assert (-gap).sign() == -1
        assert abs(-gap).sign() == 1
        assert (gap * gap - (2 * n * n + 1 - 2 * n * Surd.root(fmpq(n * n + 1)))).sign() == 0


@pytest.mark.parametrize("p", [2, 3, 5, fmpq(7, 4)])
def test_powers_and_functions_enclose_what_is_no_surd(p):
    root = Surd.root(fmpq(p))
    with ctx.workprec(128):
        x = arb(fmpq(p)).sqrt()
        for result, expected in (
            (root**0.5, x.sqrt()),
            (root.sqrt(), x.sqrt()),
            (root ** fmpq(1, 3), x ** (arb(1) / 3)),
            (2**root, arb(2) ** x),
            (root.exp(), x.exp()),
            (root.log(), x.log()),
            (root.expm1(), x.expm1()),
            (root.log1p(), x.log1p()),
        ):
            assert ball(result).overlaps(expected)
            assert ball(result).rad() < 1e-30


def test_at_zero_functions_stay_exact():
    zero = Surd.of(0)
    assert zero.exp().as_rational() == 1
    assert zero.expm1().terms == zero.log1p().terms == {}
    assert zero.log() == arb("-inf")


def test_order_is_exact_among_surds_and_certain_or_undecided_among_balls():
    assert at_most(TWO + THREE, Surd.root(fmpq(10)))
    assert not at_most(Surd.root(fmpq(10)), TWO + THREE)
    assert larger(TWO, THREE) is THREE
    assert smaller(TWO, THREE) is TWO
    assert at_most(arb(1), TWO)
    with pytest.raises(Undecided, match="is not decided at this precision"):
        at_most(arb(2).sqrt() * arb(6).sqrt(), 2 * arb(3).sqrt())
    assert larger(arb(1, 0.5), TWO).contains(1.45)


@pytest.mark.parametrize("r", [2, 3, 8, fmpq(1, 2), fmpq(18, 25), 49])
@pytest.mark.parametrize("s", [2, 5, fmpq(3, 7), 50])
def test_surds_agree_with_their_balls(r, s):
    a, b = Surd.root(fmpq(r)) + fmpq(1, 3), Surd.root(fmpq(s))
    for exact, enclosed in (
        (a + b, a.ball() + b.ball()),
        (a - b, a.ball() - b.ball()),
        (a * b, a.ball() * b.ball()),
        (a / b, a.ball() / b.ball()),
        (a**3, a.ball() ** 3),
        (b**-2, b.ball() ** -2),
        (b.sqrt(), b.ball().sqrt()),
    ):
        assert ball(exact).overlaps(enclosed)
        assert not ball(exact * (1 + 1e-9)).overlaps(enclosed)


def test_too_many_terms_become_a_ball():
    primes = [2, 3, 5, 7, 11, 13, 17]
    total = Surd.of(1)
    for count, p in enumerate(primes):
        assert len(total.terms) == 2**count <= MAX_TERMS
        total = total * (1 + Surd.root(fmpq(p)))
    assert isinstance(total, arb)
    assert total.overlaps(arb(math.prod(1 + math.sqrt(p) for p in primes), 1e-9))


def test_it_prints_its_terms():
    assert repr(3 * TWO + fmpq(1, 2)) == "3·√2 + 1/2"
    assert repr(Surd.of(0)) == "0"
