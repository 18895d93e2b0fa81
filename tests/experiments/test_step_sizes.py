"""Step sizes: closed forms of scalar networks, an independent search, Theorem 1's constant, bad input."""

import math

import numpy as np
import pytest
import torch
from mpmath import mp

from drt.descent.losses import CrossEntropy, MeanSquaredError
from drt.errors import InputError
from drt.experiments.step_sizes import CROSSING_PRECISION, ETAS, LOSS_ROUNDING, first, log10_allowed, step_sizes
from drt.training.data import load_digits
from drt.training.training import TrainingConfig, make_model, train


def scalar(*weights):
    """x ↦ w_L ··· w_1 x."""
    layers = [torch.nn.Linear(1, 1, bias=False) for _ in weights]
    for layer, w in zip(layers, weights, strict=True):
        torch.nn.init.constant_(layer.weight, w)
    return torch.nn.Sequential(*(m for layer in layers for m in (layer, torch.nn.Identity())))


def squared(y):
    return MeanSquaredError(torch.tensor([[y]], dtype=torch.float64))


ONE = torch.ones(1, 1)


@pytest.mark.parametrize("y", [0.99, 0.8, 0.6])
def test_one_scalar_layer(y):
    """½(w − y)² at w = 1: the change is η/(1 − y), the loss is back at 2(1 − y). Both are approached from below."""
    found = step_sizes(scalar(1.0), ONE, squared(y))
    for value, exact in ((found.condition4, 1 - y), (found.loss_back, 2 * (1 - y))):
        assert exact * (1 - 1e-7) <= value <= exact * (1 + CROSSING_PRECISION)
    assert found.lemma2 == 1
    assert found.layer == 1


@pytest.mark.parametrize("y", [0.99, 0.81])
def test_two_scalar_layers(y):
    """½(w₂w₁ − y)² at w = 1: g₁(η)/g₁ = (1−η)[(1−η)² − y]/(1−y), zero at 1 − √y; the loss is back at 1 − √(2y − 1)."""
    found = step_sizes(scalar(1.0, 1.0), ONE, squared(y))
    for value, exact in ((found.condition4, 1 - math.sqrt(y)), (found.loss_back, 1 - math.sqrt(2 * y - 1))):
        assert exact * (1 - 1e-7) <= value <= exact * (1 + CROSSING_PRECISION)
    assert found.lemma2 == pytest.approx(math.sqrt(2) - 1)


def test_any_callable_is_a_loss_and_a_loss_that_never_comes_back_is_infinite():
    """The loss w: its gradient never changes."""
    found = step_sizes(scalar(1.0), ONE, lambda o: o.sum())
    assert (found.condition4, found.loss_back, found.layer) == (math.inf, math.inf, None)


@pytest.mark.parametrize("log_c", [-1.0, 0.0, 5.0, 39.9, 40.1, 700.0, 5000.0])
@pytest.mark.parametrize("depth", [1, 16])
def test_the_allowed_size_has_all_its_digits(log_c, depth):
    mp.dps = 4000
    exact = mp.log10((1 + mp.exp(-mp.mpf(log_c))) ** (mp.mpf(1) / depth) - 1)
    assert log10_allowed(log_c, depth) == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


def test_the_constant_is_that_of_theorem_1():
    """C = (β/α·κ²)^L with β/α = 10, κ = 3 (exactly): 90² for two layers."""
    model = make_model(TrainingConfig((2,)), 2, 2)
    with torch.no_grad():
        model[0].weight.copy_(torch.diag(torch.tensor([1.0, 3.0])))
        model[2].weight.copy_(torch.diag(torch.tensor([2.0, 1.0])))
    found = step_sizes(model, torch.tensor([[1.0, 0.5], [0.2, 1.0]]), CrossEntropy(torch.tensor([0, 1])))
    assert found.log10_constant == pytest.approx(math.log10(math.sqrt(1 + 1 / 8100) - 1), rel=1e-9)


@pytest.mark.parametrize("options", [{"residual": True}, {"normalisation": "batch"}])
def test_theorem_1_says_nothing_of_other_networks(options):
    digits = load_digits()
    model = make_model(TrainingConfig((8, 8), **options), 784, 10)
    assert math.isnan(step_sizes(model, digits.images[:40], CrossEntropy(digits.labels[:40])).log10_constant)


