"""Arrays of exact numbers and balls: shapes as tensors have them, and arithmetic entry by entry, exact where it can be."""

import math

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq

from drt.exact.ball_array import packed
from drt.exact.balls import Balls
from drt.exact.surds import Surd, ball


def plain(balls):
    """Entries as floats, in the array's shape."""
    return np.array([float(ball(v).mid()) for v in balls.entries.flat]).reshape(balls.shape).tolist()


GRID = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.unsqueeze(0),
        lambda x: x.unsqueeze(-1),
        lambda x: x[None].squeeze(0),
        lambda x: x[:1].squeeze(),
        lambda x: x.squeeze(1),  # not of length one: left as it is
        lambda x: x[1],
        lambda x: x[..., 1:],
        lambda x: x[0, 2],
        lambda x: x[0].expand(3, 3),
        lambda x: x[0].expand((2, -1)),
        lambda x: x[:, :1].expand(2, 4),
        lambda x: x.flip(0),
        lambda x: x.flip(-1, 0),
        lambda x: x.flip((0, 1)),
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape(-1),
        lambda x: x.to(torch.float64).double().clone().detach(),
    ],
)
def test_shapes_are_those_of_tensors(change):
    tensor, balls = change(torch.tensor(GRID)), change(Balls.of(GRID))
    assert balls.shape == tuple(tensor.shape)
    assert plain(balls) == tensor.tolist()
    assert (balls.ndim, balls.dim(), balls.size()) == (tensor.ndim, tensor.ndim, tuple(tensor.shape))


def test_iteration_and_length_are_over_the_first_dimension():
    x = Balls.of(GRID)
    assert len(x) == 2
    assert [plain(row) for row in x] == GRID
    assert x.size(1) == 3


def test_numbers_are_taken_exactly():
    """0.1 is the double that it is; ⅓ stays ⅓."""
    x = Balls.of([0.1, fmpq(1, 3), 7])
    assert [v.as_rational() for v in x.entries] == [fmpq(*(0.1).as_integer_ratio()), fmpq(1, 3), 7]
    assert [v.as_rational() for v in Balls.of(torch.tensor([0.1], dtype=torch.float64)).entries] == [
        x.entries[0].as_rational()
    ]
    assert not ball(Balls.of(math.inf).entries.item()).is_finite()
    assert Balls.of(x) is x


def test_arithmetic_of_rationals_is_exact():
    x = Balls.of([fmpq(1, 3), fmpq(2)])
    for result, expected in (
        (x + 1, [fmpq(4, 3), 3]),
        (1 - x, [fmpq(2, 3), -1]),
        (x * x, [fmpq(1, 9), 4]),
        (1 / x, [3, fmpq(1, 2)]),
        (x / 3, [fmpq(1, 9), fmpq(2, 3)]),
        (x**3, [fmpq(1, 27), 8]),
        (x**-1, [3, fmpq(1, 2)]),
        (-x, [fmpq(-1, 3), -2]),
        (abs(-x), [fmpq(1, 3), 2]),
        (x.square(), [fmpq(1, 9), 4]),
        (x.reciprocal(), [3, fmpq(1, 2)]),
        (x.clamp(min=fmpq(1, 2), max=1), [fmpq(1, 2), 1]),
        (x.maximum(1), [1, 2]),
        (x.minimum(1), [fmpq(1, 3), 1]),
    ):
        assert [v.as_rational() for v in result.entries] == expected


def test_broadcasting_pairs_entries_as_tensors_do():
    column, row = Balls.of([[1.0], [2.0]]), Balls.of([10.0, 20.0, 30.0])
    assert plain(column * row) == (torch.tensor([[1.0], [2.0]]) * torch.tensor([10.0, 20.0, 30.0])).tolist()


def test_functions_enclose_their_values():
    with ctx.workprec(100):
        x = Balls.of([fmpq(1, 3)])
        third = arb(1) / 3
        for result, expected in (
            (x.exp(), third.exp()),
            (x.log(), third.log()),
            (x.expm1(), third.expm1()),
            (x.log1p(), third.log1p()),
            (x.sqrt(), third.sqrt()),
            (x.log2(), third.log() / arb(2).log()),
            (x.log10(), third.log() / arb(10).log()),
            (x.logaddexp(1), (third.exp() + arb(1).exp()).log()),
        ):
            entry = ball(result.entries.item())
            assert entry.overlaps(expected)
            assert entry.rad() < 1e-25


def test_what_is_special_at_zero():
    """log 0 = −∞; 1/0 is no number; a ball around zero to a whole power is no logarithm of it."""
    zero = Balls.of(0.0)
    assert ball(zero.log().entries.item()) == arb("-inf")
    assert ball((1 / zero).entries.item()).is_nan()
    around = Balls(arb(0, 0.5))
    assert ball((around**2).entries.item()).contains(0)
    assert ball((around**2).entries.item()).upper() < 0.3
    assert ball((Balls(arb(2)) ** -3).entries.item()) == 0.125
    assert ball((Balls(Surd.root(fmpq(2))) ** 2).entries.item()) == 2


def test_a_ball_is_no_float():
    with pytest.raises(TypeError, match="a ball has no exact float"):
        float(Balls.of(1.0))


def test_packed_keeps_numbers_apart():
    """numpy would take a list of arrays as one more dimension."""
    assert packed([Surd.of(1), arb(2), Surd.of(3)], (3, 1)).shape == (3, 1)
    assert packed([Surd.of(1)], ()).item().as_rational() == 1


def test_its_text_shows_the_entries():
    assert repr(Balls([Surd.root(fmpq(2)), Surd.of(3)])) == "Balls([1·√2, 3])"
