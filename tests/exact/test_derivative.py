"""The derivative by divided differences: Proposition 1 holds, and a wrong Jacobian is found out."""

from __future__ import annotations

import pytest
from flint import arb, ctx, fmpq

from drt.exact import derivative
from drt.exact.certify import certify
from drt.exact.network import ExactNetwork, Piecewise, phi
from drt.exact.surds import Surd, Undecided, ball
from tests.exact.cases import witness


def test_proposition_1_is_checked_by_divided_differences(monkeypatch):
    weights = [[["1/2", -1], [2, 1]], [[1, 3], ["-1/5", 1]]]
    for spec in (
        "leaky_relu:0.1",
        "relu",
        "piecewise_linear:-0.5,0.25/0.5,1.0,2.0",
        "tanh_blend:0.5",
        "negated:softplus_blend:0.3",
    ):
        for layer in (0, 1):
            w = witness("proposition1", weights, weights, [1, "1/3"], spec, layer)
            assert certify(w).answer == "holds"
    assert certify(witness("proposition1", weights, weights, [2, 1], "leaky_relu:0.1")).reason.startswith(
        "differentiable"
    )
    # Seen to fail: slopes taken at the wrong pre-activation.
    slope = {kind: kind.slope for kind in (Piecewise, type(phi("tanh_blend:0.5")))}
    for kind, right in slope.items():
        monkeypatch.setattr(kind, "slope", lambda self, z, right=right: right(self, -z))
    for spec in ("leaky_relu:0.1", "softplus_blend:0.3"):
        assert certify(witness("proposition1", weights, weights, [1, "1/3"], spec)).answer == "violated"


def network(spec):
    weights = [[["1/2", -1], [2, 1]], [[1, 3], ["-1/5", 1]]]
    return ExactNetwork(witness("proposition1", weights, weights, [1, "1/3"], spec))


@pytest.mark.parametrize("layer", [0, 1])
def test_piecewise_linear_networks_agree_exactly_and_are_allowed_nothing(layer):
    net = network("leaky_relu:0.1")
    gap = derivative.gap(net, layer, 128)
    assert isinstance(gap, Surd)
    assert gap.sign() == derivative.allowance(net).sign() == 0


def test_steps_shrink_until_no_unit_leaves_its_piece():
    """A pre-activation 10⁻⁹ from its kink: a step of one would cross it, and the quotient would be no slope."""
    near = witness("proposition1", [[[1]], [[1]]], [[[1]], [[1]]], ["-1/1000000000"], "leaky_relu:0.1")
    assert derivative.gap(ExactNetwork(near), 0, 128).sign() == 0


def test_smooth_networks_agree_to_what_the_divided_difference_is_good_for():
    net = network("tanh_blend:0.5")
    for bits in (512, 1024):
        with ctx.workprec(bits):
            gap = derivative.gap(net, 0, bits)
            assert gap.upper() < arb(2) ** (-bits // 5)
            assert gap.upper() <= ball(derivative.allowance(net))


def test_too_few_bits_are_undecided_and_not_a_discrepancy():
    """ε = 2^−25 leaves an error of that size: more than is allowed, but more bits are to be had."""
    with ctx.workprec(64), pytest.raises(Undecided, match="the divided difference is not accurate enough"):
        derivative.gap(network("tanh_blend:0.5"), 0, 64)


def test_a_jacobian_off_by_a_tenth_is_a_gap_of_a_tenth(monkeypatch):
    net = network("leaky_relu:0.1")
    right = net.jacobian(0)
    monkeypatch.setattr(net, "jacobian", lambda layer: right * 10 / 9)
    assert derivative.gap(net, 0, 128).as_rational() == fmpq(1, 10)
