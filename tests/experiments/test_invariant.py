"""Layers whose scale does not matter: the loss stays, the gradient is orthogonal, and norms are followed as they are."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from drt.errors import InputError
from drt.experiments.invariant import BATCH_SIZE, HIDDEN_WIDTH, KINDS, Norms, Training, follow, steps_of
from drt.optimisers.steps import fromage, lars
from drt.training.data import load_digits

# Batch normalisation divides by √(var + ε): invariant up to ε/var, about 10⁻⁵ over the variance of pre-activations.
TOLERANCE = {"batch norm": 1e-4, "weight norm": 1e-13, "spectral norm": 1e-13}


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def training(kind, digits, make=fromage, eta=0.1, seed=0):
    return Training(kind, digits, make, eta, torch.float64, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_scaling_a_weight_changes_no_loss_and_its_gradient_is_orthogonal(kind, digits):
    t = training(kind, digits)
    x, labels = digits.images[:BATCH_SIZE].double(), digits.labels[:BATCH_SIZE]
    assert [tuple(w.shape) for w in t.invariant] == [(HIDDEN_WIDTH, 784), (HIDDEN_WIDTH, HIDDEN_WIDTH)]
    # Power iteration moves u and v in training mode: both losses are taken with the same ones.
    t.model.train(kind == "batch norm")
    before = cross_entropy(t.model(x), labels)
    before.backward()
    for w in t.invariant:
        cosine = (w * w.grad).sum() / w.norm() / w.grad.norm()
        assert abs(float(cosine.detach())) < TOLERANCE[kind]
        with torch.no_grad():
            w.mul_(3.0)
    assert float(cross_entropy(t.model(x), labels).detach()) == pytest.approx(
        float(before.detach()), rel=TOLERANCE[kind]
    )
    with torch.no_grad():
        t.model[-1].weight.mul_(3.0)  # the last layer's scale does matter
    assert float(cross_entropy(t.model(x), labels).detach()) != pytest.approx(float(before.detach()), rel=1e-3)


def test_norms_are_those_before_every_step_and_after_the_last(digits):
    found = follow(training("weight norm", digits), 4)
    again = training("weight norm", digits)
    norms, losses = [], []
    for _ in range(4):
        norms.append([float(w.detach().norm()) for w in again.invariant])
        losses.append(again.gradients())
        again.optimiser.step()
    norms.append([float(w.detach().norm()) for w in again.invariant])
    torch.testing.assert_close(found.norms, torch.tensor(norms, dtype=torch.float64), rtol=1e-14, atol=0)
    assert found.losses.tolist() == losses
    assert found.cosines.shape == (4, 2)
    assert found.lasted == 4


@pytest.mark.parametrize(("make", "growth"), [(lars, 1.01**0.5), (fromage, 1.0)])
def test_each_step_multiplies_norms_as_the_paper_says(make, growth, digits):
    """LARS: √(1 + η²); Fromage: 1."""
    found = follow(training("weight norm", digits, make), 6)
    ratios = found.norms[1:] / found.norms[:-1]
    torch.testing.assert_close(ratios, torch.full_like(ratios, growth), rtol=1e-13, atol=0)


def test_a_run_lasts_until_a_gradient_or_a_norm_is_none():
    norms, cosines = torch.ones(5, 2, dtype=torch.float64), torch.zeros(4, 2, dtype=torch.float64)
    losses = torch.zeros(4, dtype=torch.float64)
    assert Norms(norms, cosines, losses).lasted == 4
    lost = norms.clone()
    lost[3, 1] = torch.inf  # after the third step
    assert Norms(lost, cosines, losses).lasted == 2
    without = cosines.clone()
    without[0, 0] = torch.nan
    assert Norms(norms, without, losses).lasted == 0


def test_steps_are_two_in_a_row_of_each_layer_kind_and_precision(digits):
    found = list(steps_of(digits, 0))
    assert len(found) == len(KINDS) * 2 * 2
    for s in found:
        assert s.batch_shape == (2, 1)
        assert not torch.equal(s.weight[0], s.weight[1])
        torch.testing.assert_close(s.after["fromage"][0], s.weight[1], rtol=1e-5, atol=1e-6)


def test_the_same_seed_is_the_same_run(digits):
    first, second, other = (follow(training("batch norm", digits, seed=s), 2) for s in (1, 1, 2))
    assert torch.equal(first.norms, second.norms)
    assert not torch.equal(first.norms, other.norms)


def test_an_unknown_kind_is_named(digits):
    with pytest.raises(InputError, match="kind='group norm' must be one of batch norm, weight norm, spectral norm"):
        training("group norm", digits)
