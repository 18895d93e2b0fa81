"""Trained networks as instances: every checkpoint, moved as it says, whole and without its first and last layer."""

import dataclasses

import pytest
import torch
from torch.nn.functional import cross_entropy

from drt.measurement.measurement import FunctionMeasurement
from drt.training.data import load_digits
from drt.training.trained import (
    HIDDEN_WIDTH,
    NETWORKS,
    RELATIVE_SIZES,
    config_of,
    descents,
    instances,
    name_of,
    steps_of,
)
from drt.training.training import make_model, train


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def run(digits):
    config = dataclasses.replace(
        config_of(3, "leaky_relu:0.1", True, 0), hidden=(12, 12), steps_per_epoch=4, epochs=1, checkpoints=(0, 4)
    )
    return train(config, digits)


def gradients(run, checkpoint, digits, rows):
    model = make_model(run.config, 784, 10)
    model.load_state_dict(checkpoint.state)
    weights = list(model.parameters())
    loss = cross_entropy(model(digits.images[rows]), digits.labels[rows])
    return weights, torch.autograd.grad(loss, weights)


def test_the_main_job_s_networks():
    quick, long = config_of(8, "relu", True, 3), config_of(8, "relu", False, 3)
    assert quick.hidden == long.hidden == (HIDDEN_WIDTH,) * 7
    assert (quick.seed, quick.epochs * quick.steps_per_epoch, quick.checkpoints) == (3, 160, (0, 40, 160))
    assert (long.epochs * long.steps_per_epoch, long.checkpoints) == (600, (0, 60, 600))
    assert name_of(quick) == "8 layers, relu"
    assert "relu" in {phi for _, phi in NETWORKS}
    assert max(depth for depth, _ in NETWORKS) == 16


def test_every_checkpoint_is_perturbed_in_every_way(run, digits):
    found = list(instances(run, digits, 0, inputs=5))
    moves = ["step", *(f"{kind} {eta:g}" for eta in RELATIVE_SIZES for kind in ("gradient", "noise"))]
    expected = [
        (f"3 layers, leaky_relu:0.1{part}", step, move)
        for step in (0, 4)
        for move in moves
        for part in ("", ", hidden")
    ]
    assert [(p.network, p.step, p.perturbation) for p in found] == expected
    for p in found:
        hidden = p.network.endswith("hidden")
        assert p.instance.net.widths == ((12, 12) if hidden else (784, 12, 12, 10))
        assert p.instance.batch_shape == (5,)
        if p.perturbation != "step":
            eta = float(p.perturbation.split()[1])
            delta = FunctionMeasurement(p.instance).delta
            torch.testing.assert_close(delta, torch.full_like(delta, eta), rtol=1e-6, atol=0)


def test_a_hidden_part_is_the_middle_of_the_network(run, digits):
    whole, part = list(instances(run, digits, 0, inputs=5))[:2]
    assert torch.equal(whole.instance.x, digits.images[:5].double())
    assert torch.equal(part.instance.x, whole.instance.net.hidden_states(whole.instance.x)[1])
    assert torch.equal(part.instance.dweights[0], whole.instance.dweights[1])
    assert torch.equal(part.instance.net(part.instance.x), whole.instance.net.hidden_states(whole.instance.x)[2])


def test_steps_and_gradients_point_where_they_say(run, digits):
    """The step is Fromage's on 250 digits; the gradient that of 1,000."""
    checkpoint = run.checkpoints[0]
    found = {
        p.perturbation: p.instance
        for p in instances(run, digits, 0, inputs=5)
        if p.step == 0 and "hidden" not in p.network
    }
    weights, grads = gradients(run, checkpoint, digits, slice(0, 250))
    for dw, w, g in zip(found["step"].dweights, weights, grads, strict=True):
        w, g = w.detach().double(), g.double()
        expected = (w - 0.01 * w.norm() / g.norm() * g) / (1 + 0.01**2) ** 0.5 - w
        torch.testing.assert_close(dw, expected, rtol=0, atol=1e-7)
    weights, grads = gradients(run, checkpoint, digits, slice(0, 1000))
    for dw, w, g in zip(found["gradient 0.01"].dweights, weights, grads, strict=True):
        expected = -0.01 * w.detach().double().norm() / g.double().norm() * g.double()
        torch.testing.assert_close(dw, expected, rtol=1e-6, atol=1e-9)


def test_descents_go_along_the_gradient_and_at_random(run, digits):
    found = list(descents(run, digits, 0, inputs=8))
    assert len(found) == 2 * 2 * len(RELATIVE_SIZES)
    for k, m in enumerate(found):
        eta, along = RELATIVE_SIZES[k // 2 % len(RELATIVE_SIZES)], k % 2 == 0
        torch.testing.assert_close(m.delta, torch.full_like(m.delta, eta), rtol=1e-9, atol=0)
        assert (m.cosines > 1 - 1e-9).all() if along else (m.cosines.abs() < 0.9).all()


def test_steps_are_taken_of_every_layer_of_every_checkpoint(run, digits):
    found = list(steps_of(run, digits))
    assert len(found) == 2 * 3
    for s in found:
        assert s.eta.flatten().tolist() == list(RELATIVE_SIZES)
        torch.testing.assert_close(
            s.lars_size.flatten(), torch.tensor(RELATIVE_SIZES, dtype=torch.float64), rtol=1e-5, atol=0
        )


def test_a_network_without_gradient_has_no_steps(run, digits):
    """ReLUs that are all off: h_1 ≥ 0 and W_2 = −1 everywhere."""
    checkpoint = run.checkpoints[0]
    state = {**checkpoint.state}
    second = list(state)[1]
    state[second] = -torch.ones_like(state[second])
    config = dataclasses.replace(run.config, activation="relu")
    dead = dataclasses.replace(
        run, config=config, checkpoints=(dataclasses.replace(checkpoint, state=state), *run.checkpoints[1:])
    )
    _, grads = gradients(dead, dead.checkpoints[0], digits, slice(0, 32))
    assert not any(g.any() for g in grads)
    assert len(list(steps_of(dead, digits))) == 3, "those of the other checkpoint"
