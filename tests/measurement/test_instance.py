"""Instances: what they share between measurements, singular values that are known, and their text."""

import pytest
import torch

import drt
from drt.errors import InputError
from drt.measurement import instance as module
from drt.measurement.measurement import measure_all
from tests.instances import array, instance


@pytest.fixture
def calls(monkeypatch):
    """How many matrices each call for singular values was about."""
    counts, real = [], module.singular_values

    def counted(matrices):
        counts.append(len(matrices))
        return real(matrices)

    monkeypatch.setattr(module, "singular_values", counted)
    return counts


def test_singular_values_are_computed_once_for_the_function_and_all_jacobians(calls):
    function, jacobians = measure_all(drt.Instance(*instance(0, (3, 4, 2))))
    for m in (function, *jacobians):
        assert (m.kappa >= 1).all()
    assert calls == [6], "W, ΔW and W̃ of two layers in one call"


def test_known_singular_values_are_believed_and_spare_their_svd(calls):
    """Wrong ones, to see that they are those used: at true scale, whatever power of two was taken out of W."""
    for scale in (1.0, 2.0**200):
        net = drt.Network([scale * torch.diag(array(1.0, 2.0))], "identity")
        known = {"w": [scale * array(8.0, 2.0)], "dw": [scale * array(3.0, 1.0)]}
        made = drt.Instance(net, [scale * torch.eye(2, dtype=torch.float64)], array(1.0, 1.0), known=known)
        m, _ = measure_all(made)
        assert m.kappa_w.tolist() == pytest.approx([4.0], rel=1e-15)
        assert m.kappa_dw.tolist() == pytest.approx([3.0], rel=1e-15)
        assert m.rho.tolist() == pytest.approx([3 / 8], rel=1e-15)
        assert m.kappa_wt.tolist() == pytest.approx([1.5], rel=1e-14)
    assert calls == [1, 1], "of W̃ alone"


def test_the_batch_is_that_of_everything_together():
    net = drt.Network([torch.ones(4, 1, 2, 3, dtype=torch.float64)], "identity", [torch.ones(2, dtype=torch.float64)])
    made = drt.Instance(net, [torch.ones(5, 2, 3)], torch.ones(3), [torch.ones(7, 1, 1, 2)])
    assert made.batch_shape == (7, 4, 5)
    with pytest.raises(InputError, match="batch"):
        drt.Instance(net, [torch.ones(5, 2, 3)], torch.ones(6, 3))


def test_its_text_names_biases_and_their_moves():
    net = drt.Network([array([1.0])], "relu", [array(2.0)])
    made = drt.Instance(net, [array([0.5])], array(3.0), [array(-1.0)])
    assert repr(made) == "Instance(Network([[[1.0]]], ['relu'], [[2.0]]), [[[0.5]]], [3.0], [[-1.0]])"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, [[1.0]], [1.0]), "net must be a drt.Network, got NoneType"),
        (([[1.0]], [[[1.0]], [[1.0]]], [1.0]), "dweights"),
        (([[1.0]], [[[1.0, 2.0]]], [1.0]), r"dweights\[0\] has shape \(1, 2\), but weights\[0\] has \(1, 1\)"),
        (([[0.0]], [[[1.0]]], [1.0]), r"weights\[0\] must be non-zero: relative perturbations divide by its norm"),
        (([[1.0]], [[[1.0]]], [1.0], [[2.0]]), r"dbiases\[0\] has shape \(1,\), but biases\[0\] has none"),
    ],
)
@pytest.mark.bad_input
def test_what_does_not_fit_is_named(arguments, words):
    w, *rest = arguments
    with pytest.raises(InputError, match=words):
        drt.Instance(w if w is None else drt.Network([w], "identity"), *rest)
