"""Instances for chains: of the size, κ and δ that the setup asks for, from each of its sources."""

import pytest
import torch

import drt
from drt.measurement.measurement import FunctionMeasurement
from drt.network.storage import save_network
from proofs_checks.chain import Setup
from proofs_checks.instances import activation_of, instances
from tests.instances import instance


def test_random_instances_have_what_the_setup_asks_for():
    setup = Setup(depth=3, width=4, alpha=0.25, kappa=5.0, delta=0.03, batch=6, seed=7)
    ((label, drawn),) = instances(setup)
    m = FunctionMeasurement(drawn)
    assert label == "random"
    assert (m.widths, m.alpha, m.batch_shape) == ((4, 4, 4, 4), 0.25, (6,))
    torch.testing.assert_close(m.kappa_w, torch.full((6, 3), 5.0, dtype=torch.float64), rtol=1e-12, atol=0)
    torch.testing.assert_close(m.delta, torch.full((6, 3), 0.03, dtype=torch.float64), rtol=1e-13, atol=0)
    ((_, again),) = instances(setup)
    assert torch.equal(drawn.x, again.x)


def test_a_claim_about_two_scalars_gets_two_scalars():
    ((_, drawn),) = instances(Setup(depth=9, width=9), scalars=True)
    assert drawn.net.widths == (1, 1, 1)
    assert [a.spec for a in drawn.net.activations] == ["identity"] * 2


def test_extremal_instances_are_of_that_size():
    found = dict(instances(Setup(depth=2, width=3, source="extremal")))
    assert len(found) > 10
    assert any("sign_flip" in label for label in found)
    assert {i.net.depth for i in found.values()} == {2}


def test_saved_networks_are_taken_as_they_are(tmp_path):
    net, dws, _ = instance(0, (3, 2), "leaky_relu:0.5")
    after = drt.Network([w + d for w, d in zip(net.weights, dws, strict=True)], net.activations)
    paths = tmp_path / "before.npz", tmp_path / "after.npz"
    for path, saved in zip(paths, (net, after), strict=True):
        save_network(path, saved)
    ((label, found),) = instances(Setup(source="networks", networks=paths, activation="leaky_relu:0.5"))
    assert label == "saved networks"
    assert torch.equal(found.net.weights[0], net.weights[0])
    assert torch.equal(found.dweights[0], after.weights[0] - net.weights[0])
    assert found.x.shape == (64, 3)


@pytest.mark.parametrize(("alpha", "spec"), [(0.0, "relu"), (1.0, "identity"), (0.25, "leaky_relu:0.25")])
def test_the_slope_names_the_activation(alpha, spec):
    assert activation_of(Setup(alpha=alpha)) == spec
