"""α, β, slopes and differences of every φ, against the function itself in 360 digits."""

import math

import pytest
import torch
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

import drt
from drt.network.activations import PiecewiseLinear
from tests import high_precision as hp
from tests.instances import ALL, OTHERS, PIECEWISE

UNIT = 2.0**-53
SPECS = [*ALL, "leaky_relu:1e-300", "piecewise_linear:0.0/3.0,1.0", "piecewise_linear:/2.5", "tanh_blend:1e-06"]
sizes = st.sampled_from([1e-200, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 1.0, 3.0, 40.0, 1e4, 1e12])
numbers = st.builds(lambda m, s: m * s, st.floats(-1, 1), sizes) | st.sampled_from([0.0, -1.0, 0.5, 2.0, 1.0])
specs = st.sampled_from(SPECS)


def t(*values):
    return torch.tensor(values, dtype=torch.float64)


def phi_of(spec):
    return drt.parse_activation(spec)


@settings(max_examples=500)
@given(specs, numbers, numbers)
def test_transmission_holds_for_the_function_itself(spec, u, v):
    """α|u| ≤ |φ(u)| ≤ β|u| and the same for differences: what every claim's proof starts from."""
    phi = phi_of(spec)
    with hp.precision():
        for p, q in [(u, 0.0), (u, v)]:
            gap, rise = abs(arb(p) - q), abs(hp.phi(spec, arb(p)) - hp.phi(spec, arb(q)))
            assert not rise < phi.alpha * gap  # a ball that straddles equality proves nothing
            assert not rise > phi.beta * gap


@pytest.mark.parametrize("spec", ALL)
def test_alpha_and_beta_are_the_best_constants(spec):
    """Looser constants would pass the test above and weaken every claim."""
    z = torch.linspace(-60, 60, 24001, dtype=torch.float64)
    slopes = phi_of(spec).slope(z).abs()
    assert float(slopes.min()) == pytest.approx(phi_of(spec).alpha, rel=1e-12, abs=1e-12)
    assert float(slopes.max()) == pytest.approx(phi_of(spec).beta, rel=1e-12)


@settings(max_examples=500)
@given(specs, numbers)
def test_values_are_exact_to_the_stated_ulps(spec, z):
    phi = phi_of(spec)
    with hp.precision():
        true = hp.phi(spec, arb(z))
        assert abs(arb(float(phi(t(z)))) - true) <= phi.ulps * UNIT * phi.beta * abs(arb(z)) + 1e-320


@settings(max_examples=500)
@given(specs, numbers, numbers)
def test_differences_do_not_cancel(spec, z, dz):
    """φ(z + dz) − φ(z) to the stated ulps of β|dz|, however small dz is beside z."""
    phi = phi_of(spec)
    computed = float(phi.difference(t(z), t(dz)))
    with hp.precision():
        true = hp.phi(spec, arb(z) + dz) - hp.phi(spec, arb(z))
        assert abs(arb(computed) - true) <= phi.ulps * UNIT * phi.beta * abs(arb(dz)) + 1e-320


@pytest.mark.parametrize("spec", SPECS)
def test_subtraction_would_have_failed_that(spec):
    """The test above has teeth: φ(z + dz) − φ(z) by subtraction is wrong in every digit."""
    phi, z, dz = phi_of(spec), t(3.3), t(1e-17)
    if phi.slope(z) == 0:
        pytest.skip("flat there: the difference is 0 either way")
    assert float(phi(z + dz) - phi(z)) == 0
    assert float(phi.difference(z, dz)) == pytest.approx(float(phi.slope(z)) * 1e-17, rel=1e-12)


@settings(max_examples=500)
@given(specs, numbers, numbers)
def test_slope_differences_do_not_cancel(spec, z, dz):
    """Within `slope_difference_error` at exact arguments; one rounding of β where slopes are constants.

    Where z + dz rounds to a kink the slope on its left is taken.
    """
    phi = phi_of(spec)
    computed = float(phi.slope_difference(t(z), t(dz)))
    base = phi.base if hasattr(phi, "base") else phi
    if isinstance(base, PiecewiseLinear) and z + dz in base.kinks:
        return
    with hp.precision():
        true = hp.slope(spec, arb(z) + dz) - hp.slope(spec, arb(z))
        allowed = float(phi.slope_difference_error(t(z), t(dz), t(0.0), t(0.0)))
        assert abs(arb(computed) - true) <= allowed + UNIT * abs(true) + 1e-320


