"""Samplers: what is prescribed is what is measured, to the rounding of an SVD."""

import math

import pytest
import torch

import drt
from drt.errors import InputError
from drt.measurement.sampling import (
    PERTURBATIONS,
    SPECTRA,
    WIDTH_PATTERNS,
    Matrix,
    Recipe,
    gaussian,
    generator,
    orthonormal,
    scaled_to,
    widths_of,
    with_kappa,
    with_rank,
    with_singular_values,
)


def rounding(m: int, n: int, kappa: float) -> float:
    """Relative error of κ: s_max and s_min each to (m + n)u of s_max, once for building and once for measuring."""
    return 4 * (m + n) * 2.0**-53 * kappa


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 2)])
@pytest.mark.parametrize("kappa", [1.0, 2.0, 1e6])
def test_condition_number_is_exact(spectrum, shape, kappa):
    matrix = with_kappa((20,), *shape, kappa, generator(0), spectrum)
    s = torch.linalg.svdvals(matrix.values)
    assert torch.allclose(s[:, 0] / s[:, -1], torch.tensor(kappa, dtype=s.dtype), rtol=rounding(*shape, kappa), atol=0)
    assert matrix.singular is not None
    assert torch.allclose(s, matrix.singular, rtol=0, atol=4 * sum(shape) * 2.0**-53 * kappa)


def test_vectors_have_condition_number_1():
    """One singular value: κ = 1 whatever was asked."""
    m = with_kappa((5,), 1, 4, 7.0, generator(0))
    assert torch.equal(m.singular, torch.ones(5, 1, dtype=torch.float64))


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_rank_is_exact(rank):
    matrix = with_rank((10,), 5, 4, rank, generator(3))
    assert (torch.linalg.matrix_rank(matrix.values) == rank).all()
    assert ((matrix.singular > 0).sum(-1) == rank).all()


def test_orthonormal_columns_are_haar():
    """Orthonormal to rounding, and the first entry is as often positive as negative."""
    q = orthonormal((2000,), 4, 2, generator(0))
    eye = torch.eye(2, dtype=torch.float64)
    assert (q.mT @ q - eye).abs().max() < 1e-14
    assert abs(float(torch.sign(q[:, 0, 0]).mean())) < 4 / math.sqrt(2000)


@pytest.mark.parametrize("norm", ["delta", "rho"])
@pytest.mark.parametrize("perturbation", [p for p in PERTURBATIONS if p != "zero"])
def test_relative_size_is_exact(norm, perturbation):
    recipe = Recipe((3, 4, 4), "leaky_relu:0.3", delta=0.05, norm=norm, perturbation=perturbation)
    m, _ = drt.measure_all(recipe.draw(16, generator(2)))
    assert torch.allclose(getattr(m, norm), torch.tensor(0.05, dtype=torch.float64), rtol=1e-13, atol=0)


def test_known_spectra_are_what_an_svd_finds():
    """κ and ρ without an SVD agree with κ and ρ with one."""
    instance = Recipe((5, 5, 5), "identity", kappa=30.0).draw(8, generator(4))
    assert set(instance.known) == {"w", "dw"}
    known, _ = drt.measure_all(instance)
    found = drt.measure(instance.net, instance.dweights, instance.x)
    for field in ("kappa_w", "kappa_dw", "rho", "delta"):
        assert torch.allclose(getattr(known, field), getattr(found, field), rtol=rounding(5, 5, 30), atol=0)


def test_gradient_perturbation_is_the_gradient():
    """Rank one, and a step along it changes ½‖f − y‖² as automatic differentiation says."""
    instance = Recipe((3, 3, 2), "leaky_relu:0.5", perturbation="gradient").draw(4, generator(5))
    assert (torch.linalg.matrix_rank(instance.dweights[0]) == 1).all()


def test_dead_units_give_no_gradient_and_no_nan():
    """ReLU, everything dead: the gradient is zero and stays zero when scaled."""
    zero = Matrix(torch.zeros(2, 3, 3, dtype=torch.float64))
    assert torch.equal(scaled_to(zero, gaussian((2,), 3, 3, generator(0)), 0.1).values, zero.values)


@pytest.mark.parametrize("pattern", WIDTH_PATTERNS)
def test_width_patterns_are_what_they_say(pattern):
    widths = widths_of(pattern, 6, 8)
    steps = [b - a for a, b in zip(widths, widths[1:], strict=False)]
    assert len(widths) == 7
    assert max(widths) == 8
    assert {
        "constant": all(s == 0 for s in steps),
        "expanding": all(s >= 0 for s in steps) and widths[0] < 8,
        "contracting": all(s <= 0 for s in steps) and widths[-1] < 8,
        "valley": steps[0] <= 0 <= steps[-1] and min(widths) < 8,
        "bulge": steps[0] >= 0 >= steps[-1] and widths[0] < 8,
    }[pattern]


def test_same_seed_same_draw():
    recipe = Recipe((3, 3), "identity")
    first, second = (recipe.draw(4, generator(9)) for _ in range(2))
    assert torch.equal(first.net.weights[0], second.net.weights[0])
    assert torch.equal(first.x, second.x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: with_kappa((1,), 2, 2, 0.5, generator(0)), "kappa must be finite and >= 1, got kappa=0.5"),
        (lambda: with_kappa((1,), 2, 2, math.inf, generator(0)), "kappa must be finite"),
        (lambda: with_kappa((1,), 2, 2, 2.0, generator(0), "flat"), "spectrum='flat' is not known"),
        (lambda: with_rank((1,), 3, 2, 3, generator(0)), r"rank must be from 1 to 2 for shape \(3, 2\), got rank=3"),
        (lambda: with_singular_values(torch.ones(1, 3), 2, 2, generator(0)), r"3 singular values, but .* has 2"),
        (lambda: with_singular_values(-torch.ones(1, 2), 2, 2, generator(0)), "s must be >= 0, got -1"),
        (lambda: widths_of("constant", 0, 3), "depth must be >= 1, got depth=0"),
        (lambda: widths_of("constant", 2, 0), "width must be >= 1, got width=0"),
        (lambda: widths_of("zigzag", 2, 3), "pattern='zigzag' is not known"),
        (lambda: generator(-1), "seed must be an integer from 0"),
        (lambda: generator(True), "seed must be an integer"),
        (lambda: Recipe((2, 2), "identity", delta=-1.0).draw(1, generator(0)), "delta must be >= 0, got -1"),
        (lambda: Recipe((2, 2), "identity", norm="l1").draw(1, generator(0)), "norm='l1' must be delta or rho"),
        (lambda: Recipe((2, 2), "identity", weights="big").draw(1, generator(0)), "weights='big' is not known"),
        (lambda: Recipe((2, 2), "identity", perturbation="x").draw(1, generator(0)), "perturbation='x' is not known"),
    ],
)
def test_impossible_requests_are_named(call, words):
    with pytest.raises(InputError, match=words):
        call()
