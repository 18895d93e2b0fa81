"""Matrices in exact rationals: orthogonal frames, prescribed singular values, variants that keep κ and rank."""

import math

import pytest
import torch
from flint import fmpq, fmpq_mat

from drt.network.activations import identity, leaky_relu, relu
from drt.strategies.factors import CLEARLY_NON_ZERO, Factors, exact, frame, lets_through, reflector
from tests.instances import array


def unit(n):
    return fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


@pytest.mark.parametrize("v", [[0, 0, 0], [1, -1, 0], [2, 3, -1], [1]])
def test_reflectors_are_orthogonal_symmetric_and_turn_their_vector_round(v):
    n, h = len(v), reflector(v)
    assert h * h.transpose() == unit(n)
    assert h == h.transpose()
    column = fmpq_mat(n, 1, v)
    assert h * column == -1 * column


def test_frames_are_products_of_reflectors():
    assert frame(3) == unit(3)
    product = frame(3, [[1, 2, 3], [0, 1, -1]])
    assert product == reflector([1, 2, 3]) * reflector([0, 1, -1])
    assert product * product.transpose() == unit(3)


def a_matrix(m=3, n=2, singular=((1, 2), (3, 1))):
    return Factors(frame(m, [[1, 2, 0][:m]]), tuple(fmpq(p, q) for p, q in singular), frame(n, [[1, -3, 2][:n]]))


def test_a_matrix_has_the_singular_values_that_it_comes_with():
    f = a_matrix()
    matrix = f.matrix()
    assert matrix.singular.tolist() == [3.0, 0.5]
    torch.testing.assert_close(torch.linalg.svdvals(matrix.values), matrix.singular, rtol=1e-14, atol=0)
    assert f.s_max == 3
    assert f.frobenius == pytest.approx(math.sqrt(9.25), rel=1e-15)
    torch.testing.assert_close(torch.linalg.matrix_norm(matrix.values), array(f.frobenius)[0], rtol=1e-15, atol=0)


def test_entries_are_rounded_once():
    """P diag(s) Qᵀ in exact numbers, then to the nearest float."""
    f = a_matrix()
    product = f.left * fmpq_mat(3, 2, [fmpq(1, 2), 0, 0, 3, 0, 0]) * f.right.transpose()
    expected = [[int(product[i, j].p) / int(product[i, j].q) for j in range(2)] for i in range(3)]
    assert f.matrix().values.tolist() == expected


def test_scaled_and_negated():
    f = a_matrix()
    assert torch.equal(f.scaled(0.25).matrix().values, 0.25 * f.matrix().values)
    assert torch.equal(f.negated().matrix().values, -f.matrix().values)
    assert exact(0.1) == fmpq(*(0.1).as_integer_ratio())


@pytest.mark.parametrize("singular", [((1, 2), (3, 1)), ((0, 1), (3, 1))])
def test_variants_keep_kappa_and_rank_and_do_not_kill_the_direction(singular):
    f = a_matrix(2, 3, singular)
    variants = list(f.variants(2))
    assert len(variants) == 2 * 2 + 2 * 99
    first, minus, aimed, minus_aimed = (v.matrix().values for v in variants[:4])
    assert torch.equal(minus, -first)
    assert torch.equal(minus_aimed, -aimed)
    assert float(aimed[:, 2].norm()) == pytest.approx(3, rel=1e-15), (
        "e_2 is the direction of the largest singular value"
    )
    for v in variants:
        ratio = v.s_max / f.s_max
        assert v.singular == f.scaled(ratio).singular
        s = torch.linalg.svdvals(v.matrix().values)
        torch.testing.assert_close(s, v.matrix().singular, rtol=0, atol=1e-14 * float(s[0]))
    turned = variants[4].matrix().values
    assert (turned != 0).all()


def test_what_a_layer_lets_through_is_its_output_and_its_jacobian():
    w, h, j = array([2.0, 0.0], [1.0, -1.0]), array(1.0, 3.0), torch.eye(2, dtype=torch.float64)
    state, image = lets_through(w, array(0.5, 0.0), leaky_relu(0.1), h, j, off_kinks=True)
    assert state.tolist() == [2.5, pytest.approx(-0.2)]
    assert image.flatten().tolist() == pytest.approx([2.0, 0.0, 0.1, -0.1])


@pytest.mark.parametrize(
    ("w", "phi", "off_kinks", "through"),
    [
        ([[1.0, -1.0], [2.0, -2.0]], identity(), False, False),  # Wh = 0
        ([[1.0, -1.0], [2.0, -2.0 + CLEARLY_NON_ZERO / 10]], identity(), False, False),  # as good as 0
        ([[-1.0, 0.0], [0.0, -1.0]], relu(), False, False),  # all units off
        ([[1.0, -1.0], [1.0, 0.0]], leaky_relu(0.5), True, False),  # one at its kink
        ([[1.0, -1.0], [1.0, 0.0]], leaky_relu(0.5), False, True),
        ([[1.0, 0.0], [0.0, 1.0]], relu(), True, True),
    ],
)
def test_what_vanishes_is_not_let_through(w, phi, off_kinks, through):
    found = lets_through(array(*w), None, phi, array(1.0, 1.0), torch.eye(2, dtype=torch.float64), off_kinks)
    assert (found is not None) == through


def test_a_jacobian_that_vanishes_is_not_let_through():
    """h passes, ∂h/∂x does not."""
    w, phi = array([1.0, 0.0]), identity()
    assert lets_through(w, None, phi, array(1.0, 0.0), array([0.0, 0.0], [0.0, 1.0]), False) is None
    assert lets_through(w, None, phi, array(1.0, 0.0), array([1.0, 0.0], [0.0, 0.0]), False) is not None
