"""A pair of saved networks as a training step: values against autograd, verdicts against the claims, and when there is none."""

import json

import numpy as np
import pytest
import torch
from rich.console import Console
from torch.nn.functional import cross_entropy

from drt.app.check_descent import descent_of, descent_tables
from drt.cli import main
from drt.network.network import Network
from drt.network.storage import save_network
from drt.training.data import load_digits
from drt.training.training import TrainingConfig, make_model, train


@pytest.fixture(scope="module")
def pair():
    """Two checkpoints, one Fromage step apart, and the model of the first."""
    config = TrainingConfig(hidden=(16, 16), steps_per_epoch=12, epochs=1, checkpoints=(11, 12))
    run = train(config, load_digits())
    models = []
    for checkpoint in run.checkpoints:
        model = make_model(config, 784, 10)
        model.load_state_dict(checkpoint.state)
        models.append(model.double())
    return [Network.from_torch(m) for m in models], models


def test_values_are_those_of_autograd(pair):
    (before, after), models = pair
    result = descent_of(before, after, None)
    digits = load_digits("mnist5k", 0)
    x, labels = digits.images[:256].double(), digits.labels[:256]
    losses = [cross_entropy(model(x), labels) for model in models]
    assert result.loss == pytest.approx(float(losses[0].detach()), rel=1e-12)
    assert result.fall == pytest.approx(float((losses[0] - losses[1]).detach()), rel=1e-9)
    grads = [torch.autograd.grad(loss, list(m.parameters())) for loss, m in zip(losses, models, strict=True)]
    for record, g, g1, w, v in zip(result.layers, *grads, before.weights, after.weights, strict=True):
        step = v - w
        assert record.norm_g == pytest.approx(float(g.norm()), rel=1e-12)
        assert record.cosine == pytest.approx(float(-(g * step).sum() / g.norm() / step.norm()), rel=1e-9)
        assert record.change == pytest.approx(float((g1 - g).norm() / g.norm()), rel=1e-9)
        assert record.change <= record.largest * (1 + 1e-12)
    outcomes = {r.id: r.outcome for r in result.claims}
    assert outcomes["lemma1"] == "holds"
    assert outcomes["deep-relative-trust"] == "violated"
    assert set(outcomes) == {
        "lemma1", "lemma1.mean", "condition4", "lemma2", "lemma2.mean", "lemma2.unconditional", "lemma2.constant",
        "deep-relative-trust", "spectral-relative-trust",
        "spectral-relative-trust.constant",
    }  # fmt: skip


def test_tables_fit(pair):
    (before, after), _ = pair
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        for table in descent_tables(descent_of(before, after, "mnist5k")):
            console.print(table)
    text = capture.get()
    assert "The step under the loss of 256 digits" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "step-size-constant: η = 0.01" in text


def test_there_is_no_step_without_labels_or_movement_or_where_biases_move(pair, tmp_path):
    (before, after), _ = pair
    assert descent_of(before, before, None) is None
    np.save(tmp_path / "x.npy", np.ones((3, 784)))
    assert descent_of(before, after, str(tmp_path / "x.npy")) is None
    with_bias = Network(after.weights, after.activations, [np.ones(16), None, None])
    assert descent_of(before, with_bias, None) is None
    nine = [Network([*net.weights[:-1], net.weights[-1][:9]], net.activations) for net in (before, after)]
    assert descent_of(*nine, None) is None  # fewer outputs than digits
    small = [Network([w[:, :4] if i == 0 else w for i, w in enumerate(n.weights)], n.activations) for n in pair[0]]
    assert descent_of(*small, None) is None


def test_the_command_line_shows_it(pair, tmp_path, capsys, monkeypatch):
    paths = []
    for name, net in zip("ab", pair[0], strict=True):
        paths.append(str(tmp_path / f"{name}.safetensors"))
        save_network(paths[-1], net)
    monkeypatch.setattr("sys.argv", ["drt", "check", *paths, "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0  # a model is violated, no theorem
    result = json.loads(capsys.readouterr().out)
    assert [r["layer"] for r in result["descent"]["layers"]] == [1, 2, 3]
