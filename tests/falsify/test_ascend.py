"""Gradient ascent: parametrisations that give back what they took, κ that holds by construction, and scores that rise."""

import pytest
import torch

import drt
from drt.falsify.ascend import Free, Spectral, ascend
from drt.falsify.evolve import score, structured
from drt.falsify.layout import Layout, measurement
from drt.falsify.space import Space

LAYOUT = Layout((2, 3, 3), ("leaky_relu:0.5", "identity"))
SPACE = Space(kappa=(1.0, 10.0), delta=(1e-3, 1.0))
CLAIM = drt.claims["spectral.function"]


def starts(count=12, seed=0):
    return structured(LAYOUT, count, SPACE, torch.Generator().manual_seed(seed))


def test_free_parameters_stand_for_the_vectors_they_came_from():
    theta = starts()
    start = Free(LAYOUT, theta)
    torch.testing.assert_close(start.theta(start.parameters), theta, rtol=1e-13, atol=1e-15)


def test_scales_of_segments_are_one_parameter_each():
    start = Free(LAYOUT, starts())
    half = len(start.parameters) // 2
    moved = [p.clone() for p in start.parameters]
    moved[half] += 1.0
    before, after = start.theta(start.parameters), start.theta(moved)
    torch.testing.assert_close(after[:, :6], before[:, :6] * torch.e, rtol=1e-13, atol=0)
    assert torch.equal(after[:, 6:], before[:, 6:])


def test_condition_numbers_hold_by_construction_whatever_the_parameters():
    start = Spectral(LAYOUT, starts(), 5.0)
    rng = torch.Generator().manual_seed(1)
    wild = [p + 3 * torch.randn(p.shape, generator=rng, dtype=torch.float64) for p in start.parameters]
    for parameters in (start.parameters, wild):
        m = measurement(CLAIM, LAYOUT.instance(start.theta(parameters)))
        assert (m.kappa_w <= 5 * (1 + 1e-9)).all()
    assert (measurement(CLAIM, LAYOUT.instance(start.theta(wild))).kappa_w > 2).any()


@pytest.mark.parametrize("kind", [Free, lambda layout, theta: Spectral(layout, theta, 10.0)], ids=["free", "spectral"])
def test_scores_rise_and_are_those_of_what_is_handed_back(kind):
    begin = kind(LAYOUT, starts())
    before = score(CLAIM, LAYOUT, begin.theta(begin.parameters), SPACE)
    theta, scores, done = ascend(CLAIM, LAYOUT, SPACE, begin, 25)
    assert done == 25 * 12
    counted = torch.isfinite(scores)
    assert (scores[counted] >= before[counted] - 1e-12).all()
    assert scores[counted].mean() > before[torch.isfinite(before)].mean() + 0.1
    torch.testing.assert_close(score(CLAIM, LAYOUT, theta[counted], SPACE), scores[counted], rtol=1e-9, atol=1e-9)


def test_where_nothing_is_an_instance_nothing_is_done():
    _, scores, done = ascend(CLAIM, LAYOUT, SPACE, Free(LAYOUT, 0 * starts()), 5)
    assert done == 0
    assert (scores == -torch.inf).all()


def test_a_start_that_is_no_instance_begins_at_one_that_is():
    theta = starts()
    theta[3] = torch.nan
    _, scores, _ = ascend(CLAIM, LAYOUT, SPACE, Free(LAYOUT, theta), 5)
    assert torch.isfinite(scores[3])
