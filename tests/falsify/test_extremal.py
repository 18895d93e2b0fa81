"""The extremal constructions attain, or break, what they are said to, in closed form."""

import math

import pytest
import torch

import drt
from drt.falsify.extremal import EPSILON, WIDE, ConstructionGrid, constructions
from drt.measurement.measurement import measure_all
from drt.theory.verdict import Verdicts
from tests.instances import array

KAPPA, DELTA = array(1.0, 3.0, 10.0), array(0.1, 1e-3, 2.0)


def built(name, depth=2, n=3, alpha=0.5, kappa=KAPPA, delta=DELTA):
    return constructions[name](depth, n, alpha, kappa, delta)


def log_ratio(claim_id, made):
    function, jacobians = measure_all(made)
    claim = drt.claims[claim_id]
    return Verdicts(claim, function if claim.quantity == "function" else jacobians[0]).log_ratio


@pytest.mark.parametrize("name", constructions)
@pytest.mark.parametrize("depth", [1, 3])
def test_every_construction_is_a_batch_of_that_depth(name, depth):
    made = built(name, depth)
    assert made.net.depth == depth
    assert made.batch_shape == (3,)
    assert torch.isfinite(measure_all(made)[0].log_norm_df).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_scalars_attain_every_bound_of_the_function_where_phi_is_linear(depth):
    made = built("scalars", depth, alpha=1.0)
    assert torch.allclose(measure_all(made)[0].change, (1 + DELTA) ** depth - 1, rtol=1e-12)
    for claim_id in ("theorem1.function", "kappa.function", "spectral.function", "telescoping.function"):
        assert log_ratio(claim_id, made).abs().max() < 1e-12


def test_only_the_layer_that_is_said_to_moves():
    for name, still in (("first_scalar", slice(1, None)), ("last_scalar", slice(0, -1))):
        m, _ = measure_all(built(name, 3))
        assert (m.delta[:, still] == 0).all()
        assert torch.allclose(m.change, DELTA, rtol=1e-12)


def test_a_sign_flip_attains_the_ratio_of_slopes_for_large_delta():
    made = built("sign_flip", 2, alpha=0.1, delta=array(1e6, 1e6, 1e6))
    assert log_ratio("spectral.function", made).exp().min() > 0.999


def test_aware_has_the_dimension_aware_factor():
    """κ·√(((n−1)κ²+1)/(κ²+n−1))·δ at one layer."""
    n = 16
    m, _ = measure_all(built("aware", 1, n))
    expected = KAPPA * ((((n - 1) * KAPPA**2 + 1) / (KAPPA**2 + n - 1)) ** 0.5) * DELTA
    torch.testing.assert_close(m.change, expected, rtol=1e-12, atol=0)


def test_identity_rank_one_moves_by_root_n():
    m, _ = measure_all(built("identity_rank_one", 1, 16, alpha=1.0))
    torch.testing.assert_close(m.change, 4 * DELTA, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("name", "claim_id"),
    [
        ("fall", "theorem1.function.as-stated"),
        ("late_fall", "theorem1.function.as-stated"),
        ("bulge", "theorem1.jacobian.as-stated"),
    ],
)
def test_what_is_false_breaks_by_about_one_over_epsilon(name, claim_id):
    ratio = log_ratio(claim_id, built(name, 2, alpha=1.0, kappa=KAPPA[:1], delta=array(0.1))).exp()
    assert 0.1 / EPSILON < float(ratio) < 10 / EPSILON


def test_channels_come_close_to_the_spectral_bound():
    made = built("rank_one_channels", 2, alpha=0.1, kappa=array(10.0), delta=array(1e3))
    assert -0.1 < float(log_ratio("spectral.function", made)) <= 1e-12


def test_a_bias_cancels_the_signal_and_not_its_change():
    m, _ = measure_all(built("bias_cancels", 1, alpha=1.0, kappa=KAPPA[:1], delta=array(0.1)))
    assert float(m.norm_f) == pytest.approx(EPSILON, rel=1e-9)
    assert float(m.change) == pytest.approx(0.1 / EPSILON, rel=1e-9)


def test_a_grid_is_every_combination_shallow_first():
    grid = ConstructionGrid(depths=(1, 2), widths=(2, 4), alphas=(0.5,), kappas=(1.0, 2.0), deltas=(0.1, 1.0, 2.0))
    found = list(grid.instances())
    assert len(found) == 2 * (len(constructions) + len(WIDE))
    assert [i.net.depth for _, i in found] == sorted(i.net.depth for _, i in found)
    assert {i.batch_shape for _, i in found} == {(6,)}
    assert [name for name, _ in grid.instances(["fall"])] == ["fall", "fall"]
    assert math.isclose(float(measure_all(found[0][1])[0].delta[0, 0]), 0.1)
