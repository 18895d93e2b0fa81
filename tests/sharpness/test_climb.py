"""The search inside a cell: it starts at extremal shapes, never falls, and reaches closed forms."""

import pytest
import torch

from drt.sharpness.climb import SHAPES, climb, search, starts
from drt.sharpness.inside import Problem, log_change, matrices
from tests.instances import array


def problem(kappa=(1.0, 4.0), depth=1, width=3):
    rows = len(kappa)
    return Problem(
        "function", depth, width, array(*kappa), array(*[1.0] * rows), array(*[0.1] * rows), True, False, "delta"
    )


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_first_restarts_are_extremal_shapes_as_they_are():
    """W = diag(1, κ, κ), ΔW ∝ diag(κ, 1, 1): the aware factor at once, without a step."""
    p = problem().rows(torch.tensor([1]).repeat_interleave(16))
    change = log_change(p, matrices(p, starts(p, 16, rng()))).exp()
    aware = 4 * ((2 * 16 + 1) / (16 + 2)) ** 0.5 * 0.1
    assert change[:SHAPES].max() == pytest.approx(aware, rel=1e-9)


def test_a_climb_hands_back_the_best_it_has_seen():
    p = problem().rows(torch.tensor([0, 1]).repeat_interleave(8))
    start = starts(p, 8, rng())
    before = log_change(p, matrices(p, start))
    best, highest = climb(p, start, 30, 0.05)
    assert (highest >= before - 1e-12).all()
    assert (highest > before + 0.01).any()
    torch.testing.assert_close(log_change(p, matrices(p, best)), highest, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(best["sign"], start["sign"], rtol=0, atol=0)


@pytest.mark.parametrize(("width", "r"), [(3, 3), (6, 6)])
def test_a_search_reaches_the_closed_form_in_every_cell(width, r):
    """κ·√(((r−1)κ²+1)/(κ²+r−1))·δ at one layer."""
    p = problem((1.0, 2.0, 5.0), width=width)
    found = search(p, 8, 60, rng())
    change = log_change(p, matrices(p, found)).exp()
    k = p.kappa
    expected = k * (((r - 1) * k**2 + 1) / (k**2 + r - 1)).sqrt() * 0.1
    assert (change <= expected * (1 + 1e-9)).all()
    assert (change >= 0.99 * expected).all()


def test_the_same_seed_finds_the_same():
    first, second = (search(problem(), 4, 5, rng(3)) for _ in range(2))
    assert all(torch.equal(first[n], second[n]) for n in first)
