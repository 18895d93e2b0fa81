"""Training on real digits: it learns, it repeats bit for bit, it stops where it must, and it touches nothing global."""

import dataclasses
import math

import pytest
import torch

from drt.errors import InputError
from drt.network.activations import leaky_relu, softplus_blend, tanh_blend
from drt.network.network import Network
from drt.optimisers.optim import LARS, Fromage
from drt.training.data import Digits, load_digits
from drt.training.training import Residual, TrainingConfig, make_model, train

SMALL = TrainingConfig(hidden=(32,), steps_per_epoch=10, epochs=2)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def same_run(a, b):
    return a.losses == b.losses and all(
        torch.equal(p, q) for p, q in zip(a.model.parameters(), b.model.parameters(), strict=True)
    )


def test_the_default_learns_the_digits(digits):
    run = train(TrainingConfig(epochs=2), digits)
    assert run.outcome == "finished"
    assert len(run.losses) == len(run.accuracies) == 120
    assert [(c.step, c.epoch) for c in run.checkpoints] == [(0, 0), (60, 1), (120, 2)]
    assert run.checkpoints[0].accuracy < 0.3
    assert run.checkpoints[1].accuracy > 0.85
    assert run.checkpoints[2].accuracy > 0.9
    assert run.checkpoints[0].loss > 1.5
    assert run.checkpoints[2].loss < 0.3
    assert sum(run.accuracies[-20:]) / 20 > 0.9


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "lars", lambda params, lr: Fromage(params, lr, p_bound=1.0)])
@pytest.mark.parametrize("residual", [False, True])
def test_every_optimiser_lowers_the_loss(digits, optimiser, residual):
    lr = {"sgd": 0.05, "adam": 2e-3}.get(optimiser, 0.01)
    run = train(dataclasses.replace(SMALL, hidden=(32,) * 3, residual=residual, optimiser=optimiser, lr=lr), digits)
    assert run.checkpoints[-1].loss < 0.8 * run.checkpoints[0].loss


def test_checkpoints_are_the_state_after_so_many_steps(digits):
    """A checkpoint's weights, put into a model, have its loss; they do not move as training goes on."""
    run = train(dataclasses.replace(SMALL, checkpoints=(0, 3, 20)), digits)
    assert [(c.step, c.epoch) for c in run.checkpoints] == [(0, 0), (3, 0), (20, 2)]
    model = make_model(SMALL, 784, 10)
    for name, tensor in model.state_dict().items():
        assert torch.equal(run.checkpoints[0].state[name], tensor)
    for checkpoint in run.checkpoints:
        model.load_state_dict(checkpoint.state)
        logits = model(digits.images[:1000])
        loss = torch.nn.functional.cross_entropy(logits, digits.labels[:1000]).item()
        assert loss == pytest.approx(checkpoint.loss, rel=1e-5)
        right = (logits.argmax(1) == digits.labels[:1000]).sum().item()
        assert right == pytest.approx(1000 * checkpoint.accuracy, abs=1)
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(run.checkpoints[2].state[name], tensor)


def test_the_first_step_is_algorithm_1_with_a_learning_rate_that_decays(digits):
    """Relative sizes: η in epoch 0, then 0.9η; second order in η apart."""
    run = train(dataclasses.replace(SMALL, checkpoints=tuple(range(21))), digits)
    for step, lr in ((0, 0.01), (9, 0.01), (10, 0.009), (19, 0.009)):
        before, after = run.checkpoints[step].state, run.checkpoints[step + 1].state
        for name in before:
            assert ((after[name] - before[name]).norm() / before[name].norm()).item() == pytest.approx(lr, rel=0.02)


def test_lars_by_name_takes_lr_as_the_relative_size_of_a_step(digits):
    run = train(dataclasses.replace(SMALL, optimiser="lars", checkpoints=(0, 1)), digits)
    before, after = (c.state for c in run.checkpoints)
    assert ((after["0.weight"] - before["0.weight"]).norm() / before["0.weight"].norm()).item() == pytest.approx(0.01)
    by_hand = train(
        dataclasses.replace(SMALL, optimiser=lambda params, lr: LARS(params, lr, trust_coefficient=1.0)), digits
    )
    assert by_hand.losses == run.losses


