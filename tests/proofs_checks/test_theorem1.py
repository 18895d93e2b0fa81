"""Mistakes that somebody could make in Theorem 1's proof, each named by its step."""

from dataclasses import replace

import pytest
import torch

from drt.errors import InputError
from proofs_checks import theorem1
from proofs_checks.chain import Step
from proofs_checks.steps import induction
from tests.proofs_checks.common import extremal_instances, m_of, named, of


def test_alpha_for_beta():
    def wrong(t):
        alpha = t.numbers["α"]
        return t.put("slopes", above=alpha, own=alpha)

    assert named(theorem1.FUNCTION, 2, wrong, m_of(theorem1.FUNCTION)) == [2]


def test_change_of_slopes_forgotten():
    """(β − α)³ for β − α: where a sign flips, the slope changes by all of β − α."""

    def wrong(t):
        beta = t.numbers["β"]
        return t.put("slopes", above=beta, own=beta, slopes=t.numbers["β−α"] * 3)

    assert named(theorem1.JACOBIAN, 2, wrong, of(theorem1.JACOBIAN, extremal_instances(depth=1)["sign_flip"])) == [2]


def test_norm_of_the_old_weights_for_the_new():
    wrong = lambda t: t.put("matrices", above=t.numbers["‖W‖"])  # noqa: E731
    m = m_of(theorem1.FUNCTION, delta=1.0, perturbation="aligned", batch=64)
    assert named(theorem1.FUNCTION, 5, wrong, m) == [5]


def test_largest_singular_value_for_the_smallest():
    def wrong(t):
        largest = t.numbers["‖W‖"] * -1
        return t.put("signal matrices", above=largest, own=largest)

    assert named(theorem1.FUNCTION, 7, wrong, m_of(theorem1.FUNCTION)) == [7]


def test_spectral_norm_by_delta_without_kappa():
    def wrong(t):
        n = t.numbers
        return t.put("matrices", above=n["‖W‖+‖ΔW‖"], own=n["‖W‖"] + n["δ"])

    skewed = of(theorem1.FUNCTION, extremal_instances(depth=1, width=16)["aware"])
    assert named(theorem1.FUNCTION, 8, wrong, skewed) == [8]


@pytest.mark.parametrize("chain", theorem1.CHAINS, ids=lambda c: c.claim)
def test_kappa_once_instead_of_twice(chain):
    def wrong(t):
        kappa, delta, zero = t.numbers["κ"], t.numbers["δ"], t.numbers["κ"] * 0
        t = t.put("matrices", above=kappa + delta * 0, own=kappa + delta, slopes=kappa)
        return t.put("signal matrices", above=zero, own=zero)

    assert named(chain, 9, wrong, m_of(chain)) == [9]


def test_induction_with_the_ratio_upside_down():
    step = induction("wrong", lambda t: t.numbers["α"] - t.numbers["β"], "induction-function")
    walk = theorem1.FUNCTION.with_step(10, step).walk(m_of(theorem1.FUNCTION))
    assert [n for n, _ in walk.wrong] == [10]
    assert "#10, induction: wrong" in walk.named()


def test_a_falling_width_breaks_the_conditioning_step_and_no_other():
    """H3 is needed, and this is where."""
    chain = replace(theorem1.FUNCTION, applicable=lambda m: torch.ones(m.batch_shape, dtype=torch.bool))
    falling = of(theorem1.FUNCTION, extremal_instances(depth=1)["fall"])
    assert [n for n, _ in chain.walk(falling).wrong] == [7]


def test_no_valley_breaks_the_conditioning_step_of_the_jacobian():
    chain = replace(theorem1.JACOBIAN, applicable=lambda m: torch.ones(m.batch_shape, dtype=torch.bool))
    assert [n for n, _ in chain.walk(of(theorem1.JACOBIAN, extremal_instances(depth=2)["bulge"])).wrong] == [7]


def test_a_step_out_of_range_is_bad_input():
    with pytest.raises(InputError, match="steps #1 to #10, got #11"):
        theorem1.FUNCTION.with_step(11, Step("", "", "", (), lambda t: t))
