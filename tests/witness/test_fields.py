"""Fields of a witness: what they become, and that whatever they must not be is named with its value."""

from fractions import Fraction

import pytest
from flint import fmpq

from drt.errors import InputError
from drt.measurement.quantity import DESCENT, FUNCTION, JACOBIAN
from drt.witness import fields
from drt.witness.fields import Budget


def test_rationals_of_every_kind_are_exact():
    given = [3, 0.5, "1/3", "-7", Fraction(2, 4), fmpq(5, 6)]
    expected = (3, fmpq(1, 2), fmpq(1, 3), -7, fmpq(1, 2), fmpq(5, 6))
    assert fields.vector(given, "x", Budget()) == expected
    assert fields.matrix([given], "w", Budget()) == (expected,)
    assert fields.vector([0.1], "x", Budget()) == (fmpq(*(0.1).as_integer_ratio()),)


@pytest.mark.parametrize(
    "value", ["1.5", "1e3", " 1", "1/0", "½", "", "9" * 2002, True, None, float("nan"), float("inf"), [1]]
)
def test_what_is_no_number_is_named(value):
    with pytest.raises(InputError, match=r"x\[0\]"):
        fields.vector([value], "x", Budget())


def test_digits_are_limited_on_both_sides_of_a_fraction():
    assert fields.vector(["9" * 2000], "x", Budget())[0] == 10**2000 - 1
    for text in ("9" * 2001, "1/" + "9" * 2001):
        with pytest.raises(InputError, match="2000 digits"):
            fields.vector([text], "x", Budget())


def test_entries_are_counted_over_all_matrices_together():
    budget = Budget()
    budget.left = 5
    fields.matrix([[1, 2], [3, 4]], "a", budget)
    fields.vector([1], "x", budget)
    with pytest.raises(InputError, match="the matrices have more than 1048576 entries together"):
        fields.vector([1], "x", budget)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "w must be a non-empty list of rows of one length"),
        ([[1, 2], [3]], "w must be a non-empty list of rows of one length"),
        ([[]], r"w\[0\] must not be empty"),
        ("12", "w='12' must be a list"),
        ([[f"1/{10**1900 + 2 * k + 1}" for k in range(100)]], "common denominator of more than 131072 bits"),
    ],
)
def test_what_is_no_matrix_is_named(rows, words):
    with pytest.raises(InputError, match=words):
        fields.matrix(rows, "w", Budget())


def test_vectors_of_layers_are_none_where_all_of_them_are():
    assert fields.vectors(None, "biases", 2, Budget()) is None
    assert fields.vectors([None, None], "biases", 2, Budget()) is None
    assert fields.vectors([None, [1]], "biases", 2, Budget()) == (None, (1,))
    with pytest.raises(InputError, match="biases must have 2 items, one per layer; got 1"):
        fields.vectors([None], "biases", 2, Budget())


@pytest.mark.parametrize(
    ("value", "claim", "own", "words"),
    [
        ("hessian", "mine", True, "quantity='hessian' must be one of function, jacobian, descent"),
        ("step", "mine", True, "quantity='step' must be one of"),
        (
            "jacobian",
            "theorem1.function",
            False,
            "quantity='jacobian' must be 'function', which theorem1.function is about",
        ),
        (3, "mine", True, "quantity=3 must be text"),
    ],
)
def test_quantities_that_are_wrong_are_named(value, claim, own, words):
    with pytest.raises(InputError, match=words):
        fields.quantity_of(value, claim, own)


def test_a_users_bound_may_be_about_what_it_likes():
    assert fields.quantity_of("jacobian", "theorem1.function", True) == "jacobian"


@pytest.mark.parametrize(
    ("value", "quantity"), [(2, JACOBIAN), (-1, JACOBIAN), (True, JACOBIAN), ("0", JACOBIAN), (1, FUNCTION)]
)
def test_layers_out_of_range_are_named(value, quantity):
    with pytest.raises(InputError, match="layer="):
        fields.layer_of(value, quantity, 2)
    assert fields.layer_of(1, JACOBIAN, 2) == 1
    assert fields.layer_of(0, FUNCTION, 2) == 0


