"""Trust on the whole segment: certain only where it is proved, and certain in most of the clear cases."""

import math

import pytest
import torch
from flint import ctx

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.descent.trust import certainly_trusted, growth_error
from drt.exact.hypotheses import unmet
from drt.numeric.spectra import UNIT
from tests.descent_cases import (
    case,
    exact_descent,
    gaussian,
)
from tests.instances import array

PHIS = ["leaky_relu:0.25", "leaky_relu:0.05"]


def test_both_ways_agree_on_trust():
    """In floats it is certain only where it is proved exactly; and it is certain at once or twice in three of those cases."""
    certain = proved = 0
    for seed in range(30):
        depth, far = 1 + seed % 3, (1, 30)[seed % 2]
        *parts, x, y = gaussian(seed, *[(2, 2)] * (2 * depth), (1, 2), (1, 2))
        net, steps = drt.Network(parts[:depth], PHIS[seed % 2]), [(0.03, 0.3, 1.0)[seed % 3] * d for d in parts[depth:]]
        m = measure_descent(net, steps, x, MeanSquaredError(far * y))
        mine = bool(certainly_trusted(m, torch.zeros((), dtype=torch.float64)))
        with ctx.workprec(128):
            exact = unmet(("trust",), exact_descent(net, steps, x, far * y)) == ""
        assert exact or not mine
        certain, proved = certain + mine, proved + exact
    assert 5 < proved < 25
    assert certain > 0.9 * proved


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ["leaky_relu:0.25", "tanh_blend:0.3", "softplus_blend:0.2"])
def test_certain_trust_survives_a_fine_grid(activation, loss):
    """Six inputs, smooth φ, softmax: where trust is certain, 500 points agree; it is in most of the clear cases."""
    certain = clear = 0
    for seed in range(5):
        m = measure_descent(*case(seed, activation, loss, size=0.02))
        log_c = torch.full((3,), 1.5, dtype=torch.float64)
        trusted = certainly_trusted(m, log_c)
        t = torch.logspace(-6, 0, 500, dtype=torch.float64)[:, None].expand(-1, 3)
        log_trust = drt.log_product_minus_one(t.unsqueeze(-1) * m.delta) + log_c
        gap = (m.segment.along(t).change.amax(-1).log() - log_trust).amax(0)
        assert (gap[trusted] <= 1e-9).all()
        certain, clear = certain + int(trusted.sum()), clear + int((gap < -0.2).sum())
    assert 0.5 * clear < certain < 15


def test_planted_rates_forgotten_are_caught(monkeypatch):
    """Were the first interval's rate 0, trust would be certain of what fails near t = 0 only."""
    from drt.descent import trust as descent_trust

    net = drt.Network([array([1.0])], "identity")
    m = measure_descent(net, [array([0.5])], array([1.0]), MeanSquaredError(array([1.5])))
    zero = torch.zeros((), dtype=torch.float64)
    assert not certainly_trusted(m, zero)
    monkeypatch.setattr(descent_trust, "largest_rates", lambda e, end: 0 * m.changes.largest)
    monkeypatch.setattr(
        descent_trust, "largest_changes", lambda e, left, right: 0 * m.changes.largest.expand(len(left), 1)
    )
    assert certainly_trusted(m, zero)


def test_certainty_needs_the_whole_product_and_not_its_first_order():
    """Four scalars, a linear loss, δ_k = 1: change_l(t) = (1 + t)³ − 1 ≤ (1 + t)⁴ − 1, but 7 > Σδ_k = 4 at t = 1."""
    weights = [array([2.0]), array([3.0]), array([0.5]), array([1.5])]
    net = drt.Network(weights, "identity")
    # ½‖f − y‖² with y = −10⁹ is as good as linear; the change of ∂𝓛/∂f is below 10⁻⁷.
    m = measure_descent(net, weights, array([1.0]), MeanSquaredError(array([-1e9])))
    assert m.step_change.tolist() == pytest.approx([7.0] * 4, rel=1e-6)
    assert (m.step_change > m.delta.sum()).all()
    assert certainly_trusted(m, torch.zeros((), dtype=torch.float64))
    assert not certainly_trusted(m, torch.full((), -math.log(15 / 6.99), dtype=torch.float64)), "15 C < 7: it fails"


@pytest.mark.parametrize(("target", "met"), [(2.5, True), (1.5, False), (-0.5, True)])
def test_trust_of_a_scalar(target, met):
    """½(wx − y)², δ = ½: ‖g(t) − g‖/‖g‖ = tδ/|1 − y| ≤ tδ just where |1 − y| ≥ 1; at equality it is not certain."""
    net, zero = drt.Network([array([1.0])], "identity"), torch.zeros((), dtype=torch.float64)
    m = measure_descent(net, [array([0.5])], array([1.0]), MeanSquaredError(array([target])))
    assert bool(certainly_trusted(m, zero)) == met
    tie = measure_descent(net, [array([0.5])], array([1.0]), MeanSquaredError(array([2.0])))
    assert not certainly_trusted(tie, zero)


def test_the_growth_s_error_grows_with_what_it_is_made_of():
    shallow, deep = (measure_descent(*case(0)), measure_descent(*case(0, size=1e-9)))
    zero = torch.zeros(3, dtype=torch.float64)
    assert growth_error(shallow, zero) == growth_error(deep, zero) == (3 * (25 + 4) + 16) * UNIT
    assert growth_error(shallow, zero + 99) == pytest.approx(100 * growth_error(shallow, zero))
