"""Bad input through the Python interface: one line that names the argument, its value and what was expected."""

import math

import numpy as np
import pytest
import torch

import drt
from drt.errors import InputError
from drt.theory.registry import find
from tests.instances import array, measured, scalars

W = array([1.0, 2.0], [3.0, 4.0])
X = array(1.0, 1.0)
NET = drt.Network([W], "identity")
DEEP = drt.Network([W, W], "identity")
BIASED = drt.Network([W], "identity", [X])
NAN, INF = array([1.0, math.nan], [0.0, 1.0]), array([1.0, 2.0], [-math.inf, 1.0])


def network(weights, activation="identity", biases=None):
    return lambda: drt.Network(weights, activation, biases)


def measure(dweights=(W,), x=X, net=NET, **kwargs):
    return lambda: drt.measure(net, dweights, x, **kwargs)


def jacobian(layer, net=DEEP):
    return lambda: drt.measure_jacobian(net, [W] * net.depth, X, layer=layer)


def from_torch(*modules):
    return lambda: drt.Network.from_torch(torch.nn.Sequential(*modules))


def custom(**kwargs):
    return lambda: drt.bound(**kwargs)


LINEAR = torch.nn.Linear(2, 2)
CASES = {
    # networks
    "no layers": (network([]), "weights must be a non-empty list of matrices, got []"),
    "weights None": (network(None), "weights must be a non-empty list of matrices, got None"),
    "weights a number": (network(3.0), "weights must be a non-empty list of matrices, got 3.0"),
    "weights one tensor": (network(W), "weights must be a non-empty list of matrices, got shape (2, 2)"),
    "weights one array": (network(np.eye(2)), "weights must be a non-empty list of matrices, got shape (2, 2)"),
    "shapes do not chain": (
        network([W, array([1.0, 2.0, 3.0])]),
        "weights[1] has shape (1, 3): it must have 2 columns, the rows of weights[0]",
    ),
    "a vector for a matrix": (network([X]), "weights[0] needs at least 2 dimension(s), got shape (2,)"),
    "an empty matrix": (network([torch.zeros(0, 2)]), "weights[0] must not be empty, got shape (0, 2)"),
    "integer tensor": (network([W.long()]), "weights[0] must be floating point, got dtype int64"),
    "integer array": (network([np.eye(2, dtype=int)]), "weights[0] must be floating point, got dtype int64"),
    "integer list": (network([[[1, 2], [3, 4]]]), "weights[0] must be floating point, got dtype int64"),
    "complex tensor": (network([W + 0j]), "weights[0] must be floating point, got dtype complex128"),
    "complex array": (network([np.eye(2) + 0j]), "weights[0] must be floating point, got dtype complex128"),
    "truth values": (network([W > 0]), "weights[0] must be floating point, got dtype bool"),
    "objects": (network([np.array([[None]])]), "weights[0] must be floating point, got dtype object"),
    "text": (network(["W"]), "weights[0] must be floating point, got dtype <U1"),
    "ragged": (network([[[1.0], [2.0, 3.0]]]), "weights[0] is not an array of numbers: "),
    "NaN in weights": (network([W, NAN]), "weights[1] must be finite, got nan at index (0, 1)"),
    "infinity in weights": (network([INF]), "weights[0] must be finite, got -inf at index (1, 0)"),
    "batches of weights": (
        network([W.expand(3, 2, 2), W.expand(2, 2, 2)]),
        "weights[1] has batch shape (2,), which does not broadcast with (3,)",
    ),
    "bias of the wrong length": (
        network([W], biases=[array(1.0)]),
        "biases[0] has shape (1,): its last dimension must be 2",
    ),
    "too few biases": (network([W, W], biases=[None]), "biases must have one entry for each of 2 layer(s), got 1"),
    "biases a number": (
        network([W], biases=1.0),
        "biases must be a list with one entry for each of 1 layer(s), got 1.0",
    ),
    "NaN in biases": (network([W], biases=[X * math.nan]), "biases[0] must be finite, got nan at index (0,)"),
    "batches of biases": (
        network([W.expand(3, 2, 2)], biases=[X.expand(2, 2)]),
        "biases[0] has batch shape (2,), which does not broadcast with (3,)",
    ),
    # activations
    "too many activations": (network([W], ["identity"] * 2), "activation must be one, or 1 for 1 layers; got 2"),
    "unknown activation": (
        network([W], "gelu"),
        "activation='gelu' is not known; expected one of identity, relu, leaky_relu:A",
    ),
    "activation without its slope": (
        network([W], "leaky_relu"),
        "activation='leaky_relu' is not known; expected one of",
    ),
    "activation with a slope too many": (network([W], "relu:0.1"), "activation='relu:0.1' is not known"),
    "a function for an activation": (
        network([W], torch.relu),
        "is not an activation; expected e.g. drt.leaky_relu(0.1)",
    ),
    "an array for an activation": (network([W], np.ones(2)), "is not an activation; expected e.g. drt.leaky_relu(0.1)"),
    "None for an activation": (network([W], None), "activation=None is not an activation; expected e.g."),
    "slope zero": (lambda: drt.leaky_relu(0), "leaky_relu needs a slope 0 < a <= 1, got a=0"),
    "slope negative": (lambda: drt.leaky_relu(-0.1), "leaky_relu needs a slope 0 < a <= 1, got a=-0.1"),
    "slope above beta": (lambda: drt.tanh_blend(1.5), "tanh_blend needs a slope 0 < a <= 1, got a=1.5"),
    "slope NaN": (lambda: drt.softplus_blend(math.nan), "softplus_blend needs a slope 0 < a <= 1, got a=nan"),
    "slope text": (lambda: drt.leaky_relu("0.1"), "leaky_relu needs a slope 0 < a <= 1, got a='0.1'"),
    "slope in a text": (lambda: drt.parse_activation("leaky_relu:2"), "leaky_relu needs a slope 0 < a <= 1, got a=2.0"),
    "kinks unsorted": (
        lambda: drt.piecewise_linear([1.0, 0.0], [1.0, 1.0, 1.0]),
        "piecewise_linear needs strictly increasing finite kinks, got kinks=(1.0, 0.0)",
    ),
    "kink infinite": (
        lambda: drt.piecewise_linear([math.inf], [1, 1]),
        "strictly increasing finite kinks, got kinks=(inf,)",
    ),
    "slopes missing": (
        lambda: drt.piecewise_linear([0.0], [1.0]),
        "piecewise_linear needs 2 slopes for 1 kinks, got slopes=(1.0,)",
    ),
    "slope of a piece negative": (
        lambda: drt.piecewise_linear([0.0], [-1.0, 1.0]),
        "piecewise_linear needs slopes > 0 (transmission needs alpha > 0), got slopes=(-1.0, 1.0)",
    ),
    "kinks no list": (
        lambda: drt.piecewise_linear(0.0, [1.0]),
        "piecewise_linear needs lists of numbers, got kinks=0.0",
    ),
    "kinks in a text": (
        lambda: drt.parse_activation("piecewise_linear:0"),
        "activation='piecewise_linear:0' is not known",
    ),
    "negated nothing": (lambda: drt.parse_activation("negated:"), "activation='' is not known"),
    # inputs
    "x zero": (lambda: NET(0 * X), "x must be non-zero, got an input whose entries are all 0"),
    "one x of many zero": (
        measure(x=torch.stack([X, 0 * X])),
        "x must be non-zero, got an input whose entries are all 0",
    ),
    "x too wide": (measure(x=array(1.0, 2.0, 3.0)), "x has shape (3,): its last dimension must be n_0 = 2"),
    "x a number": (measure(x=1.0), "x needs at least 1 dimension(s), got shape ()"),
    "x integer": (measure(x=[1, 2]), "x must be floating point, got dtype int64"),
    "x infinite": (measure(x=X * math.inf), "x must be finite, got inf at index (0,)"),
    "x of another batch": (
        lambda: drt.Network([W.expand(3, 2, 2)], "identity")(X.expand(2, 2)),
        "x has batch shape (2,), which does not broadcast with (3,)",
    ),
    # perturbations
    "no network": (measure(net=[W]), "net must be a drt.Network, got list"),
    "too few dweights": (measure(net=DEEP), "dweights must have one entry for each of 2 layer(s), got 1"),
    "dweights None": (measure(None), "dweights must be a list with one entry for each of 1 layer(s), got None"),
    "dweights mismatched": (measure([array([1.0, 2.0])]), "dweights[0] has shape (1, 2), but weights[0] has (2, 2)"),
    "NaN in dweights": (measure([NAN]), "dweights[0] must be finite, got nan at index (0, 1)"),
    "integer dweights": (measure([W.int()]), "dweights[0] must be floating point, got dtype int32"),
    "batches of dweights": (
        measure([W.expand(3, 2, 2)], X.expand(2, 2)),
        "x has batch shape (2,), which does not broadcast with (3,)",
    ),
    "weights zero": (
        measure(net=drt.Network([0 * W], "identity")),
        "weights[0] must be non-zero: relative perturbations divide by its norm, which is 0",
    ),
    "dbiases without biases": (measure(dbiases=[X]), "dbiases[0] has shape (2,), but biases[0] has none"),
    "dbiases of the wrong shape": (
        measure(net=BIASED, dbiases=[array(1.0)]),
        "dbiases[0] has shape (1,), but biases[0] has (2,)",
    ),
    "too many dbiases": (
        measure(net=BIASED, dbiases=[X, X]),
        "dbiases must have one entry for each of 1 layer(s), got 2",
    ),
    "batches of dbiases": (
        measure(net=BIASED, x=X.expand(3, 2), dbiases=[X.expand(2, 2)]),
        "x has batch shape (3,), which does not broadcast with (2,)",
    ),
    # layers
    "layer L": (jacobian(2), "layer must be an integer from 0 to 1, got layer=2"),
    "layer negative": (jacobian(-1), "layer must be an integer from 0 to 1, got layer=-1"),
    "layer a float": (jacobian(1.0), "layer must be an integer from 0 to 1, got layer=1.0"),
    "layer a truth value": (jacobian(True), "layer must be an integer from 0 to 1, got layer=True"),
    # torch modules
    "convolution": (
        from_torch(torch.nn.Conv1d(1, 1, 1)),
        "is not known; expected Linear, LeakyReLU, ReLU, Identity or a drt",
    ),
    "tanh": (from_torch(LINEAR, torch.nn.Tanh()), "model[1] = Tanh() is not known; expected Linear, LeakyReLU, ReLU"),
    "activation first": (from_torch(torch.nn.ReLU(), LINEAR), "model[0] = ReLU() must follow a Linear module"),
    "two activations": (
        from_torch(LINEAR, torch.nn.ReLU(), torch.nn.ReLU()),
        "model[2] = ReLU() must follow a Linear module",
    ),
    "slope of a module": (
        from_torch(LINEAR, torch.nn.LeakyReLU(-1.0)),
        "leaky_relu needs a slope 0 < a <= 1, got a=-1.0",
    ),
    "empty model": (from_torch(), "weights must be a non-empty list of matrices, got []"),
    "no Sequential": (lambda: drt.Network.from_torch(LINEAR), "model must be a torch.nn.Sequential, got Linear"),
    "a batch of networks to torch": (
        lambda: drt.Network([W.expand(3, 2, 2)], "identity").to_torch(),
        "to_torch needs a single network, got batch shape (3,)",
    ),
    # claims
    "unknown claim": (
        lambda: find("theorem2"),
        "claim 'theorem2' is not known; expected one of ",
    ),
    "unknown claim checked": (
        lambda: drt.check("theorem2", scalars([1], [1])),
        "claim 'theorem2' is not known; expected one of",
    ),
    "no claim": (lambda: drt.check(None, scalars([1], [1])), "claim must be a claim or the id of one, got None"),
    "no measurement": (
        lambda: drt.check("equation3", NET),
        "m must be what drt.measure or drt.measure_jacobian returns, got Network",
    ),
    "the other quantity": (
        lambda: drt.check("equation3", drt.measure_jacobian(NET, [W], X)),
        "claim equation3 is about the function, but the measurement about the jacobian",
    ),
    "unknown quantity": (custom(quantity="gradient"), "quantity='gradient' must be one of function, jacobian"),
    "unknown left side": (custom(left="squared"), "left='squared' must be relative or absolute for the function"),
    "absolute jacobian": (
        custom(quantity="jacobian", left="absolute"),
        "left='absolute' must be relative for the jacobian",
    ),
    "unknown hypothesis": (
        custom(hypotheses=("smooth",)),
        "hypothesis 'smooth' is not known; expected some of transmission",
    ),
    "hypotheses a text": (custom(hypotheses="widths"), "hypotheses='widths' must be a list of names"),
    "bound without arguments": (
        lambda: drt.bound(lambda m: 1.0),
        "drt.bound is used with arguments: @drt.bound(quantity=",
    ),
    "unknown hypothesis dropped": (
        lambda: drt.claims["equation3"].with_hypotheses(["-smooth"]),
        "hypothesis 'smooth' is not known; expected some of",
    ),
}


@pytest.mark.bad_input
@pytest.mark.parametrize(("call", "words"), CASES.values(), ids=CASES.keys())
def test_bad_input_is_named(call, words):
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert isinstance(caught.value, ValueError)


def test_what_was_refused_changes_nothing():
    """The same arguments, mended, are taken."""
    assert measure()().change > 0
    assert jacobian(1)().change > 0
    assert drt.check("norm-product.function", measured(0, (2, 2))).outcome == "holds"
