"""The audit: planted laws come back with their effective depth, trainings are what slices say, bad input is named."""

import dataclasses

import numpy as np
import pytest
import torch

from drt.errors import InputError
from drt.experiments import laws
from drt.experiments.audit import ETAS, KINDS, audit, breakdown, config, configs, measured_points
from drt.experiments.gradient_slice import slice_along_gradient
from drt.training.data import load_digits
from drt.training.training import RATES, make_model, train

RHO = np.linspace(1, 9, 16)
ETA = np.array(ETAS)
TINY = {"width": 12, "steps_per_epoch": 4, "epochs": 2, "checkpoints": (2, 8)}


def planted(name, factor, shape, size=0.02):
    errors = np.random.default_rng(0).normal(size=len(ETA))
    return 10 ** ((np.log10(factor) + laws.LAWS[name].log10_shape(ETA, shape, RHO)) + size * errors)


@pytest.mark.parametrize("depth", [16, 60])
def test_a_planted_effective_depth_is_in_its_interval(depth):
    found = breakdown(ETAS, planted("effective depth", 3.0, depth), RHO)
    low, high = found.interval
    assert low <= depth <= high
    assert low <= found.effective_depth.shape <= high
    assert found.effective_depth.error == pytest.approx(0.02, rel=0.4)


@pytest.mark.parametrize("name", ["power", "scaled", "exponential"])
def test_other_laws_are_told_apart(name):
    """Each planted law is closer than every other with as few parameters; the effective depth is further off."""
    factor, shape = {"power": (300.0, 1.8), "scaled": (1.0, 8.0), "exponential": (0.5, 70.0)}[name]
    found = breakdown(ETAS, planted(name, factor, shape, 1e-4), RHO)
    errors = {
        law: fit.error for law, fit in found.fits.items() if laws.LAWS[law].parameters <= laws.LAWS[name].parameters
    }
    assert min(errors, key=errors.get) == name
    assert found.effective_depth.error > 3 * found.fits[name].error


def test_the_ratio_and_the_least_constant():
    change = 5 * np.expm1(16 * np.log1p(ETA)) * np.linspace(1, 2, len(ETA))
    change[3] = np.inf
    found = breakdown(ETAS, change, RHO)
    assert found.constant == pytest.approx(10)
    assert found.ratio[0] == pytest.approx(5)
    assert np.isnan(found.ratio[3])
    exact = breakdown(ETAS, np.expm1(16 * np.log1p(ETA)), RHO)
    assert exact.constant == pytest.approx(1)
    assert exact.fits["deep relative trust"].error < 1e-12


def test_every_kind_and_optimiser_is_measured_as_its_slice_says():
    digits = load_digits()
    nets = [(kind, config(3, kind, "adam", **TINY)) for kind in KINDS]
    results = list(audit(nets, ETAS, 2, processes=1))
    assert len(results) == 6
    for kind, c in nets:
        own = [(p, b) for p, b in results if p.kind == kind]
        assert [(p.depth, p.optimiser, p.seed, p.step, p.status) for p, _ in own] == [
            (3, "adam", 0, step, "measured") for step in (2, 8)
        ]
        model = make_model(c, 784, 10)
        run = train(c, digits)
        for (p, b), checkpoint in zip(own, run.checkpoints, strict=True):
            assert (p.loss, p.accuracy) == (checkpoint.loss, checkpoint.accuracy)
            model.load_state_dict(checkpoint.state)
            expected = slice_along_gradient(model, digits.images[:1000], digits.labels[:1000], ETAS, 2)
            assert b.changes.tolist() == pytest.approx(expected.changes.tolist(), rel=1e-5)
            assert (b.ratio * ((1 + ETA) ** 3 - 1)).tolist() == pytest.approx(b.changes.tolist())


def shape_unless_normalised(model, images, labels):
    if any(isinstance(m, torch.nn.BatchNorm1d) for m in model):
        raise InputError("nothing here")
    return tuple(images.shape)


def test_diverged_checkpoints_and_those_that_cannot_be_measured_are_reported():
    nets = [(kind, config(3, kind, "sgd", **TINY)) for kind in ("plain", "batch norm")]
    nets.append(("plain", dataclasses.replace(nets[0][1], lr=1e30, seed=1)))
    results = measured_points(nets, shape_unless_normalised, processes=1)
    found = sorted((p.seed, p.kind, p.step, p.status, value) for p, value in results)
    assert found == [
        (0, "batch norm", 2, "nothing here", None),
        (0, "batch norm", 8, "nothing here", None),
        (0, "plain", 2, "measured", (1000, 784)),
        (0, "plain", 8, "measured", (1000, 784)),
        (1, "plain", 2, "diverged", None),
        (1, "plain", 8, "diverged", None),
    ]


def test_a_network_without_gradient_has_no_breakdown():
    with pytest.raises(InputError, match="the gradient does not change at four η: it is zero, or not finite"):
        breakdown(ETAS, np.full(len(ETAS), np.nan), RHO)
    with pytest.raises(InputError, match="the gradient does not change at four η"):
        breakdown(ETAS, np.zeros(len(ETAS)), RHO)


def test_networks_are_those_asked_for():
    nets = configs((2, 3), tuple(KINDS), ("fromage", "lars"), (0, 5), width=8)
    assert len(nets) == 5 * 2 * 2  # two layers have no skip connection
    assert [(kind, c.residual, c.normalisation) for kind, c in nets[::4]] == [
        ("plain", False, None), ("batch norm", False, "batch"),
        ("plain", False, None), ("residual", True, None), ("batch norm", False, "batch"),
    ]  # fmt: skip
    assert {(c.optimiser, c.lr, c.seed) for _, c in nets} == {
        (o, RATES[o], seed) for o in ("fromage", "lars") for seed in (0, 5)
    }
    assert nets[-1][1].hidden == (8, 8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1, "plain"), "depth must be an integer >= 2 for a plain network, got depth=1"),
        ((2, "residual"), "depth must be an integer >= 3 for a residual network, got depth=2"),
        ((2.0, "plain"), "depth must be an integer >= 2 for a plain network, got depth=2.0"),
        ((3, "recurrent"), "kind='recurrent' is not known; expected one of plain, residual, batch norm"),
        ((3, "plain", "lion"), "optimiser='lion' is not known; expected one of fromage, sgd, adam, lars"),
    ],
)
def test_unknown_networks_are_named(arguments, words):
    with pytest.raises(InputError, match=words):
        config(*arguments)


def test_bad_slices_are_named():
    nets = [("plain", config(3, "plain", **TINY))]
    for etas in ((0.0, 0.1), (0.1, 1.0), (float("nan"),)):
        with pytest.raises(InputError, match=r"etas must be in \(0, 1\), got \["):
            audit(nets, etas)
    for layer in (0, 4):
        with pytest.raises(
            InputError, match=f"layer must be from 1 to 3, the layers of every network; got layer={layer}"
        ):
            audit(nets, ETAS, layer)


def test_data_of_one_class_are_named(tmp_path):
    header = (20).to_bytes(4, "big")
    sizes = (28).to_bytes(4, "big") * 2
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + header + sizes + bytes(20 * 784))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + header + bytes([7] * 20))
    with pytest.raises(InputError, match="has one class, 7; training needs at least two"):
        next(audit([("plain", config(3, "plain", **TINY))], source=str(tmp_path)))
