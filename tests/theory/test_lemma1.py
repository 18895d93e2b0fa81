"""Lemma 1 and condition (4): hold, are attained, fail where a hypothesis is dropped, and see a planted error."""

from dataclasses import replace

import pytest
import torch

import drt
from drt.descent.losses import Custom, MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.theory.registry import claims
from drt.theory.verdict import Verdicts
from tests.descent_cases import (
    ACTIVATIONS,
    case,
)
from tests.instances import array

LEMMA1, MEAN, CONDITION4 = claims["lemma1"], claims["lemma1.mean"], claims["condition4"]


def scalar(step, y=0.0):
    """𝓛 = ½(w − y)², w = 1."""
    return measure_descent(
        drt.Network([array([1.0])], "identity"), [array([step])], array([1.0]), MeanSquaredError(array([y]))
    )


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", [1e-6, 0.01, 0.5])
def test_they_hold(activation, loss, size):
    m = measure_descent(*case(7, activation, loss, size, batch=(20,)))
    # Where every ReLU of a layer is off, the pre-activations above are 0: at the kink, where there is no gradient to bound.
    assert Verdicts(LEMMA1, m).count("holds") >= (14 if activation == "relu" else 20)
    assert Verdicts(LEMMA1, m).count("violated") == 0
    assert Verdicts(CONDITION4, m).count("violated") == 0


@pytest.mark.parametrize("step", [-0.5, -1e-6, 0.3])
def test_the_excess_of_a_parabola_is_half_the_bound(step):
    """One weight: excess ½Δw², bound |g|·|Δw|·|Δw|/|g|: the ratio is ½, and no better for any quadratic."""
    verdict = drt.check(LEMMA1, scalar(step))
    assert verdict.outcome == "holds"
    assert verdict.ratio == pytest.approx(0.5, rel=1e-6)
    assert verdict.rhs == pytest.approx(step**2, rel=1e-9)


@pytest.mark.parametrize("step", [-0.5, -1e-3, 0.3])
def test_a_parabola_attains_the_mean(step):
    """The mean change is |Δw|/(2|g|): both sides are ½Δw², and rounding cannot tell which is larger; 1 % less is violated."""
    m = scalar(step)
    assert m.mean_breakdown.tolist() == pytest.approx([abs(step) / 2], rel=1e-12)
    assert drt.check("lemma1.mean", m).ratio == pytest.approx(1, rel=1e-6)
    for share, outcome in ((0.99, "violated"), (1.01, "holds")):
        planted = replace(MEAN, formula=lambda m, share=share: share * MEAN.formula(m))
        assert drt.check(planted, m).outcome == outcome


def test_it_is_nearly_attained():
    """The attack's openings come within 2·10⁻⁴ of equality: a gradient that jumps at once and then stays."""
    found = falsify(Target("lemma1"), Space(), 0.5, 1, jobs=1)
    assert found.status == "survived"
    assert 0.9998 < found.ratio <= 1 + 1e-9


def test_condition_4_is_sharp_for_a_parabola():
    """cos θ = 1 and the change is |Δw|: it ends where |Δw| = |g|, while the loss falls until |Δw| = 2|g|."""
    assert drt.check(CONDITION4, scalar(-0.999)).outcome == "holds"
    assert drt.check(CONDITION4, scalar(-0.999)).ratio == pytest.approx(0.4995)
    assert drt.check(CONDITION4, scalar(-1.001)).outcome == "inapplicable"
    assert "bracket: layer 1: cos θ = 1, change in gradient 1" in drt.check(CONDITION4, scalar(-1.001)).reason


def test_without_the_bracket_the_loss_may_rise():
    dropped = CONDITION4.with_hypotheses(["-bracket"])
    assert drt.check(dropped, scalar(-2.5)).outcome == "violated"
    assert drt.check(dropped, scalar(-1.9)).outcome == "holds"


def test_a_planted_bound_is_violated():
    """Two fifths of the bound, where the parabola uses half."""
    less = replace(LEMMA1, formula=lambda m: 0.4 * LEMMA1.formula(m))
    assert drt.check(less, scalar(-0.5)).outcome == "violated"
    assert drt.check(replace(LEMMA1, formula=lambda m: 0.51 * LEMMA1.formula(m)), scalar(-0.5)).outcome == "holds"


def test_a_maximum_that_was_evaluated_cannot_fake_a_violation():
    """With the evaluated maximum too small the verdict waits for the upper bound; with none of that it is undecided."""
    m = measure_descent(*case(7, "leaky_relu:0.1", size=0.5, batch=(4,)))
    known = m.changes
    known.__dict__["largest"] = torch.full_like(known.largest, 1e-9)
    assert Verdicts(LEMMA1, m).count("violated") == 0
    known.__dict__["largest_upper"] = torch.full_like(known.largest, torch.inf)
    verdicts = Verdicts(LEMMA1, m)
    assert verdicts.count("undecided") > 0
    assert verdicts.count("violated") == 0


def test_a_zero_gradient_is_inapplicable():
    verdict = drt.check(LEMMA1, scalar(0.1, y=1.0))
    assert (verdict.outcome, verdict.reason) == (
        "inapplicable",
        "gradients: a layer's gradient is zero, or nothing moves",
    )


def test_a_loss_without_rounding_bounds_is_undecided():
    net, dws, x, _ = case(0)
    m = measure_descent(net, dws, x, Custom(lambda o: o.square().sum()))
    assert Verdicts(LEMMA1, m).count("undecided") == 3


def test_biases_may_be_there():
    m = measure_descent(*case(8, "tanh_blend:0.3", "cross-entropy", 0.1, biases=True))
    assert Verdicts(LEMMA1, m).count("holds") == 3


def test_a_perturbation_orthogonal_to_the_gradient_promises_nothing():
    """𝓛 = ½(w·x − y)², ΔW ⟂ x: cos θ = 0, so the bracket fails, no step size is allowed, and the loss stays as it is."""
    net = drt.Network([array([1.0, 1.0])], "identity")
    m = measure_descent(net, [array([0.1, -0.1])], array([1.0, 1.0]), MeanSquaredError(array([5.0])))
    assert (float(m.cosines[0]), float(m.fall)) == (0.0, 0.0)
    assert drt.check(CONDITION4, m).reason.startswith("bracket: layer 1: cos θ = 0,")
    assert drt.check("lemma2", m).reason.startswith("step-size: η = 0.1, allowed are 0 (cos θ = 0)")
    assert (drt.check(LEMMA1, m).lhs, drt.check(LEMMA1, m).rhs) == (0.0, 0.0)
