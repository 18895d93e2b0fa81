"""Saved networks come back bit for bit; nothing in a file is ever run; every defect is one line."""

import math
import os
import pickle

import pytest
import safetensors
import safetensors.torch
import torch

import drt.numeric.files
from drt.errors import InputError
from drt.network.activations import identity, leaky_relu, tanh_blend
from drt.network.network import Network
from drt.network.storage import load_network, save_network


def network(biases=True, layers=12):
    """Twelve layers, so that 2 and 10 show whether names are sorted as numbers."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(3, 3, generator=generator, dtype=torch.float64) for _ in range(layers)]
    b = [torch.randn(3, generator=generator, dtype=torch.float64) if i % 2 else None for i in range(layers)]
    phis = [leaky_relu(0.1), tanh_blend(0.3)] * (layers // 2 - 1) + [leaky_relu(0.1), identity()]
    return Network(weights, phis, b if biases else None)


def same(a, b):
    pairs = [*zip(a.weights, b.weights, strict=True), *zip(a.biases, b.biases, strict=True)]
    return a.activations == b.activations and all(
        (p is None and q is None) or torch.equal(p, q.to(torch.float64)) for p, q in pairs
    )


@pytest.mark.parametrize("biases", [True, False])
def test_what_is_saved_comes_back(tmp_path, biases):
    net = network(biases)
    save_network(tmp_path / "net.safetensors", net, {"seed": "3"})
    assert same(load_network(tmp_path / "net.safetensors"), net)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
    with safetensors.safe_open(tmp_path / "net.safetensors", "pt") as file:
        metadata, names = file.metadata(), set(file.keys())
    assert metadata["format"] == "drt-network"
    assert metadata["version"] == "1"
    assert metadata["activations"].split(";")[1] == "tanh_blend:0.3"
    assert metadata["seed"] == "3"
    assert names == {f"{i}.weight" for i in range(12)} | ({f"{i}.bias" for i in range(1, 12, 2)} if biases else set())


def test_layers_that_share_memory_are_saved(tmp_path):
    w = torch.eye(2, dtype=torch.float64)
    net = Network([w, w, w.mT], "identity")
    save_network(tmp_path / "net", net)
    assert same(load_network(tmp_path / "net"), net)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    save_network(path, network())
    before = path.read_bytes()

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drt.numeric.files.os, "replace", full)
    with pytest.raises(InputError, match=r"net.safetensors' cannot be written: No space left on device"):
        save_network(path, network(layers=2))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net.safetensors"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"metadata": {"format": "mine"}},
            r"metadata must map texts to texts, format, .* excepted; got 'format': 'mine'",
        ),
        ({"metadata": {"seed": 3}}, r"metadata must map texts to texts.*got 'seed': 3"),
        ({"net": Network([torch.ones(5, 2, 2)], "identity")}, r"needs a single network, got batch shape \(5,\)"),
        ({"path": "/nowhere/at/all"}, r"path='/nowhere/at/all' cannot be written: No such file or directory"),
    ],
)
def test_bad_saves_are_named(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        save_network(**{"path": tmp_path / "net", "net": network(), "metadata": {}} | change)


def sequential(bias=True):
    generator = torch.Generator().manual_seed(1)
    modules = [torch.nn.Linear(4, 5, bias), torch.nn.ReLU(), torch.nn.Linear(5, 5, bias), torch.nn.Linear(5, 2, bias)]
    model = torch.nn.Sequential(*modules)
    for p in model.parameters():
        torch.nn.init.normal_(p, generator=generator)
    return model


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
def test_a_torch_state_dict(tmp_path, bias, legacy):
    model = sequential(bias)
    torch.save(model.state_dict(), tmp_path / "model.pt", _use_new_zipfile_serialization=not legacy)
    net = load_network(tmp_path / "model.pt", "relu;identity;identity")
    assert same(net, Network.from_torch(model))


def test_safetensors_of_others_and_any_prefix(tmp_path):
    state = {f"encoder.{k}": v for k, v in sequential().state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "model.safetensors")
    net = load_network(tmp_path / "model.safetensors", leaky_relu(0.5))
    assert net.activations == (leaky_relu(0.5),) * 3
    assert net.widths == (4, 5, 5, 2)
    with pytest.raises(InputError, match=r"does not say its activation; pass --activation, e.g. leaky_relu:0.1"):
        load_network(tmp_path / "model.safetensors")


def test_a_given_activation_replaces_the_saved_one(tmp_path):
    save_network(tmp_path / "net", network())
    assert load_network(tmp_path / "net", "relu").alpha == 0


class Touch:
    """Pickles to code that creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_a_file_does_not_run(tmp_path):
    ran, path = tmp_path / "ran", tmp_path / "model.pt"
    evil = {"0.weight": Touch(ran)}
    for save in (
        lambda: torch.save(evil, path),
        lambda: torch.save(evil, path, _use_new_zipfile_serialization=False),
        lambda: path.write_bytes(pickle.dumps(Touch(ran), protocol=2)),
        lambda: path.write_bytes(pickle.dumps(evil, protocol=5)),
    ):
        save()
        with pytest.raises(InputError, match=r"model.pt' is not loadable as a torch state dict without running code: "):
            load_network(path, "relu")
        assert not ran.exists()
    pickle.loads(path.read_bytes())["0.weight"].close()  # the trap works: loading it carelessly runs it
    assert ran.exists()


