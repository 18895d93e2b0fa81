"""Numbers that are Coq terms: a formula prints itself, and what cannot be translated says so."""

import pytest

import drt
from drt.errors import InputError
from drt.numeric import numbers
from proofs_checks.coq_terms import Natural, Proposition, Term, literal

X, Y = Term("x", "L"), Term("y", "L")
D = Term("(d k)", "L", layered=True, finite_text="fine")
DEPTH = Natural("L")


TENTH = f"({(0.1).as_integer_ratio()[0]} / {2**55})"


@pytest.mark.parametrize(
    ("value", "text"), [(2, "2"), (0.5, "(1 / 2)"), (-3, "(- 3)"), (-0.25, "(- (1 / 4))"), (0.1, TENTH)]
)
def test_numbers_are_written_exactly(value, text):
    assert literal(value) == text


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (X + Y, "(x + y)"),
        (1 - X, "(1 - x)"),
        (X - 0.5, "(x - (1 / 2))"),
        (X * Y / 2, "((x * y) / 2)"),
        (2 / X, "(2 / x)"),
        (X**DEPTH, "(x ^ L)"),
        (X**3, "(x ^ 3)"),
        (DEPTH * X, "(INR L * x)"),
        (X ** (2 * DEPTH), "(x ^ (2 * L)%nat)"),
        (-X, "(- x)"),
        (abs(X), "(Rabs x)"),
        (drt.exp(X), "(exp x)"),
        (drt.log(X), "(ln x)"),
        (drt.expm1(X), "(exp x - 1)"),
        (drt.log1p(X), "(ln (1 + x))"),
        (drt.sqrt(X), "(sqrt x)"),
        (drt.maximum(X, 1), "(Rmax x 1)"),
        (drt.maximum(D), "(largest L (fun k => (d k)))"),
        (drt.sum(D), "(Sums.sum L (fun k => (d k)))"),
        (drt.prod(1 + D), "(Sums.prod L (fun k => (1 + (d k))))"),
        (drt.product_minus_one(D), "((Sums.prod L (fun k => (1 + (d k)))) - 1)"),
        (numbers.products_above(D), "((products_above L (fun k => (d k))) k)"),
        (drt.sum(numbers.per_layer(X) * D), "(Sums.sum L (fun k => (x * (d k))))"),
    ],
)
def test_a_formula_prints_itself(term, text):
    assert str(term) == text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (X <= 1, "(x <= 1)"),
        (X > Y, "(x > y)"),
        (X == 0, "(x = 0)"),
        ((D < 1).all(-1), "(forall k, (k < L)%nat -> ((d k) < 1))"),
        ((D > 0).any(-1), r"(exists k, (k < L)%nat /\ (((d k) > 0)))"),
        ((X <= 1) & (Y <= 1), r"(((x <= 1)) /\ ((y <= 1)))"),
        ((X <= 1) | (Y <= 1), r"(((x <= 1)) \/ ((y <= 1)))"),
        (DEPTH == 2, "L = 2%nat"),
        (numbers.finite(D), "fine"),
    ],
)
def test_a_comparison_is_a_proposition(said, text):
    assert isinstance(said, Proposition)
    assert said.text == text


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: X + D, "a number and one for each layer; per_layer makes it one for each"),
        (lambda: bool(X > 1), "a formula must not branch on its numbers"),
        (lambda: bool(X), "a formula must not branch on its numbers: x"),
        (lambda: drt.sum(X), "Sums.sum must be of a number for each layer, got x"),
        (lambda: numbers.per_layer(D), "is a number for each layer already"),
        (lambda: numbers.finite(X), "x: nothing is known of when it is finite"),
        (lambda: X.maximum("y"), "the maximum of x must be taken with a number"),
        (lambda: (X > 1) & (D > 1), "must join two propositions about the same"),
    ],
)
def test_what_cannot_be_translated_is_named(ask, words):
    with pytest.raises(InputError, match=words):
        ask()


def test_what_is_no_number_is_refused():
    for wrong in (lambda: X + "y", lambda: X**0.5, lambda: X**-1, lambda: DEPTH * 0.5):
        with pytest.raises(TypeError):
            wrong()
