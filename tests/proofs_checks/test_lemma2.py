from dataclasses import replace

import pytest
import torch

from proofs_checks import lemma2
from proofs_checks.segment import draw, draw_trusting
from tests.proofs_checks.common import assert_every_lowered_step_is_named, assert_holds


@pytest.mark.parametrize("depth", [1, 2, 3, 8, 16])
def test_holds_where_deep_relative_trust_does(depth):
    s = draw_trusting(64, depth, 0.3, depth)
    walk = assert_holds(lemma2.LEMMA2, s)
    assert walk.applicable.all()
    assert (s.fall > 0).all()


def test_the_ends_are_the_breakdown_and_the_angle():
    s = draw_trusting(8, 3, 0.1, 0)
    walk = lemma2.LEMMA2.walk(s)
    torch.testing.assert_close(walk.logs[..., 0].exp(), s.breakdown.amax((0, -1)))
    torch.testing.assert_close(walk.logs[..., -1].exp(), s.cosines.amin(-1))


def test_a_squared_loss_breaks_the_model_and_nothing_else():
    """Without the hypothesis the first step is the one that fails: the model."""
    free = replace(lemma2.LEMMA2, applicable=lambda s: torch.ones(len(s.x), dtype=torch.bool))
    walk = free.walk(draw(32, 4, 4, 0.05, 0))
    assert 1 in [k for k, _ in walk.wrong]
    assert lemma2.LEMMA2.walk(draw(32, 4, 4, 0.05, 0)).counts(1)["inapplicable"] == 32


def test_a_lowered_step_is_named():
    assert_every_lowered_step_is_named(lemma2.LEMMA2, draw_trusting(16, 4, 0.1, 0))


@pytest.mark.parametrize("depth", [1, 3, 16])
def test_the_mean_holds_and_every_lowered_step_is_named(depth):
    s = draw_trusting(64, depth, 0.3, depth)
    walk = assert_holds(lemma2.MEAN, s)
    assert walk.applicable.all()
    _, w, _ = s.along()
    torch.testing.assert_close(walk.logs[..., 0].exp(), (w[:, None] * s.breakdown.amax(-1)).sum(0))
    e = s.eta
    torch.testing.assert_close(walk.logs[..., 2].exp(), ((1 + e) ** (depth + 1) - 1) / ((depth + 1) * e) - 1)
    assert (walk.logs[..., 1] < lemma2.LEMMA2.walk(s).logs[..., 1]).all()  # below what Lemma 2 asks for
    if depth > 1:  # of one layer nothing is left between the steps
        assert_every_lowered_step_is_named(lemma2.MEAN, s)


def test_the_constant_is_that_of_theorem_1():
    """C = (β/α·κ²)^L = 2³ for scalars with slope ½: η stays below (1 + 1/8)^{1/3} − 1, and the chain ends at cos θ."""
    s = draw_trusting(64, 3, 0.3, 5, "leaky_relu:0.5")
    assert float(s.eta.max()) == pytest.approx(0.999 * ((1 + 1 / 8) ** (1 / 3) - 1))
    walk = assert_holds(lemma2.CONSTANT, s)
    assert walk.applicable.all()
    logs = lemma2.LEMMA2.walk(s).logs
    torch.testing.assert_close(walk.logs[..., 1:4].exp(), 8 * logs[..., 1:4].exp())
    torch.testing.assert_close(walk.logs[..., -1].exp(), s.cosines.amin(-1))


def test_a_lowered_step_with_the_constant_is_named():
    assert_every_lowered_step_is_named(lemma2.CONSTANT, draw_trusting(16, 4, 0.1, 0, "leaky_relu:0.5"))
