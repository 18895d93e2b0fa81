"""A batch in pieces is the batch."""

import torch

import drt
from drt.measurement.batches import pieces
from drt.measurement.measurement import measure_all
from drt.measurement.sampling import Recipe, generator


def test_pieces_measure_what_the_whole_does():
    instance = Recipe((3, 4, 4), "leaky_relu:0.2", perturbation="gaussian").draw(37, generator(0))
    whole, jacobians = measure_all(instance)
    parts = [measure_all(piece) for piece in pieces(instance, entries=200)]
    assert len(parts) > 3
    for field in ("change", "delta", "rho", "kappa", "rounding"):
        joined = torch.cat([getattr(function, field) for function, _ in parts])
        assert torch.allclose(joined, getattr(whole, field), rtol=1e-12, atol=0), field
    joined = torch.cat([js[0].change for _, js in parts])
    assert torch.allclose(joined, jacobians[0].change, rtol=1e-12, atol=0)


def test_what_is_shared_is_not_cut():
    """One network at many inputs: the inputs are cut, the weights are not."""
    net = drt.Network([torch.eye(3, dtype=torch.float64)], "identity")
    x = torch.randn(10, 3, dtype=torch.float64, generator=generator(1))
    found = list(pieces(drt.Instance(net, [0.1 * net.weights[0]], x), entries=9 * 4))
    assert [p.x.shape[0] for p in found] == [4, 4, 2]
    assert all(p.net.weights[0].shape == (3, 3) for p in found)


def test_an_unbatched_instance_is_one_piece():
    net = drt.Network([torch.eye(2, dtype=torch.float64)], "identity")
    instance = drt.Instance(net, net.weights, torch.ones(2, dtype=torch.float64))
    assert list(pieces(instance)) == [instance]
