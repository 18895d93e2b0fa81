"""Chains of three numbers, written by hand: what each step is judged to be, and what it adds."""

import math

import pytest
import torch

from drt.errors import InputError
from proofs_checks.chain import OUTCOMES, Chain, Step
from proofs_checks.terms import Log, plain
from tests.instances import array


def step(name):
    return Step("reason", f"q is {name}", "identity", (), lambda t: t.picked(name))


def chain_of(q0, *others, errors=None, applicable=None):
    """q₀ ≤ q₁ ≤ … on a batch: each a list of numbers, one an instance."""
    rows = [torch.log(array(*v)) for v in (q0, *others)]
    slack = [array(*v) for v in (errors or [[0.0] * len(q0)] * len(rows))]
    numbers = {f"q{k}": Log(v[:, None], e[:, None]) for k, (v, e) in enumerate(zip(rows, slack, strict=True))}
    met = torch.tensor([True] * len(q0) if applicable is None else applicable)
    return Chain(
        "claim", "statement", lambda _: (rows[0], rows[0] - slack[0], rows[0] + slack[0]), lambda _: plain(numbers),
        lambda _: met, tuple(step(f"q{k}") for k in range(1, len(rows))), lambda _: (), layered=False,
    )  # fmt: skip


def outcomes(chain):
    return [[OUTCOMES[code] for code in row] for row in chain.walk(None).codes.tolist()]


def test_a_step_is_judged_by_the_ends_of_both_enclosures():
    """Errors of 10 %: apart, the right way round or the wrong one; overlapping, within rounding."""
    chain = chain_of([1.0, 1.0, 1.0, 1.0], [2.0, 0.5, 1.1, 0.9], errors=[[0.1] * 4, [0.1] * 4])
    assert outcomes(chain) == [["holds"], ["violated"], ["within rounding"], ["within rounding"]]
    assert chain.walk(None).counts(1) == {"holds": 1, "violated": 1, "inapplicable": 0, "within rounding": 2}


def test_where_the_claim_does_not_apply_nothing_is_judged():
    chain = chain_of([1.0, 1.0], [0.1, 2.0], [0.2, 1.0], applicable=[False, True])
    assert outcomes(chain) == [["inapplicable"] * 2, ["holds", "violated"]]
    walk = chain.walk(None)
    assert torch.isnan(walk.slack[0]).all()
    assert walk.slack[1].tolist() == pytest.approx([math.log10(2), -math.log10(2)], rel=1e-12)
    assert walk.violated.tolist() == [False, True]


def test_a_zero_is_at_most_everything_and_nothing_is_at_most_zero():
    chain = chain_of([0.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    assert outcomes(chain) == [["holds"], ["holds"], ["violated"]]
    assert chain.walk(None).slack[0].tolist() == [0]


def test_unknown_ends_decide_nothing():
    chain = chain_of([1.0, 1.0], [0.1, 10.0], errors=[[math.inf, 0.0], [0.0, math.inf]])
    assert outcomes(chain) == [["within rounding"], ["within rounding"]]


def test_a_wrong_step_is_named_by_its_number_and_replacing_it_mends_the_chain():
    chain = chain_of([1.0], [2.0], [1.5], [3.0])
    walk = chain.walk(None)
    assert [k for k, _ in walk.wrong] == [2]
    assert walk.named() == "claim#2, reason: q is q2"
    mended = chain.with_step(2, step("q3"))
    assert mended.walk(None).named() == ""
    assert mended.walk(None).logs.exp()[0].tolist() == pytest.approx([1, 2, 3, 3])
    assert chain.steps[1].statement == "q is q2", "the chain itself stays"
    assert len(chain.sums(None, last=2)) == 2


@pytest.mark.parametrize("index", [0, 3, -1])
def test_steps_are_counted_from_one(index):
    with pytest.raises(InputError, match=rf"claim has steps #1 to #2, got #{index}"):
        chain_of([1.0], [2.0], [3.0]).check_index(index)


def test_a_chain_that_is_no_sum_over_layers_has_no_slack_of_layers():
    assert chain_of([1.0], [2.0], [3.0]).walk(None).layer_slack(2) is None
