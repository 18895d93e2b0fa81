"""Numbers by their logarithms: against high precision at every scale, signs, zeros, derivatives, and what is unsupported."""

import math

import mpmath
import numpy as np
import pytest
import torch

from drt.numeric.lognumbers import LogNumber, Unsupported
from tests.instances import array

SCALES = (1e-300, 1e-17, 1e-3, 0.4, 1.0, 1.5, 1e3, 1e17, 1e300)


def number(log):
    return LogNumber(torch.tensor(log, dtype=torch.float64))


@pytest.mark.parametrize("x", SCALES)
@pytest.mark.parametrize("y", SCALES)
def test_arithmetic_agrees_with_300_digits(x, y):
    a, b = LogNumber.of(array(x)), LogNumber.of(array(y))
    with mpmath.workdps(700):
        p, q = mpmath.mpf(x), mpmath.mpf(y)
        for got, expected in ((a * b, p * q), (a / b, p / q), (a + b, p + q), (a**3, p**3), (1 + a, 1 + p)):
            log = float(mpmath.log(expected))
            assert float(got.logs) == pytest.approx(log, rel=1e-13, abs=1e-13)
        difference = a - b
        if x != y:
            # The logarithms of x and y are known to their rounding: relative to the gap that is what is lost.
            lost = 4e-16 * max(abs(math.log(x)), abs(math.log(y)), 1) * max(x, y) / abs(x - y)
            assert float(difference.log_of_size) == pytest.approx(float(mpmath.log(abs(p - q))), abs=4 * lost + 1e-13)
            assert bool(difference.negative.any() if difference.negative is not None else False) == (x < y)
        else:
            assert float(difference.log_of_size) == -math.inf


def test_one_plus_d_minus_one_does_not_cancel():
    """Π(1 + d) − 1 of d = 10⁻³⁰⁰ is 2·10⁻³⁰⁰, though 1 + d is 1 in floats; by the method and as it is written."""
    d = LogNumber.of(array(1e-300, 1e-300))
    for product in (d.product_minus_one(), (1 + d).prod() - 1):
        assert float(product.logs) == pytest.approx(math.log(2e-300), rel=1e-14)
    assert float(number([5000.0, 5000.0]).product_minus_one().logs) == pytest.approx(10000.0)


def test_what_overflows_and_what_is_zero():
    huge, nothing = number(5000.0), LogNumber.of(array(0.0))
    assert float((huge * huge / huge).logs) == 5000.0
    assert float(huge.plain()) == math.inf
    assert float((huge * nothing).logs) == -math.inf
    assert float((nothing + nothing).logs) == -math.inf
    assert float((nothing - nothing).log_of_size) == -math.inf
    assert float((1 + nothing).logs) == 0.0
    assert float(LogNumber.of(0).logs) == -math.inf


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("y", [-2.0, 0.0, 0.25, 7.0])
def test_signs(x, y):
    a, b = LogNumber.of(array(x)), LogNumber.of(array(y))
    assert float((a + b).plain()) == pytest.approx(x + y, abs=1e-14)
    assert float((a - b).plain()) == pytest.approx(x - y, abs=1e-14)
    assert float((y - a).plain()) == pytest.approx(y - x, abs=1e-14)
    assert float((a * b).plain()) == pytest.approx(x * y)
    assert float(a.maximum(b).plain()) == pytest.approx(max(x, y))
    assert float(abs(a).plain()) == pytest.approx(abs(x))
    assert bool(a > b) == (x > y)
    assert bool(a <= b) == (x <= y)
    assert bool(a < y) == (x < y)
    assert math.isnan(float(a.logs)) == (x < 0)


def test_over_the_layers():
    x = array([1.0, 2.0, 4.0], [3.0, -5.0, 0.5])
    n = LogNumber.of(x)
    assert n.sum().plain().tolist() == pytest.approx([7.0, -1.5])
    assert n.prod().plain().tolist() == pytest.approx([8.0, -7.5])
    assert LogNumber.of(x.abs()).amax().plain().tolist() == pytest.approx([4.0, 5.0])
    assert (n.per_layer().shape, n[..., 0].shape) == ((2, 3, 1), (2,))
    assert n.one().plain().tolist() == [[1.0] * 3] * 2


def test_functions():
    x = array(1e-9, 0.5, 3.0)
    n = LogNumber.of(x)
    for name in ("exp", "expm1", "log1p", "sqrt"):
        assert getattr(n, name)().plain().tolist() == pytest.approx(getattr(torch, name)(x).tolist(), rel=1e-13), name
    assert n.log().plain().tolist() == pytest.approx(torch.log(x).tolist())


def test_derivatives_pass_zeros():
    """A ΔW_l of zero must not turn the derivatives of the others into NaN."""
    x = array(0.0, 0.25, 2.0).requires_grad_()
    LogNumber.of(x).product_minus_one().logs.backward()
    product = 1.25 * 3
    assert x.grad.tolist() == pytest.approx([0.0, 3 / (product - 1), 1.25 / (product - 1)])
    y = array(0.0, 0.0).requires_grad_()
    (LogNumber.of(y)[..., 0] + LogNumber.of(y)[..., 1] + 1).logs.backward()
    assert y.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "use",
    [
        lambda n: torch.sigmoid(n),
        lambda n: np.exp(n),
        lambda n: math.exp(n),
        lambda n: float(n),
        lambda n: n.quantile(0.5),
        lambda n: n**-1,
        lambda n: 1 if n else 0,
    ],
)
def test_what_is_unsupported_says_so(use):
    with pytest.raises((Unsupported, TypeError)):
        use(LogNumber.of(array(1.0, 2.0)))


def test_a_tensor_beside_it_becomes_one():
    assert (
        torch.full((2,), 3.0, dtype=torch.float64) * LogNumber.of(array(1.0, 2.0))
    ).plain().tolist() == pytest.approx([3.0, 6.0])
