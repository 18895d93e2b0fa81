"""Losses: values and differences in 50 digits, gradients by automatic differentiation, bad labels."""

import mpmath
import pytest
import torch

from drt.descent.losses import CrossEntropy, Custom, MeanSquaredError
from drt.errors import InputError
from tests.descent_cases import (
    LABELS,
    gaussian,
)


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-2, 10.0, 300.0])
def test_losses_know_their_differences(size):
    o, do, y = gaussian(5, (4, 6, 3), (4, 6, 3), (6, 3))
    do = do * size
    for loss in (MeanSquaredError(y), CrossEntropy(LABELS), Custom(CrossEntropy(LABELS))):
        if loss.name == "custom" and size > 1:
            continue
        values, slopes = loss.difference(o, do), loss.gradient_difference(o, do)
        with mpmath.workdps(50):
            for k in range(4):
                exact = _mp_loss(loss, o[k] + 0, do[k], y)
                assert float(values[k]) == pytest.approx(float(exact), rel=1e-9, abs=1e-300)
        numeric = torch.autograd.functional.jacobian(lambda z, f=loss: f(z).sum(), o)
        torch.testing.assert_close(loss.gradient(o), numeric)
        torch.testing.assert_close(slopes, loss.gradient(o + do) - loss.gradient(o), rtol=1e-9, atol=1e-15)


def _mp_loss(loss, o, do, y):
    total = mpmath.mpf(0)
    for i in range(6):
        p, q = [mpmath.mpf(v) for v in o[i].tolist()], [mpmath.mpf(v) for v in do[i].tolist()]
        if loss.name == "mse":
            t = [mpmath.mpf(v) for v in y[i].tolist()]
            total += sum((a + b - c) ** 2 - (a - c) ** 2 for a, b, c in zip(p, q, t, strict=True)) / 2
        else:
            k = int(LABELS[i])
            new = mpmath.log(sum(mpmath.e ** (a + b) for a, b in zip(p, q, strict=True))) - p[k] - q[k]
            total += new - mpmath.log(sum(mpmath.e**a for a in p)) + p[k]
    return total / 6


@pytest.mark.parametrize(
    "labels", [torch.tensor([0.5]), torch.tensor([[1]]), torch.tensor([True]), torch.zeros(0, dtype=torch.long)]
)
def test_labels_are_integers(labels):
    with pytest.raises(InputError, match="labels must be a non-empty list of integers"):
        CrossEntropy(labels)
