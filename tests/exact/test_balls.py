"""Exact and ball arrays: formulas mean on them what they mean on tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq

import drt
from drt.exact.balls import Balls, Undecided
from drt.exact.surds import Surd, ball

X, Y = [0.5, 0.25, 3.0], [2.0, 1.0, 0.125]

# Each is evaluated on tensors and on balls; the second must enclose the first to within a double's rounding.
FORMULAS = {
    "arithmetic": lambda x, y: (1 + x) * y - x / y + 2 / x - (3 - y),
    "powers": lambda x, y: x**2 + x**0.5 + 2**x + x**y + x**-1,
    "tensor operand": lambda x, y: torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64) * x - x,
    "numpy scalar": lambda x, y: x * np.float64(2.0),
    "sum": lambda x, y: x.sum(-1) + y.sum(),
    "prod": lambda x, y: x.prod(-1) * torch.prod(y, -1),
    "mean": lambda x, y: x.mean(-1) + torch.mean(y, dim=-1),
    "amax": lambda x, y: x.amax(-1) - y.amin(-1),
    "max values": lambda x, y: x.max(-1).values + y.max(-1)[0] + torch.max(x, -1).values + x.max(),
    "min values": lambda x, y: x.min(-1).values + torch.min(y, dim=-1).values,
    "max of two": lambda x, y: torch.max(x, y) + torch.maximum(x, y) + torch.minimum(x, y),
    "cumsum": lambda x, y: x.cumsum(-1) + torch.cumsum(y, -1) + y.cumsum(dim=-1),
    "cumprod": lambda x, y: x.cumprod(-1) + torch.cumprod(y, dim=-1),
    "methods": lambda x, y: x.log() + x.exp() + x.sqrt() + x.log1p() + x.expm1() + (-x).abs() + x.pow(3) + x.square(),
    "torch functions": lambda x, y: torch.log(x) + torch.exp(x) + torch.sqrt(x) + torch.log1p(y) + torch.expm1(y),
    "torch.special": lambda x, y: torch.special.expm1(x) + torch.special.log1p(y),
    "other logarithms": lambda x, y: torch.log2(x) + torch.log10(y) + torch.logaddexp(x, y),
    "logsumexp": lambda x, y: torch.logsumexp(x, -1) + y.logsumexp(-1),
    "clamp": lambda x, y: x.clamp(min=1.0) + torch.clamp(y, max=1.0) + torch.clamp(x, 0.3, 0.7),
    "where": lambda x, y: torch.where(x > 1, x, y) + torch.where(x <= y, 1.0, 0.0) * x,
    "masks": lambda x, y: x * (x > 0.3) + y * ((x > 1) | (y > 1)) + x * ~(y > 1) + x * ((x < 1) & (y == 1)),
    "all and any": lambda x, y: x * (y > 0).all(-1) + x * (y > 1).any(),
    "norms": lambda x, y: torch.linalg.norm(x, dim=-1) + torch.linalg.vector_norm(y, dim=-1) + torch.norm(x),
    "index": lambda x, y: x[0] * y + x[..., 1:].sum(-1) + x[..., -1] + x[..., None][1, 0],
    "shapes": lambda x, y: x.unsqueeze(-1).expand(3, 2).sum(0) * 2 + torch.stack([x, y], -1).prod(0),
    "joined": lambda x, y: torch.cat([x, y]).flip(-1) + torch.flip(torch.cat([y, x], dim=0), [0]),
    "like": lambda x, y: torch.ones_like(x) + torch.zeros_like(y) + torch.full_like(x, 0.5),
    "numbers": lambda x, y: drt.exp(x) + drt.log(y) + drt.maximum(x, y) + drt.maximum(x, 1.0) + drt.maximum(2.0, y),
    "drt reductions": lambda x, y: drt.sum(x) + drt.prod(y) + drt.maximum(x) + drt.product_minus_one(x),
    "product minus one": lambda x, y: drt.log_product_minus_one(x) + drt.log1p(y).sum(-1),
    "loop": lambda x, y: sum(a * b for a, b in zip(x, y, strict=True)),
    "scalars": lambda x, y: max(x.sum(), y.sum()) + min(x[0], 1) + len(x) + x.shape[-1],
    "keepdim": lambda x, y: x / x.sum(-1, keepdim=True) + x.amax(-1, keepdim=True),
    "types": lambda x, y: x.to(torch.float64).double().clone().detach() + x.reshape(-1),
}


def _encloses(balls: Balls, tensor: torch.Tensor) -> bool:
    tensor = torch.as_tensor(tensor, dtype=torch.float64)
    entries, values = balls.entries.ravel().tolist(), tensor.flatten().tolist()
    close = (ball(e).overlaps(arb(v, 64 * abs(v) * 2.0**-52 + 1e-300)) for e, v in zip(entries, values, strict=True))
    return balls.shape == tuple(tensor.shape) and all(close)


@pytest.mark.parametrize("kind", ["exact", "ball"])
@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_mean_the_same_on_balls(name, kind):
    formula = FORMULAS[name]
    expected = formula(*(torch.tensor(v, dtype=torch.float64) for v in (X, Y)))
    wrap = Surd.of if kind == "exact" else arb
    with ctx.workprec(128):
        result = formula(*(Balls([wrap(v) for v in values]) for values in (X, Y)))
        assert _encloses(result, expected)
        assert not _encloses(result * (1 + 1e-10), expected), "the comparison above must be able to fail"


@pytest.mark.parametrize(
    "f", [np.exp, np.log, np.sqrt, np.expm1, np.log1p, np.abs, np.square, np.negative, np.sum, np.prod]
)
def test_numpy_functions(f):
    assert _encloses(f(Balls.of(X)), torch.as_tensor(f(np.array(X))))


def test_numpy_functions_of_two():
    assert _encloses(np.maximum(Balls.of(X), Y), torch.tensor(np.maximum(X, Y)))
    assert _encloses(np.array(Y) * Balls.of(X), torch.tensor(np.multiply(X, Y)))


def test_equality_of_roots_is_decided_exactly():
    """√2·√6 = 2√3, and (1 + √2)(√2 − 1) = 1: true of the numbers, undecidable in balls."""
    two, six, three = (Balls(Surd.root(fmpq(n))) for n in (2, 6, 3))
    assert two * six == 2 * three
    assert (1 + two) * (two - 1) == 1
    assert Balls(Surd.root(fmpq(8, 9))) / two == 2 / Balls(Surd.of(3))
    assert two + three != Balls(Surd.root(fmpq(10)))  # √2 + √3 = 3.146…, √10 = 3.162…
    with pytest.raises(Undecided, match="not decided"):
        bool(Balls(arb(2).sqrt() * arb(6).sqrt()) == Balls(2 * arb(3).sqrt()))


def test_nearly_equal_roots_are_told_apart():
    """√(n² + 1) − n = 5e-41 at n = 10⁴⁰: the sign is found at whatever precision it takes."""
    n = 10**40
    assert Balls(Surd.root(fmpq(n * n + 1))) > n
    assert not Balls(Surd.root(fmpq(n * n))) > n


def test_comparisons_are_certain_or_undecided():
    wide = Balls([arb(1, 0.5), arb(3)])
    assert (wide > 0).all()
    assert not (wide > 2).all()
    with pytest.raises(Undecided):
        (wide > 1.2).all()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(wide > 0)


def test_what_would_lose_the_error_is_refused():
    with pytest.raises(TypeError, match="no exact float"):
        math.log(Balls.of(2.0))
    with pytest.raises(TypeError, match="sort is not available"):
        torch.sort(Balls.of(X))
    with pytest.raises(TypeError, match="p=1 is not available"):
        torch.linalg.norm(Balls.of(X), 1, dim=-1)


def test_zero_and_infinity():
    assert _encloses(Balls.of([0.0, 1.0]).log().exp(), torch.tensor([0.0, 1.0]))
    assert Balls(arb(0)).log().exp() == 0
    assert Balls.of(math.inf) > 10**400
    assert (1 / Balls.of(0.0)).entries.item().is_nan()