def test_relu_has_an_infinite_constant():
    digits = load_digits()
    model = make_model(TrainingConfig((8,), activation="relu"), 784, 10)
    assert step_sizes(model, digits.images[:40], CrossEntropy(digits.labels[:40])).log10_constant == -math.inf


@pytest.mark.parametrize("options", [{}, {"residual": True}, {"normalisation": "batch"}])
def test_on_trained_networks_it_is_what_a_plain_loop_finds(options):
    """Lemma 1 besides: while condition (4) holds the loss falls."""
    digits = load_digits()
    config = TrainingConfig((16, 16), steps_per_epoch=20, epochs=1, **options)
    model = train(config, digits).model.double()
    x, labels = digits.images[:100].double(), digits.labels[:100]
    found = step_sizes(model, x, CrossEntropy(labels))
    weights = [p.detach().clone() for p in model.parameters()]

    def at(eta, grads=None):
        with torch.no_grad():
            for p, w, g in zip(model.parameters(), weights, grads or weights, strict=True):
                p.copy_(w - eta * w.norm() / g.norm() * g)
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        return loss.item(), torch.autograd.grad(loss, list(model.parameters()))

    start, grads = at(0.0)

    def changes(eta):
        return [((new - old).norm() / old.norm()).item() for new, old in zip(at(eta, grads)[1], grads, strict=True)]

    def change(eta):
        return max(changes(eta))

    assert 0 < found.condition4 < found.loss_back < 1
    assert change(found.condition4) >= 1 - 1e-9
    assert changes(found.condition4)[found.layer - 1] == change(found.condition4)
    assert change(found.condition4 * (1 - CROSSING_PRECISION)) < 1
    assert at(found.loss_back, grads)[0] >= start
    assert at(found.loss_back * (1 - CROSSING_PRECISION), grads)[0] < start
    etas = np.linspace(0, found.condition4 * (1 - CROSSING_PRECISION), 30)[1:]
    assert max(change(eta) for eta in etas) < 1
    assert all(at(eta, grads)[0] < start for eta in etas)


def test_the_search_walks_up_and_bisects_down():
    asked = []

    def crossed(eta):
        asked.append(eta)
        return 0.2 <= eta <= 0.3 or eta >= 0.5

    found = first(crossed, (0.01, 0.1, 0.25, 0.9))
    assert 0.2 <= found <= 0.2 * (1 + CROSSING_PRECISION)
    assert max(asked) == 0.25
    assert first(crossed, (0.1, 0.4, 0.45)) == math.inf  # missed between two points, as the docstring says
    assert first(crossed, (0.25, 0.5)) == 0.25  # from the start on: at most
    assert ETAS[0] == pytest.approx(1e-5)
    assert ETAS[-1] < 1


def test_what_rounding_does_to_a_loss_is_no_rise():
    """A gradient of 1e-8: the loss falls by far less than its last digit, and rises again beyond."""

    def loss(o):
        return 1 + 1e-14 * (o - 0.5).square().sum()

    assert step_sizes(scalar(1.0), ONE, loss).loss_back == math.inf
    assert LOSS_ROUNDING < 1e-11


@pytest.mark.parametrize("etas", [(), (0.0, 0.1), (0.1, 1.0), (0.2, 0.1), (0.1, math.nan), (-0.1, 0.1)])
def test_grids_outside_0_to_1_are_named(etas):
    with pytest.raises(InputError, match=r"etas must rise within \(0, 1\), got \["):
        step_sizes(scalar(1.0), ONE, squared(0.5), etas)


def test_bad_checkpoints_are_named():
    digits = load_digits()
    model = make_model(TrainingConfig((8,)), 784, 10)
    x, labels = digits.images[:9], digits.labels[:9]
    with pytest.raises(InputError, match=r"labels\[0\] = 10 is out of range; expected 0 to 9 for 10 outputs"):
        step_sizes(model, x, CrossEntropy(labels * 0 + 10))
    with torch.no_grad():
        model[2].weight.zero_()
    with pytest.raises(InputError, match="the gradient of layer 1 is zero: there is no direction to follow"):
        step_sizes(model, x, CrossEntropy(labels))
    with torch.no_grad():
        model[0].weight.fill_(torch.inf)
    with pytest.raises(InputError, match="the loss must be finite, got nan: a diverged checkpoint"):
        step_sizes(model, x, CrossEntropy(labels))
