"""φ, states, changes and Jacobians in exact numbers and balls, against their definitions."""

from __future__ import annotations

import mpmath as mp
import pytest
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from drt.exact.network import ExactNetwork, minus, phi, squared_norm
from drt.exact.surds import ball
from tests import certify_reference as reference
from tests.exact.cases import identity, witness


@pytest.mark.parametrize("spec", reference.ACTIVATIONS)
def test_activations_agree_with_their_definition(spec):
    activation = phi(spec)
    with mp.workdps(60), ctx.workprec(200):
        for q in (fmpq(-3), fmpq(-1), fmpq(-1, 7), fmpq(0), fmpq(1, 2), fmpq(2, 3), fmpq(40)):
            for z in (q, arb(q)) if activation.exact else (arb(q),):
                for value, derivative in ((activation.value(z), False), (activation.slope(z), True)):
                    expected = reference._phi(spec, mp.mpf(int(q.p)) / int(q.q), derivative)
                    assert ball(value).overlaps(arb(expected, abs(expected) * mp.mpf(10) ** -50)), (spec, q)
        assert activation.value(arb(0)) == 0


@pytest.mark.parametrize("spec", ["tanh_blend:0.5", "softplus_blend:0.5", "negated:softplus_blend:0.5"])
def test_smooth_activations_far_out(spec):
    activation, sign = phi(spec), -1 if spec.startswith("negated") else 1
    for exponent in (3, 30, 300):
        far = arb(10) ** exponent
        flat = arb(1) / 2 if "tanh" in spec else arb(2).log() / 2  # (1 − a)·|ψ(−∞)|
        assert (activation.value(-far) + sign * (far / 2 + flat)).contains(0)
        assert abs(activation.value(-far) / far + sign * arb(1) / 2) < 1e-3
        assert abs(activation.slope(-far) - sign * arb(1) / 2) < 1e-9
        assert abs(activation.slope(far) - sign * (arb(1) / 2 if "tanh" in spec else 1)) < 1e-9


def test_slopes_around_a_kink_are_all_enclosed():
    activation = phi("piecewise_linear:-1.0,0.0,0.5/0.5,1.0,2.0,0.25")
    assert activation.slope(arb(0, 0.1)).contains(1)
    assert activation.slope(arb(0, 0.1)).contains(2)
    assert not activation.slope(arb(0, 0.1)).contains(0.25)
    assert activation.slope(arb(0, 2)).contains(0.25)
    assert activation.at_kink(arb(0, 0.1)) is None
    assert activation.at_kink(fmpq(1, 2))


PHI = "leaky_relu:0.25"


def network(activation=(PHI, "identity"), **changes):
    """Two layers by hand: z_1 = (1, −2) at x = (1, 1), moved to (2, −2)."""
    weights, dweights = [[[1, 0], [-1, -1]], [[1, 2]]], [[[1, 0], [0, 0]], [[0, "1/2"]]]
    return ExactNetwork(witness("theorem1.function", weights, dweights, [1, 1], activation, **changes))


def entries(matrix):
    return [[matrix[i, j] for j in range(matrix.ncols())] for i in range(matrix.nrows())]


def test_states_and_changes_by_hand():
    net = network()
    hidden, pre = net.states()
    assert [z.entries() for z in pre] == [[1, -2], [0]]
    assert [h.entries() for h in hidden] == [[1, 1], [1, fmpq(-1, 2)], [0]]
    assert net.states(moved=True)[0][-1].entries() == [2 - fmpq(5, 4)]
    assert net.change().entries() == [fmpq(3, 4)]
    assert (net.widths, net.depth, net.rational) == ((2, 2, 1), 2, True)


def test_biases_and_their_changes_move_pre_activations():
    net = network(biases=[[3, 0], None], dbiases=[["1/2", 0], None])
    assert net.states()[1][0].entries() == [4, -2]
    assert net.states(True)[1][0].entries() == [fmpq(11, 2), -2]
    assert net.change().entries() == [(fmpq(11, 2) - fmpq(5, 4)) - (4 - 1)]


def test_jacobians_by_hand():
    """Φ'_1 = diag(1, ¼)."""
    net = network()
    assert entries(net.jacobian(0)) == [[1 - fmpq(1, 2), -fmpq(1, 2)]]
    assert entries(net.jacobian(1)) == [[1, 2]]
    assert entries(net.jacobian(0, moved=True)) == [[2 - fmpq(5, 8), -fmpq(5, 8)]]
    balls = net.jacobian(0, exact=False)
    assert isinstance(balls[0, 0], arb)
    assert balls[0, 0] == fmpq(1, 2)


def test_curved_networks_are_balls_around_the_same_states():
    net = network("tanh_blend:0.5")
    with ctx.workprec(100), mp.workdps(60):
        h = net.states()[0][1].entries()
        for z, value in zip((1, -2), h, strict=True):
            assert value.overlaps(arb((mp.mpf(z) + mp.tanh(z)) / 2, 1e-40))
            assert value.rad() < 1e-28
        wider = net.states()[0][1].entries()[0].rad()
    with ctx.workprec(300):
        assert net.states()[0][1].entries()[0].rad() < wider * arb(2) ** -150, "computed once a precision"


def test_what_does_not_move_has_a_change_of_exactly_zero():
    """The second unit of layer 1 keeps its pre-activation: its part of the difference is 0, not two balls apart."""
    still = ExactNetwork(
        witness("theorem1.function", [identity(2)] * 2, [identity(2, 0)] * 2, [1, 2], "tanh_blend:0.5")
    )
    assert [v.is_zero() for v in still.change().entries()] == [True, True]
    crossed = ExactNetwork(witness("theorem1.function", [identity(2)], [[[1, -1], [1, 0]]], [1, 1], "tanh_blend:0.5"))
    with ctx.workprec(128):
        first, second = crossed.change().entries()
        assert first.is_zero()
        assert second > 0.5


def test_output_from_a_state_is_the_network_above_it():
    net = network()
    hidden, pre = net.output_from(1, net.states()[0][1])
    assert hidden[-1] == net.states()[0][-1]
    assert len(pre) == 1


def test_squared_norms_and_differences():
    a, b = fmpq_mat(1, 2, [fmpq(1, 2), 3]), fmpq_mat(1, 2, [1, 1])
    assert squared_norm(a) == fmpq(37, 4)
    assert squared_norm(minus(a, b)) == fmpq(17, 4)
    with ctx.workprec(64):
        assert squared_norm(minus(arb_mat(a), b)) == fmpq(17, 4)