def test_a_file_that_is_no_network(tmp_path):
    path = tmp_path / "net"
    save_network(path, network())
    safe = path.read_bytes()
    torch.save(sequential().state_dict(), path)
    zipped = path.read_bytes()
    for content, words in (
        (b"", r"net' is empty; expected a network in safetensors or a torch state dict"),
        (b"weights, lots of them", r"net' is neither safetensors nor a torch state dict; it starts with b'weights"),
        (b"\x00" * 50, r"net' is neither safetensors nor"),
        (safe[:5], r"net' is n(either safetensors nor|ot loadable)"),
        (safe[:40], r"net' is not readable as safetensors: "),
        (safe[:-8], r"net' is not readable as safetensors: "),
        (zipped[:-100], r"net' is not loadable as a torch state dict"),
        (zipped[:200], r"net' is not loadable as a torch state dict"),
        (b"\x80\x02nonsense", r"net' is not loadable as a torch state dict"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=words) as error:
            load_network(path, "relu")
        assert "\n" not in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"missing' cannot be read: No such file or directory"):
        load_network(tmp_path / "missing")
    with pytest.raises(InputError, match=r"' is not a file; expected a network"):
        load_network(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe' is not a file; expected a network"):
        load_network(tmp_path / "pipe")


W = torch.ones(2, 2)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"c.weight": torch.ones(3, 1, 2, 2)}, r"tensor 'c.weight' of shape \(3, 1, 2, 2\) .*no part of a multilayer"),
        ({"0.weight": W, "n.running_mean": torch.ones(2)}, r"tensor 'n.running_mean' of shape \(2,\)"),
        ({"0.weight": W, "1.weight": torch.ones(2)}, r"tensor '1.weight' of shape \(2,\) .* expected 2-D weights"),
        ({"0.weight": W, "1.bias": torch.ones(2)}, r"tensor '1.bias' of shape \(2,\)"),
        ({"0.weight": W, "0.bias": W}, r"tensor '0.bias' of shape \(2, 2\)"),
        ({"0.weight": W, "steps": torch.tensor(3)}, r"tensor 'steps' of shape \(\) and dtype int64 is no part"),
        ({"0.weight": W.int()}, r"tensor '0.weight' of shape \(2, 2\) and dtype int32 must be dense floating point"),
        ({"0.weight": W.cfloat()}, r"tensor '0.weight' .* complex64 must be dense floating point"),
        ({"0.weight": W.to_sparse()}, r"tensor '0.weight' .* must be dense floating point"),
        ({"0.weight": W, "1.weight": W * math.nan}, r"tensor '1.weight' .* must be finite, got NaN or infinity"),
        ({"0.weight": (W * math.nan).to(torch.float8_e4m3fn)}, r"tensor '0.weight' .* must be finite"),
        ({"0.weight": W, "1.weight": torch.ones(2, 3)}, r"model.pt': weights\[1\] has shape \(2, 3\)"),
        ({"0.weight": W, "0.bias": torch.ones(3)}, r"model.pt': biases\[0\] has shape \(3,\)"),
        ({}, r"there is no tensor whose name ends in 'weight'"),
        ({"model": {"0.weight": W}, "epoch": 3}, r"holds 'model': dict; expected a state dict, names to tensors"),
        ({1: W}, r"holds 1: Tensor; expected a state dict"),
        ([W, W], r"holds a list; expected a state dict"),
        (W, r"holds a Tensor; expected a state dict"),
    ],
)
def test_tensors_that_do_not_belong_are_named(tmp_path, state, words):
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(InputError, match=words) as error:
        load_network(tmp_path / "model.pt", "relu")
    assert "\n" not in str(error.value)


def test_activations_that_do_not_fit_are_named(tmp_path):
    torch.save(sequential().state_dict(), tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model.pt': activation must be one, or 3 for 3 layers; got 2"):
        load_network(tmp_path / "model.pt", "relu;identity")
    with pytest.raises(InputError, match=r"model.pt': activation='gelu' is not known"):
        load_network(tmp_path / "model.pt", "gelu")


def test_a_later_version_is_refused(tmp_path):
    metadata = {"format": "drt-network", "version": "2", "activations": "relu"}
    safetensors.torch.save_file({"0.weight": W}, tmp_path / "net", metadata)
    with pytest.raises(InputError, match=r"net' has version '2' of drt-network; expected '1'"):
        load_network(tmp_path / "net")
