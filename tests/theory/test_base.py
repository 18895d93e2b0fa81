"""Claims: one formula on every kind of number, values that are checked, hypotheses added and dropped, users' own bounds."""

import math

import pytest
import torch

import drt
from drt.errors import InputError
from drt.numeric.lognumbers import LogNumber
from drt.theory.base import Claim, evaluate, logarithm
from tests.instances import array, measured, scalars

M = measured(0, (2, 3), batch=(4,))
EVERYWHERE = torch.ones(4, dtype=torch.bool)


def claim(formula, **options):
    return drt.bound(**{"hypotheses": ()} | options)(formula)


def test_value_and_logarithm_are_of_the_same_formula():
    """Also where the value overflows: κ^{2L} = 10⁸⁰⁰."""
    net = drt.Network([torch.diag(array(1.0, 1e8))] * 50, "identity")
    deep = drt.measure(net, [torch.eye(2, dtype=torch.float64)] * 50, array(1.0, 1.0))
    power = claim(lambda m: m.kappa ** (2 * m.depth))
    assert power.value(deep) == math.inf
    assert float(power.log_value(deep)) == pytest.approx(100 * math.log(1e8), rel=1e-9)
    assert float(power(scalars([1.0], [0.5]))) == 1


def test_what_logarithms_cannot_do_is_done_on_plain_fields():
    """torch.sort is none of the words of a formula."""
    odd = claim(lambda m: torch.sort(m.kappa_w, -1).values[..., -1])
    torch.testing.assert_close(odd.value(M), M.kappa_w.amax(-1), rtol=1e-15, atol=0)
    torch.testing.assert_close(odd.log_value(M), M.kappa_w.amax(-1).log(), rtol=1e-15, atol=0)
    assert isinstance(evaluate(lambda m: m.kappa * 2, M), LogNumber)
    assert isinstance(evaluate(lambda m: torch.sort(m.delta).values, M), torch.Tensor)


def test_logarithms_of_whatever_a_formula_returns():
    assert float(logarithm(math.e)) == pytest.approx(1)
    assert logarithm(torch.tensor([0.0, 1.0], dtype=torch.float32)).tolist() == [-math.inf, 0.0]
    assert logarithm(torch.tensor([2.0], dtype=torch.float32)).dtype == torch.float64
    assert torch.isnan(logarithm(array(-1.0))).all()


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda m: 1 / 0, "bound '<lambda>' raised ZeroDivisionError: division by zero"),
        (lambda m: "large", "must return a tensor or a number, got str"),
        (lambda m: True, "must return a tensor or a number, got bool"),
        (lambda m: m.kappa_w[..., None].expand(4, 1, 2), r"must return shape \(4,\), got shape \(4, 1, 2\)"),
        (lambda m: -m.kappa, "must be a number >= 0, got NaN or a negative value"),
    ],
)
def test_what_is_no_bound_is_named(formula, words):
    with pytest.raises(InputError, match=words):
        claim(formula).checked_log_value(M, EVERYWHERE)


def test_a_bound_is_asked_only_where_it_applies():
    negative = claim(lambda m: m.delta.sum(-1) - 1000)
    assert torch.isnan(negative.checked_log_value(M, ~EVERYWHERE)).all()


def test_a_number_serves_the_whole_batch():
    assert claim(lambda m: 2).checked_log_value(M, EVERYWHERE).tolist() == pytest.approx([math.log(2)] * 4)


def test_a_users_bound_has_the_name_and_the_words_of_its_function():
    @drt.bound(quantity="jacobian", hypotheses=("conditioning",))
    def mine(m):
        """One line.

        And more.
        """
        return m.kappa

    assert (mine.id, mine.statement, mine.kind, mine.source, mine.known) == (
        "mine",
        "One line.",
        "conjecture",
        "user",
        None,
    )
    assert (mine.quantity, mine.left) == ("jacobian", "relative")
    assert set(mine.hypotheses) == {"biases", "nonzero", "conditioning"}
    assert "mine" not in drt.claims


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quantity": "hessian"}, "quantity='hessian' must be one of function, jacobian, descent"),
        ({"quantity": "step"}, "quantity='step' must be one of"),
        ({"left": "excess"}, "left='excess' must be relative or absolute for the function"),
        ({"quantity": "jacobian", "left": "absolute"}, "left='absolute' must be relative for the jacobian"),
        ({"hypotheses": "widths"}, "hypotheses='widths' must be a list of names"),
        ({"hypotheses": ("luck",)}, "hypothesis 'luck' is not known"),
    ],
)
def test_what_cannot_be_bounded_is_named(options, words):
    with pytest.raises(InputError, match=words):
        drt.bound(**options)


def test_the_decorator_is_used_with_arguments():
    with pytest.raises(InputError, match=r"drt.bound is used with arguments"):
        drt.bound(lambda m: 1)


def test_hypotheses_are_added_and_dropped():
    theorem = drt.claims["theorem1.function"]
    changed = theorem.with_hypotheses(["-widths", "+small", "lipschitz"])
    assert set(changed.hypotheses) == set(theorem.hypotheses) - {"widths"} | {"small", "lipschitz"}
    assert theorem.with_hypotheses(["widths"]).hypotheses == theorem.hypotheses
    assert "widths" in theorem.hypotheses, "the claim itself stays"
    with pytest.raises(InputError, match=r"--hypotheses -small: theorem1\.function has no such hypothesis; it has "):
        theorem.with_hypotheses(["-small"])


def test_a_claim_is_frozen_and_made_by_keywords():
    with pytest.raises(TypeError):
        Claim("id", "kind")
    with pytest.raises(AttributeError):
        drt.claims["kappa.function"].id = "other"