@settings(max_examples=500)
@given(specs, numbers, numbers, st.floats(-1, 1), st.floats(-1, 1), sizes, sizes)
def test_slope_difference_error_covers_inexact_arguments(spec, z, dz, p, q, e_z, e_dz):
    phi = phi_of(spec)
    allowed = float(phi.slope_difference_error(t(z), t(dz), t(e_z), t(e_dz)))
    with hp.precision():
        z_true, dz_true = arb(z) + arb(p) * e_z, arb(dz) + arb(q) * e_dz
        there = hp.slope(spec, z_true + dz_true) - hp.slope(spec, z_true)
        here = hp.slope(spec, arb(z) + dz) - hp.slope(spec, arb(z))
        assert not abs(there - here) > arb(allowed) * (1 + 1e-12)


@given(specs, numbers, sizes, st.floats(-1, 1), st.floats(-1, 1))
def test_slope_variation_bounds_the_slopes_nearby(spec, z, radius, p, q):
    phi = phi_of(spec)
    allowed = float(phi.slope_variation(t(z), t(radius)))
    with hp.precision():
        gap = hp.slope(spec, arb(z) + arb(p) * radius) - hp.slope(spec, arb(z) + arb(q) * radius)
        assert not abs(gap) > arb(allowed) * (1 + 1e-12)


def test_several_kinks_in_between():
    """From −3 to 5 across kinks at −1, 0.5 and 2, by hand."""
    phi = phi_of(PIECEWISE)
    assert float(phi.difference(t(-3.0), t(8.0))) == 0.5 * 2 + 1.0 * 1.5 + 0.25 * 1.5 + 2.0 * 3
    assert float(phi.difference(t(5.0), t(-8.0))) == -float(phi.difference(t(-3.0), t(8.0)))


@pytest.mark.parametrize("spec", SPECS)
def test_slopes_are_those_of_autograd(spec):
    phi = phi_of(spec)
    z = torch.linspace(-7, 7, 997, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(phi(z).sum(), z)
    torch.testing.assert_close(phi.slope(z.detach()), slope, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("spec", ["relu", "leaky_relu:0.1"])
def test_the_slope_at_a_kink_is_the_left_one_as_in_torch(spec):
    phi, z = phi_of(spec), t(0.0).requires_grad_()
    (slope,) = torch.autograd.grad(phi.module()(z).sum(), z)
    assert phi.slope(t(0.0)) == slope == phi.alpha


@pytest.mark.parametrize("spec", SPECS)
def test_homogeneous_says_whether_scale_passes_through(spec):
    phi, z = phi_of(spec), torch.linspace(-3, 3, 60, dtype=torch.float64)
    assert phi.homogeneous == torch.equal(phi(4 * z), 4 * phi(z))


@pytest.mark.parametrize("spec", SPECS)
def test_a_text_names_one_function(spec):
    phi = phi_of(spec)
    assert phi.spec == spec
    assert phi == phi_of(f" {spec} ")
    assert hash(phi) == hash(phi_of(spec))
    assert spec in repr(phi)


@given(st.lists(st.floats(-5, 5), max_size=4, unique=True).map(sorted), st.data())
def test_any_piecewise_linear_function_survives_its_text(kinks, data):
    slopes = data.draw(st.lists(st.floats(0.01, 10), min_size=len(kinks) + 1, max_size=len(kinks) + 1))
    phi = drt.piecewise_linear(kinks, slopes)
    z = torch.linspace(-6, 6, 25, dtype=torch.float64)
    assert torch.equal(phi(z), phi_of(phi.spec)(z))
    assert (phi.alpha, phi.beta) == (min(slopes), max(slopes))


@pytest.mark.parametrize("spec", SPECS)
def test_modules_compute_the_same(spec):
    z = torch.linspace(-3, 3, 61, dtype=torch.float64)
    module = phi_of(spec).module()
    torch.testing.assert_close(module(z), phi_of(spec)(z), rtol=1e-15, atol=0)
    if "blend" in spec:
        assert spec in repr(module)


def test_negation_twice_is_nothing():
    assert drt.negated(drt.negated(drt.leaky_relu(0.1))) == drt.leaky_relu(0.1)


def test_far_out_nothing_overflows():
    """|z| = 1e300: softplus and cosh would."""
    z = t(-1e300, 1e300)
    for spec in [s for s in OTHERS if "1e-" not in s]:
        phi = phi_of(spec)
        for value in (phi(z), phi.slope(z), phi.difference(z, -z), phi.slope_difference(z, -z / 2)):
            assert torch.isfinite(value).all(), spec
    assert math.isclose(float(phi_of("softplus_blend:0.2")(t(-1e300))), -0.2e300)
