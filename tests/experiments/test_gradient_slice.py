"""Slices against the straightforward loop: every η a full backward pass in float64."""

import dataclasses

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from drt.errors import InputError
from drt.experiments.chain_gradient import layers_of
from drt.experiments.gradient_slice import FULL_SVD_UP_TO, _spectral_norm, slice_along_gradient
from drt.training.data import load_digits
from drt.training.training import TrainingConfig, make_model, train

ETAS = (0.0, 0.001, 0.01, 0.03, 0.1)
CONFIG = TrainingConfig((24, 24, 24), steps_per_epoch=10, epochs=1, checkpoints=(10,))


def naive(model, x, labels, etas, layer):
    """Loss and ‖g_l(η) − g_l‖_F/‖g_l‖_F, transcribed: all parameters, all gradients, every time."""
    model = model.to(x.dtype)
    base = dict(model.named_parameters())
    grads = dict(zip(base, torch.autograd.grad(cross_entropy(model(x), labels), list(base.values())), strict=True))
    watched = [name for name, p in base.items() if p.ndim == 2][layer - 1]
    losses, changes = [], []
    for eta in etas:
        moved = {
            n: (p - eta * p.norm() / grads[n].norm() * grads[n]).detach().requires_grad_() for n, p in base.items()
        }
        loss = cross_entropy(functional_call(model, moved, x), labels)
        loss.backward()
        losses.append(loss.item())
        changes.append(((moved[watched].grad - grads[watched]).norm() / grads[watched].norm()).item())
    return losses, changes


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def trained(digits, **options):
    config = dataclasses.replace(CONFIG, **options)
    run = train(config, digits)
    assert run.outcome == "finished"
    return run.model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"biases": True, "activation": "relu"},
        {"residual": True},
        {"residual": True, "biases": True, "activation": "tanh_blend:0.2"},
        {"activation": "identity"},
        {"activation": "softplus_blend:0.3"},
        {"activation": "piecewise_linear:-0.5,0.5/0.2,1.0,0.2"},
        {"hidden": ()},
        {"normalisation": "batch"},
    ],
)
@pytest.mark.parametrize("layer", [1, 2, 4])
def test_a_slice_is_the_straightforward_loop(digits, options, layer, monkeypatch):
    """float64 to 1e-10, float32 to 1e-3, at every layer; three blocks of inputs, the last a short one."""
    monkeypatch.setattr("drt.experiments.chain_gradient.ENTRIES_PER_BLOCK", 500 * 24)
    model = trained(digits, **options)
    if layer > len(model) / 2 and "hidden" in options:
        pytest.skip("one layer only")
    assert (layers_of(model) is None) == ("normalisation" in options)
    x, labels = digits.images[:1100], digits.labels[:1100]
    losses, changes = naive(model, x.double(), labels, ETAS, layer)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-3)):
        found = slice_along_gradient(model, x.to(dtype), labels, ETAS, layer)
        assert found.losses.tolist() == pytest.approx(losses, rel=tolerance)
        assert found.changes.tolist() == pytest.approx(changes, rel=tolerance)
        assert found.changes[0] == 0
    assert changes[-1] > 0.01


def test_models_that_are_no_chain_go_through_autograd(digits):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 12), torch.nn.LayerNorm(12), torch.nn.Tanh(), torch.nn.Linear(12, 10)
    )
    assert layers_of(model) is None
    x, labels = digits.images[:200].double(), digits.labels[:200]
    losses, changes = naive(model, x, labels, ETAS, 1)
    found = slice_along_gradient(model, x, labels, ETAS, 1)
    assert found.losses.tolist() == pytest.approx(losses, rel=1e-12)
    assert found.changes.tolist() == pytest.approx(changes, rel=1e-10)


@pytest.mark.parametrize("shape", [(10, 784), (FULL_SVD_UP_TO + 1, 300), (300, FULL_SVD_UP_TO + 1), (1, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spectral_norms(shape, dtype):
    """Gaussian, nearly rank one, and zero."""
    a, u, v = (
        torch.randn(s, generator=torch.Generator().manual_seed(1), dtype=dtype) for s in (shape, shape[0], shape[1])
    )
    for matrix in (a, torch.outer(u, v) + 0.01 * a, 0 * a):
        exact = float(torch.linalg.svdvals(matrix.double())[0])
        assert float(_spectral_norm(matrix)) == pytest.approx(exact, rel=1e-5 if dtype == torch.float32 else 1e-12)


def test_rho_is_the_spectral_norm_of_the_direction_over_that_of_the_weight(digits):
    model = trained(digits)
    found = slice_along_gradient(model, digits.images[:300].double(), digits.labels[:300], (0.0,))
    weights = list(model.parameters())
    grads = torch.autograd.grad(cross_entropy(model(digits.images[:300].double()), digits.labels[:300]), weights)
    expected = [
        (g * w.norm() / g.norm()).svd().S[0].item() / w.svd().S[0].item() for g, w in zip(grads, weights, strict=True)
    ]
    assert found.rho.tolist() == pytest.approx(expected, rel=1e-6)


def test_a_network_without_gradient_has_a_loss_but_no_change(digits):
    """All logits equal whatever the weights below: the last layer is zero, and so is every gradient below it."""
    model = make_model(CONFIG, 784, 10)
    with torch.no_grad():
        model[-2].weight.zero_()
    found = slice_along_gradient(model, digits.images[:100], digits.labels[:100], ETAS)
    assert torch.isnan(found.changes).all()
    assert found.losses.tolist() == pytest.approx([2.302585] * len(ETAS), rel=1e-5)


@pytest.mark.parametrize(
    ("etas", "layer", "words"),
    [
        ((0.1, -0.1), 1, r"etas must be finite and >= 0, got \[0.1, -0.1\]"),
        ((float("nan"),), 1, "etas must be finite"),
        ((0.1,), 0, "layer must be an integer from 1 to 4, got layer=0"),
        ((0.1,), 5, "layer must be an integer from 1 to 4, got layer=5"),
    ],
)
def test_bad_input_is_named(digits, etas, layer, words):
    with pytest.raises(InputError, match=words):
        slice_along_gradient(make_model(CONFIG, 784, 10), digits.images[:9], digits.labels[:9], etas, layer)


def test_a_diverged_checkpoint_is_named(digits):
    model = make_model(CONFIG, 784, 10)
    with torch.no_grad():
        model[0].weight.fill_(torch.inf)
    with pytest.raises(InputError, match="the loss must be finite, got nan: a diverged checkpoint has no slice"):
        slice_along_gradient(model, digits.images[:9], digits.labels[:9], ETAS)


def test_a_gradient_that_overflows_is_named(digits):
    model = make_model(dataclasses.replace(CONFIG, hidden=(8,)), 784, 10)
    with torch.no_grad():
        model[0].weight.mul_(1e-30)
        model[2].weight.mul_(1e30)
    with pytest.raises(InputError, match=r"the gradient of 0\.weight must be finite, got norm inf: it has no slice"):
        slice_along_gradient(model, digits.images[:9], digits.labels[:9], ETAS)
