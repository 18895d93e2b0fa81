"""Fields of one witness in exact numbers and balls; `test_fields` holds all of them against the floats."""

from __future__ import annotations

import pytest
from flint import arb, ctx, fmpq

from drt.exact.measurement import ExactFunction, ExactJacobian
from drt.exact.network import ExactNetwork
from drt.exact.surds import Surd, ball
from tests.exact.cases import identity, witness


def test_the_kappa_of_one_by_two_matrices_is_one():
    w = witness("theorem1.function.as-stated", [[[1, 0]]], [[[0, "1/2"]]], ["1/1000", 1])
    with ctx.workprec(128):
        m = ExactFunction(ExactNetwork(w), 0, 128, True)
        assert m.kappa == 1
        assert m.delta[0] == 0.5


def of(weights, dweights, x, exact=True, activation="identity", twin=ExactFunction, layer=0):
    claim = "theorem1.function" if twin is ExactFunction else "theorem1.jacobian"
    return twin(ExactNetwork(witness(claim, weights, dweights, x, activation, layer)), layer, 128, exact)


def test_roots_are_exact_numbers_where_they_are_asked_for():
    """δ = ‖(1, 2)‖/‖(2, 4)‖ = ½ and ‖f‖ = √20: rational, a surd, and balls of both."""
    with ctx.workprec(128):
        m = of([[[2], [4]]], [[[1], [2]]], [1])
        assert m.delta[0] == fmpq(1, 2)
        assert isinstance(m.norm_f.entries.item(), Surd)
        assert m.norm_f.square() == 20
        balls = of([[[2], [4]]], [[[1], [2]]], [1], exact=False)
        assert isinstance(balls.norm_f.entries.item(), arb)
        assert balls.norm_f.entries.item().overlaps(ball(m.norm_f.entries.item()))


def test_kappa_of_a_zero_change_is_one_and_of_a_singular_matrix_infinite():
    with ctx.workprec(128):
        m = of([identity(2)] * 3, [identity(2, 0), [[1, 1], [1, 1]], identity(2)], [1, 2])
        assert [ball(v) for v in m.kappa_dw.entries] == [1, arb("inf"), 1]
        assert not ball(m.kappa.entries.item()).is_finite()
        assert m.norm_dw.entries.tolist()[0].as_rational() == 0


def test_a_reference_of_zero_has_no_change():
    m = of([[[1, -1]]], [[[1, 0]]], [1, 1])
    assert m.reference_squared == 0
    assert ball(m.change.entries.item()).is_nan()


def test_a_jacobian_is_of_the_layers_above_alone():
    """J_1 = W_3 W_2 = 6, moved to 3·(2 + 1) = 9."""
    m = of([[[5]], [[2]], [[3]]], [[[7]], [[1]], [[0]]], [1], twin=ExactJacobian, layer=1)
    with ctx.workprec(128):
        assert m.change == fmpq(1, 2)
        assert m.reference_squared == 36
        assert [v.as_rational() for v in m.delta.entries] == [fmpq(1, 2), 0]
        assert (m.depth, m.widths) == (2, (1, 1, 1))


def test_logarithms_are_those_of_the_fields():
    with ctx.workprec(128):
        m = of([[[2], [4]]], [[[1], [2]]], [1])
        assert ball(m.log_norm_f.entries.item()).overlaps(arb(20).sqrt().log())
        assert ball(m.log_change.entries.item()).overlaps(-arb(2).log())
        with pytest.raises(AttributeError, match="no field 'log_depth'"):
            _ = m.log_depth
