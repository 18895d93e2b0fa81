"""Matrices on their way through layers: the product, its gains, and an error bound that holds for whatever was carried."""

import pytest
import torch
from flint import arb, arb_mat

from drt.numeric.spectra import exponent_of, norm
from proofs_checks.carried import Carried, Diagonal, Factor
from tests import high_precision as hp
from tests.instances import array, generator, normal


def factor(matrix):
    return Factor(
        matrix, torch.linalg.matrix_norm(matrix, 2) * (1 + 1e-12), torch.linalg.matrix_norm(matrix) * (1 + 1e-12)
    )


def case(seed, left, error, scale=1.0):
    """Two matrices (3×2 or 2×4), a layer of 4×3 and its four slopes."""
    rng = generator(seed)
    slopes = Diagonal(normal(rng, 4).abs(), error * normal(rng, 4).abs())
    value = normal(rng, 2, *((3, 2) if left else (2, 4)))
    return Carried(value, error * normal(rng, 2).abs()), slopes, factor(scale * normal(rng, 4, 3))


@pytest.mark.parametrize("left", [True, False])
def test_a_layer_multiplies_by_its_matrix_and_its_slopes(left):
    carried, slopes, layer = case(0, left, 0.0, 2.0**200)
    out, by_slopes, by_matrix = carried.through(slopes, layer, left)
    diagonal = torch.diag(slopes.slopes)
    expected = diagonal @ layer.matrix @ carried.value if left else carried.value @ diagonal @ layer.matrix
    scale = 2.0 ** -exponent_of(expected, 2).double()
    assert (scale < 2.0**-100).all()
    torch.testing.assert_close(out.value, expected * scale[:, None, None], rtol=1e-14, atol=1e-15)
    gain = (by_slopes + by_matrix).value
    torch.testing.assert_close(gain, torch.log(norm(expected, 2) / norm(carried.value, 2)), rtol=1e-13, atol=0)
    between = layer.matrix @ carried.value if left else carried.value * slopes.slopes
    first = by_matrix if left else by_slopes
    torch.testing.assert_close(
        first.value, torch.log(norm(between, 2) / norm(carried.value, 2)), rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("error", [0.0, 1e-12, 1e-2])
def test_the_error_bound_holds_for_everything_within_the_errors_of_what_was_multiplied(left, error):
    """In 360 digits: the carried matrix moved by its error in a random direction, every slope to one of its two ends."""
    seen = []
    for seed in range(20):
        carried, slopes, layer = case(seed, left, error)
        out = carried.through(slopes, layer, left).carried
        rng = generator(seed + 1000)
        ends = slopes.error * torch.sign(normal(rng, 4))
        for t in range(2):
            direction = normal(rng, *carried.value.shape[1:])
            with hp.precision():
                moved = hp.matrix(carried.value[t])
                if error:
                    direction = hp.matrix(direction)
                    moved += direction * (arb(float(carried.error[t])) / hp.norm(direction))
                s = [arb(a) + arb(b) for a, b in zip(slopes.slopes.tolist(), ends.tolist(), strict=True)]
                diagonal = arb_mat(4, 4, [s[i] if i == j else 0 for i in range(4) for j in range(4)])
                w = hp.matrix(layer.matrix)
                true = diagonal * w * moved if left else moved * diagonal * w
                off = hp.norm(true - hp.matrix(out.value[t]))
                assert off <= arb(float(out.error[t]))
                seen.append(float(off / float(out.error[t])))
    assert max(seen) > (0.3 if error else 0.01), "a bound that is never near is no bound to believe"


def test_the_bound_needs_the_errors_of_the_slopes():
    """One entry, slope 1 ± ½: what comes out is off by ½, which no other term pays for."""
    one = array([[[1.0]]])[0]
    out = Carried(one, array(0.0)).through(Diagonal(array(1.0), array(0.5)), factor(one[0]), True)
    assert float(out.carried.error) == pytest.approx(0.5, rel=1e-12)
    assert float(out.slopes.error) == pytest.approx(-torch.log1p(array(-0.5)).item(), rel=1e-12)
    assert float(out.matrices.error) < 1e-14


def test_nothing_stays_nothing():
    """Zero has no logarithm: its gains are −∞, not NaN, and certain where its error is 0."""
    zero = Carried(torch.zeros(1, 3, 2, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    slopes = Diagonal(torch.ones(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64))
    out, by_slopes, by_matrix = zero.through(slopes, factor(normal(generator(0), 4, 3)), True)
    assert float(out.error) == 0
    assert by_slopes.value.item() == by_matrix.value.item() == -torch.inf
    assert by_slopes.error.item() < 1e-14
