"""Singular values and condition numbers within their stated error, and norms that neither overflow nor underflow."""

import math

import pytest
import torch
from flint import arb

from drt.numeric.spectra import UNIT, exponent_of, norm, power_of_two, singular_values, spectrum, times_power_of_two
from tests import high_precision as hp
from tests.instances import array, generator, normal


def of(*matrices):
    zero = torch.zeros((), dtype=torch.float64)
    return spectrum(matrices, singular_values(matrices), [zero] * len(matrices))


def graded(rng, m, n, low):
    """Singular values from 1 down to `low`."""
    r = min(m, n)
    u, _ = torch.linalg.qr(normal(rng, m, r))
    v, _ = torch.linalg.qr(normal(rng, n, r))
    return (u * torch.logspace(0, math.log10(low), r, dtype=torch.float64)) @ v.mT


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (3, 3), (8, 8), (5, 12), (16, 16), (12, 3)])
@pytest.mark.parametrize("low", [1.0, 1e-2, 1e-6, 1e-12])
def test_extreme_singular_values_are_within_the_stated_error(shape, low):
    """|computed − true| ≤ (m + n)u·s_max, against eigenvalues of the exact Gram matrix."""
    rng = generator(shape[0])
    for a in (graded(rng, *shape, low), normal(rng, *shape)):
        s = of(a)
        with hp.precision():
            largest, smallest = hp.extreme_singular_values(a)
            allowed = arb(float(s.error[0])) * largest
            assert abs(arb(float(s.s_max[0])) - largest) <= allowed
            assert abs(arb(float(s.s_min[0])) - smallest) <= allowed
            kappa = largest / smallest
            low_end, high_end = (float(s.kappa(side)[0]) for side in (-1, 1))
            assert not kappa < low_end * (1 - 4 * UNIT)
            assert not kappa > high_end * (1 + 4 * UNIT)
            assert abs(arb(float(s.frobenius[0])) - hp.norm(hp.matrix(a))) <= (a.numel() + 4) * UNIT * float(
                s.frobenius[0]
            )


def test_rank_deficient_to_working_precision_is_infinite():
    """κ of a matrix that rounding cannot tell from a singular one is no number to put into a bound."""
    for a in (
        array([1.0, 1.0], [1.0, 1.0]),
        array([1.0, 0.0], [0.0, 1e-17]),
        torch.outer(array(1.0, 2.0, 3.0), array(0.1, 0.2)),
    ):
        assert of(a).kappa().tolist() == [math.inf]
        assert of(a).kappa(-1).tolist() == [math.inf]


def test_a_zero_perturbation_asks_nothing():
    s = of(torch.zeros(2, 3, dtype=torch.float64))
    assert s.kappa(of_zero=1.0).tolist() == [1.0]
    assert s.kappa().tolist() == [math.inf]
    assert s.log_norm().tolist() == [-math.inf]


def test_one_call_for_many_shapes_keeps_them_apart():
    rng = generator(0)
    matrices = [normal(rng, *batch, m, n) for batch, m, n in [((), 2, 3), ((5,), 3, 2), ((2, 2), 3, 3), ((4,), 2, 3)]]
    for a, values in zip(matrices, singular_values(matrices), strict=True):
        torch.testing.assert_close(values, torch.linalg.svdvals(a), rtol=1e-13, atol=1e-14)


def test_a_matrix_with_an_infinity_does_not_stop_the_others():
    """LAPACK refuses the whole batch; an overflowed ΔW must come out as undecided, not as a traceback."""
    good = array([3.0, 0.0], [0.0, 4.0])
    values = singular_values([torch.stack([good, good * math.inf]), good])
    assert values[0][0].tolist() == values[1].tolist() == [4.0, 3.0]
    assert values[0][1].tolist() == [math.inf, math.inf]


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1.0, 1e170, 1e300])
def test_norms_at_any_scale(scale):
    assert float(norm(array(3.0, 4.0) * scale)) == pytest.approx(5 * scale, rel=1e-15)
    assert float(norm(array([3.0], [4.0]) * scale, 2)) == pytest.approx(5 * scale, rel=1e-15)


def test_norms_of_mixed_batches():
    x = array([3e200, 4e200], [0.0, 0.0], [3e-200, 4e-200], [3.0, 4.0], [math.inf, 1.0])
    torch.testing.assert_close(norm(x), array(5e200, 0.0, 5e-200, 5.0, math.inf), rtol=1e-15, atol=0)


def test_powers_of_two():
    exponents = torch.tensor([-3000, -1023, -1022, -1, 0, 7, 1023, 1024, 3000])
    expected = [0.0, 0.0, 2.0**-1022, 0.5, 1.0, 128.0, 2.0**1023, math.inf, math.inf]
    assert power_of_two(exponents).tolist() == expected
    assert times_power_of_two(array(3 * 2.0**-1000), torch.tensor([1900])).tolist() == [3 * 2.0**900]
    assert times_power_of_two(array(2.0**1000), torch.tensor([-1900])).tolist() == [2.0**-900]
    assert times_power_of_two(array(1e-300), torch.tensor([5000])).tolist() == [math.inf]
    big = 2.0**100
    assert exponent_of(array([0.5, -3.0], [0.0, 0.0], [big, 3 * big], [0.0, 1 / big]), 1).tolist() == [0, 0, 102, -99]