def test_the_same_seed_is_the_same_run_whatever_torch_has_drawn_and_however_many_threads_it_has(digits):
    threads = torch.get_num_threads()
    first = train(SMALL, digits)
    torch.manual_seed(1234)
    torch.set_num_threads(2)
    state = torch.get_rng_state()
    again = train(SMALL, digits)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    assert same_run(first, again)
    assert not same_run(first, train(dataclasses.replace(SMALL, seed=1), digits))


def test_a_minibatch_never_repeats_a_digit(digits):
    """5 digits in batches of 2: two batches a permutation, one digit dropped, and everything still runs."""
    few = Digits(digits.images[:5], digits.labels[:5], "five")
    run = train(dataclasses.replace(SMALL, batch=2), few)
    assert run.outcome == "finished"
    assert {a * 2 % 1 for a in run.accuracies} == {0.0}
    whole = train(dataclasses.replace(SMALL, batch=5), few)
    assert whole.accuracies[-1] == 1.0


def test_a_diverged_run_says_so_and_keeps_what_it_has(digits):
    config = dataclasses.replace(SMALL, optimiser="sgd", lr=1e30, checkpoints=(0, 1, 20))
    run = train(config, digits)
    assert run.outcome == "diverged"
    assert run.checkpoints[0].step == 0
    assert len(run.losses) < 20
    assert all(map(math.isfinite, run.losses))


def test_a_run_that_diverges_at_its_last_step_says_so(digits):
    run = train(dataclasses.replace(SMALL, optimiser="sgd", lr=1e38, steps_per_epoch=1, epochs=1), digits)
    assert run.outcome == "diverged"
    assert [c.step for c in run.checkpoints] == [0]
    silent = train(
        dataclasses.replace(SMALL, optimiser="sgd", lr=1e38, steps_per_epoch=1, epochs=1, checkpoints=()), digits
    )
    assert silent.outcome == "diverged"


def test_an_interrupted_run_keeps_what_it_has(digits):
    class Interrupting(Fromage):
        calls = 0

        def step(self, closure=None):
            Interrupting.calls += 1
            if Interrupting.calls == 13:
                raise KeyboardInterrupt
            return super().step(closure)

    run = train(dataclasses.replace(SMALL, optimiser=Interrupting), digits)
    assert run.outcome == "interrupted"
    assert [c.step for c in run.checkpoints] == [0, 10]
    assert len(run.losses) == 12
    assert run.losses == train(SMALL, digits).losses[:12]


def test_nothing_is_printed_without_a_terminal(digits, capfd):
    train(dataclasses.replace(SMALL, epochs=1), digits)
    assert capfd.readouterr() == ("", "")


def test_the_progress_bar_goes_to_the_terminal_on_stderr(digits, capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    train(dataclasses.replace(SMALL, epochs=1), digits)
    out, err = capfd.readouterr()
    assert out == ""
    assert "training 2 layers" in err


def test_a_plain_model_is_linears_and_activations_that_network_reads():
    config = TrainingConfig(hidden=(6, 5), activation="tanh_blend:0.3", biases=True)
    model = make_model(config, 4, 3)
    net = Network.from_torch(model)
    assert net.widths == (4, 6, 5, 3)
    assert [a.spec for a in net.activations] == ["tanh_blend:0.3", "tanh_blend:0.3", "identity"]
    assert net.has_biases
    assert model[0].weight.dtype == torch.float32
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x).float(), model(x), rtol=1e-5, atol=1e-6)


def test_activations_per_layer_and_no_hidden_layer():
    per_layer = TrainingConfig(hidden=(6,), activation=["relu", leaky_relu(0.2)])
    assert [a.spec for a in per_layer.activations] == ["relu", "leaky_relu:0.2"]
    linear = make_model(TrainingConfig(hidden=()), 4, 3)
    assert Network.from_torch(linear).widths == (4, 3)


def test_a_residual_model_adds():
    config = TrainingConfig(hidden=(5, 5, 5), activation="leaky_relu:0.1", residual=True)
    model = make_model(config, 4, 3)
    assert [type(m) for m in model] == [
        torch.nn.Linear,
        torch.nn.LeakyReLU,
        Residual,
        Residual,
        torch.nn.Linear,
        torch.nn.Identity,
    ]
    phi = torch.nn.LeakyReLU(0.1)
    w = list(model.parameters())
    h = phi(torch.ones(4) @ w[0].T)
    for matrix in w[1:3]:
        h = h + phi(h @ matrix.T)
    torch.testing.assert_close(model(torch.ones(4)), h @ w[3].T)