def test_hypotheses_and_activations_are_known_ones():
    assert fields.hypotheses_of(["widths", "relu"]) == ("widths", "relu")
    assert fields.activations_of(["relu", "leaky_relu:0.1"], 2) == ("relu", "leaky_relu:0.1")
    for call, words in (
        (lambda: fields.hypotheses_of(["luck"]), "hypotheses: 'luck' is not known; expected some of "),
        (lambda: fields.hypotheses_of("widths"), "hypotheses='widths' must be a list"),
        (lambda: fields.activations_of(["selu"], 1), "activation='selu' is not known"),
        (lambda: fields.activations_of(["negated:" * 600 + "relu"], 1), "must have at most 4000 characters"),
        (lambda: fields.activations_of(["relu"], 2), "activations must have 2 items"),
    ):
        with pytest.raises(InputError, match=words):
            call()


@pytest.mark.parametrize(
    "value", [{}, {"file": "a"}, {"file": "a", "function": 3}, {"file": "a", "function": "b", "c": "d"}, "a:b"]
)
def test_sources_are_a_file_and_a_function(value):
    assert fields.source_of({"file": "a", "function": "b"}) == {"file": "a", "function": "b"}
    with pytest.raises(InputError, match="must hold the texts 'file' and 'function'"):
        fields.source_of(value)


def shapes(weights=(((1, 0),), ((2,),)), dweights=(((0, 0),), ((0,),)), x=(1, 0), biases=None, dbiases=None):
    fields.check_shapes(weights, dweights, x, biases, dbiases)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": (1, 0, 0)}, r"weights\[0\] has shape \(1, 2\): it must have 3 columns, the entries of x"),
        (
            {"weights": (((1, 0),), ((2, 2),))},
            r"weights\[1\] has shape \(1, 2\): it must have 1 columns, the rows of w",
        ),
        ({"dweights": (((0,),), ((0,),))}, r"dweights\[0\] has shape \(1, 1\), but weights\[0\] has \(1, 2\)"),
        ({"weights": (((0, 0),), ((2,),))}, r"weights\[0\] must be non-zero"),
        ({"x": (0, 0)}, "x must be non-zero"),
        ({"biases": ((1, 2), None)}, r"biases\[0\] has 2 entries, expected 1"),
        ({"dbiases": ((1,), None)}, r"dbiases\[0\] has 1 entries, but biases\[0\] has none"),
        ({"biases": ((1,), None), "dbiases": ((1, 2), None)}, r"dbiases\[0\] has 2 entries, but biases\[0\] has 1"),
    ],
)
def test_shapes_that_do_not_chain_are_named(changes, words):
    shapes()
    shapes(biases=((1,), None), dbiases=((1,), None))
    with pytest.raises(InputError, match=words):
        shapes(**changes)


def test_a_target_is_the_descent_s_alone_and_as_long_as_the_outputs():
    assert fields.target_of([1, 2], DESCENT, 2, Budget()) == (1, 2)
    assert fields.target_of(None, FUNCTION, 2, Budget()) is None
    for value, quantity, words in (
        (None, DESCENT, "target=none must be y of the loss"),
        ([1], FUNCTION, "target=given must be none for the function"),
        ([1], DESCENT, "target has 1 entries, expected 2, the outputs"),
    ):
        with pytest.raises(InputError, match=words):
            fields.target_of(value, quantity, 2, Budget())


def test_text_is_text_that_a_file_can_hold():
    assert fields.text("κ", "note") == "κ"
    for value, words in ((3, "note=3 must be text"), ("\ud800", "without lone surrogates")):
        with pytest.raises(InputError, match=words):
            fields.text(value, "note")
