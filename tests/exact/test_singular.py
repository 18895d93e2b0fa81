"""Extreme singular values of exact matrices: rational where they are, else in balls that every route agrees on."""

from __future__ import annotations

import pytest
import torch
from flint import arb, ctx, fmpq, fmpq_mat

from drt.exact.singular import SingularValues


@pytest.mark.parametrize("exponent", [9, 20, 100, 300])
def test_nearly_singular_matrices_have_finite_kappa(exponent):
    matrix = fmpq_mat(3, 3, [1, 1, 1, 1, 1 + fmpq(1, 10**exponent), 1, 1, 1, 2])
    with ctx.workprec(128):
        values = SingularValues(matrix)
        largest, smallest = values.enclosure(128)
        assert values.full_rank
        assert abs((largest / smallest).log() / arb(10).log() - exponent) < 2
        # |det| = 10^−exponent = s_1 s_2 s_3
        product = largest * smallest * (arb(values.frobenius_squared) - largest**2 - smallest**2).sqrt()
        assert product.overlaps(arb(10) ** -exponent)


@pytest.mark.parametrize("n", [1, 2, 5, 16])
def test_singular_values_of_every_route_agree(n):
    generator = torch.Generator().manual_seed(n)
    for rows in (n, n + 3):
        a = torch.randn(rows, n, generator=generator, dtype=torch.float64).flatten().tolist()
        matrix = fmpq_mat(rows, n, [fmpq(*v.as_integer_ratio()) for v in a])
        with ctx.workprec(256):
            coarse, fine = SingularValues(matrix).enclosure(128), SingularValues(matrix.transpose()).enclosure(256)
        for c, f in zip(coarse, fine, strict=True):
            assert c.overlaps(f)
            assert f.rel_accuracy_bits() > 200
            assert c.rel_accuracy_bits() > 30


@pytest.mark.parametrize("spread", [4, 12, 40])
def test_graded_matrices(spread):
    """Rows scaled by 10⁰ … 10^−spread: doubles lose s_min, balls do not. s_1·…·s_n = |det|."""
    n = 12
    generator = torch.Generator().manual_seed(spread)
    rows = torch.randn(n, n, generator=generator, dtype=torch.float64).tolist()
    scaled = [fmpq(*v.as_integer_ratio()) / 10 ** (spread * i // (n - 1)) for i, row in enumerate(rows) for v in row]
    matrix = fmpq_mat(n, n, scaled)
    with ctx.workprec(256):
        inverse = SingularValues(matrix.inv())
        for (largest, smallest), bits in ((SingularValues(matrix).enclosure(b), b) for b in (128, 256)):
            assert (1 / smallest).overlaps(inverse.enclosure(256)[0])
            assert smallest.rel_accuracy_bits() > (25 if bits == 128 else 200)
            assert largest.rel_accuracy_bits() > 40


def test_exact_singular_values():
    rotated = fmpq_mat(2, 2, [3, 4, 5, 0])  # singular values √40 and √10, AᵀA not diagonal
    assert SingularValues(rotated).exact_squares == (40, 10)
    assert SingularValues(rotated).diagonal_squares is None
    assert SingularValues(fmpq_mat(2, 2, [1, 1, 0, 1])).exact_squares is None  # golden ratio
    assert SingularValues(fmpq_mat(3, 1, [1, 2, 2])).diagonal_squares == (9, 9)
