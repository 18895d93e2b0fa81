from dataclasses import replace

import pytest
import torch

from proofs_checks import lemma1
from proofs_checks.segment import draw
from tests.proofs_checks.common import assert_every_lowered_step_is_named, assert_holds

ACTIVATIONS = ("identity", "tanh_blend:0.5")


@pytest.mark.parametrize("chain", lemma1.CHAINS, ids=lambda c: c.claim)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("delta", [0.01, 1.0])
def test_holds_on_random_networks(chain, activation, depth, delta):
    assert_holds(chain, draw(32, depth, 3, delta, 0, activation), some=False)


def test_both_chains_apply_somewhere():
    assert lemma1.LEMMA1.walk(draw(32, 2, 3, 0.01, 0)).applicable.all()
    assert lemma1.CONDITION4.walk(draw(32, 2, 3, 0.01, 0)).applicable.any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_ends_are_the_lemma(activation):
    """𝓛(W+ΔW) − 𝓛(W) ≤ −Σ‖g‖‖ΔW‖[cos θ − max …], written out."""
    s = draw(16, 3, 4, 0.3, 1, activation)
    walk = lemma1.LEMMA1.walk(s)
    g, dw, _ = s.norms
    bound = -(g * dw * (s.cosines - s.breakdown.amax(0))).sum(-1)
    torch.testing.assert_close(walk.logs[..., -1].exp() + s.slope, bound, rtol=1e-9, atol=1e-9)
    assert (-s.fall <= bound).all()


def test_a_lowered_step_is_named():
    assert_every_lowered_step_is_named(lemma1.LEMMA1, draw(16, 3, 4, 0.3, 1))


def test_gradient_at_the_end_instead_of_the_maximum_is_caught_and_named():
    """The change of the gradient at t = 0 is none, and not the largest."""
    step = replace(lemma1.LEMMA1.steps[2], change=lambda t: t.picked("first"))
    start = lambda s: replace(  # noqa: E731
        lemma1.LEMMA1.start(s),
        numbers={**lemma1.LEMMA1.start(s).numbers, "first": lemma1.LEMMA1.start(s).numbers["norms"] * 2},
    )
    walk = replace(lemma1.LEMMA1, start=start).with_step(3, step).walk(draw(16, 3, 4, 0.1, 1))
    assert walk.named().startswith("lemma1#3, mean at most maximum")
