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