def test_a_normalised_model_is_phi_of_standardised_pre_activations():
    """Statistics are those of the inputs at hand, in training and in measuring alike; there is nothing else to train."""
    config = TrainingConfig(hidden=(6, 5), normalisation="batch")
    model = make_model(config, 4, 3)
    assert [tuple(p.shape) for p in model.parameters()] == [(6, 4), (5, 6), (3, 5)]
    assert list(model.state_dict()) == [name for name, _ in model.named_parameters()]
    w = list(model.parameters())
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    h = x
    for matrix in w[:2]:
        z = h @ matrix.T
        h = torch.nn.functional.leaky_relu((z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt(), 0.1)
    torch.testing.assert_close(model(x), h @ w[2].T)
    model.eval()
    torch.testing.assert_close(model(x), h @ w[2].T)


def test_normalised_networks_learn(digits):
    run = train(dataclasses.replace(SMALL, hidden=(32,) * 3, normalisation="batch"), digits)
    assert run.outcome == "finished"
    assert run.checkpoints[-1].loss < 0.5 * run.checkpoints[0].loss


@pytest.mark.parametrize(
    ("phi", "gain"),
    [("relu", math.sqrt(2)), ("leaky_relu:0.1", math.sqrt(2 / 1.01)), ("identity", 1.0)],
)
def test_he_initialisation_has_the_gain_of_the_leaky_slope(phi, gain):
    model = make_model(TrainingConfig(hidden=(400,), activation=phi), 500, 600)
    assert model[0].weight.std().item() * math.sqrt(500) == pytest.approx(gain, rel=0.01)
    assert model[2].weight.std().item() * math.sqrt(400) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("phi", [leaky_relu(0.3), tanh_blend(0.2), softplus_blend(0.2)])
def test_he_initialisation_keeps_the_size_of_the_signal(phi):
    model = make_model(TrainingConfig(hidden=(1000,) * 3, activation=phi), 1000, 1000)
    x = torch.randn(100, 1000, generator=torch.Generator().manual_seed(1))
    assert model(x).pow(2).mean().item() == pytest.approx(1, rel=0.1)


def test_residual_networks_and_torch_initialisation_are_uniform():
    for config in (
        TrainingConfig(hidden=(300, 300), residual=True),
        TrainingConfig(hidden=(300,), initialisation="torch"),
    ):
        weight = make_model(config, 400, 10)[0].weight
        assert weight.abs().max().item() == pytest.approx(1 / 20, rel=1e-3)
        assert weight.std().item() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": (0,)}, r"hidden\[0\] must be an integer >= 1, got hidden\[0\]=0"),
        ({"batch": 2.5}, r"batch must be an integer >= 1, got batch=2.5"),
        ({"epochs": 0}, r"epochs must be an integer >= 1, got epochs=0"),
        ({"lr": 0}, r"lr must be a finite number > 0, got lr=0"),
        ({"decay": math.nan}, r"decay must be a finite number > 0, got decay=nan"),
        ({"hidden": (4, 5), "residual": True}, r"need equal hidden widths, at least one; got hidden=\(4, 5\)"),
        ({"normalisation": "layer"}, r"normalisation must be 'batch' or None, got 'layer'"),
        (
            {"hidden": (4,), "normalisation": "batch", "residual": True},
            r"normalisation='batch' needs residual=False and batch >= 2, got residual=True, batch=250",
        ),
        ({"normalisation": "batch", "batch": 1}, r"got residual=False, batch=1"),
        ({"initialisation": "xavier"}, r"initialisation must be 'he', 'torch' or None, got 'xavier'"),
        ({"optimiser": "lion"}, r"optimiser='lion' is not known; expected one of fromage, sgd, adam, lars"),
        ({"checkpoints": (0, 601)}, r"checkpoints must be steps from 0 to 600, got 601"),
        ({"activation": "gelu"}, r"activation='gelu' is not known"),
        ({"activation": ["relu"]}, r"activation must be one, or 2 for 2 layers; got 1"),
    ],
)
def test_bad_configs_are_named(options, words):
    with pytest.raises(InputError, match=words):
        TrainingConfig(**options)


def test_digits_that_cannot_be_trained_on_are_named(digits):
    with pytest.raises(InputError, match=r"digits='inputs' has no labels; training needs them"):
        train(SMALL, Digits(digits.images, None, "inputs"))
    with pytest.raises(InputError, match=r"batch=250 is larger than digits='few', which has 9"):
        train(SMALL, Digits(digits.images[:9], digits.labels[:9], "few"))
