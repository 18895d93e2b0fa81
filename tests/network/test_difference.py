"""What changed between two networks: ΔW and Δb by hand, biases that only one of them has, and what does not match."""

import pytest
import torch

from drt.errors import InputError
from drt.network.difference import difference
from drt.network.network import Network
from tests.instances import array, instance


def networks(*widths, seed=0, activation="leaky_relu:0.5"):
    return instance(seed, widths, activation)[0]


def test_the_new_is_the_old_and_what_changed():
    before = Network([array([1.0, 2.0])], "leaky_relu:0.5", [array(3.0)])
    after = Network([array([1.5, -2.0])], "leaky_relu:0.5", [array(2.0)])
    net, dweights, dbiases = difference(before, after)
    assert [dw.tolist() for dw in dweights] == [[[0.5, -4.0]]]
    assert [db.tolist() for db in dbiases] == [[-1.0]]
    x = array(1.0, 1.0)
    moved = Network([w + dw for w, dw in zip(net.weights, dweights, strict=True)], "leaky_relu:0.5", [array(3.0 - 1.0)])
    assert torch.equal(net(x), before(x))
    assert torch.equal(moved(x), after(x))


@pytest.mark.parametrize(("own", "other", "move"), [(None, [3.0, 4.0], [3.0, 4.0]), ([3.0, 4.0], None, [-3.0, -4.0])])
def test_a_bias_that_only_one_of_them_has_is_zero_in_the_other(own, other, move):
    w = array([1.0, 2.0], [0.0, 1.0])
    before, after = (Network([w], "identity", [None if b is None else array(*b)]) for b in (own, other))
    net, dweights, dbiases = difference(before, after)
    assert net.biases[0].tolist() == (own or [0.0, 0.0])
    assert dbiases[0].tolist() == move
    assert not dweights[0].any()
    assert before.has_biases == (own is not None), "the networks themselves stay as they are"


def test_without_biases_none_appear():
    net, _, dbiases = difference(networks(3, 4, 2), networks(3, 4, 2, seed=1))
    assert not net.has_biases
    assert dbiases == [None, None]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (networks(3, 4), "before has 2 layers, after has 1; expected the same architecture"),
        (networks(3, 4, 6), r"layer 2: before has weights of shape \(5, 4\), after of \(6, 4\)"),
        (networks(3, 4, 5, activation="relu"), "layer 1: before has activation leaky_relu:0.5, after relu"),
        (Network([torch.ones(2, 4, 3), torch.ones(2, 5, 4)], "identity"), r"after must be a single network, got batch .*2"),
    ],
    ids=["depth", "shape", "activation", "batch"],
)  # fmt: skip
def test_networks_that_do_not_match_are_refused(after, words):
    with pytest.raises(InputError, match=words):
        difference(networks(3, 4, 5), after)
