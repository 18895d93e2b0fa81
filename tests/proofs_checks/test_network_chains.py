"""Every chain about a network: it holds, its ends are the claim's two sides, a wrong step is caught and named."""

import pytest
import torch

from drt.measurement.instance import Instance
from drt.network.network import Network
from drt.theory.registry import claims
from proofs_checks.registry import chains
from tests.proofs_checks.common import (
    LEAKY,
    SMOOTH,
    assert_ends_are_the_claims,
    assert_every_lowered_step_is_named,
    assert_holds,
    both,
    extremal_instances,
    of,
    random_instance,
    trained_instances,
)

LAYERED = [chain for chain in chains().values() if chain.layered]


@pytest.fixture(scope="module")
def trained():
    return [both(instance) for instance in trained_instances()]


@pytest.fixture(scope="module")
def extremal():
    sizes = ((1, 0.1), (2, 0.1), (2, 1.0), (3, 0.0))
    return [both(i) for depth, alpha in sizes for i in extremal_instances(depth=depth, alpha=alpha).values()]


@pytest.mark.parametrize("chain", LAYERED, ids=lambda c: c.claim)
@pytest.mark.parametrize("activation", ["leaky_relu:0.1", SMOOTH, "negated:softplus_blend:0.5"])
@pytest.mark.parametrize("delta", [1e-9, 3.0])
def test_every_step_holds_on_random_networks_and_the_ends_are_the_claims(chain, activation, delta):
    m = of(chain, random_instance(chain, activation, delta=delta))
    if chain.claim == "neyshabur.function" and delta > 1:  # ρ ≤ 1/L is asked
        assert not assert_holds(chain, m, some=False).applicable.any()
    else:
        assert_holds(chain, m)
        assert_ends_are_the_claims(chain, m)


@pytest.mark.parametrize("chain", [c for c in LAYERED if c.claim != "equation3"], ids=lambda c: c.claim)
def test_every_layer_may_have_its_own_phi(chain):
    instance = random_instance(chain)
    # β ≤ 1 is asked
    hidden = LEAKY if chain.claim == "neyshabur.function" else "piecewise_linear:0.0/0.3,2.0"
    phis = [*[f"negated:{hidden}"] * (instance.net.depth - 1), "leaky_relu:0.5"]
    m = of(chain, Instance(Network(instance.net.weights, phis), instance.dweights, instance.x))
    assert_holds(chain, m)
    assert_ends_are_the_claims(chain, m)


@pytest.mark.parametrize("chain", LAYERED, ids=lambda c: c.claim)
def test_every_step_holds_on_the_extremal_constructions(chain, extremal):
    assert_holds_somewhere(chain, extremal)


@pytest.mark.parametrize("chain", [c for c in LAYERED if c.claim != "equation3"], ids=lambda c: c.claim)
def test_every_step_holds_on_trained_networks(chain, trained):
    assert_holds_somewhere(chain, trained)


def assert_holds_somewhere(chain, measurements):
    quantity = claims[chain.claim].quantity
    walks = [assert_holds(chain, m[quantity], some=False) for m in measurements]
    assert sum(int(walk.applicable.sum()) for walk in walks) > 0


@pytest.mark.parametrize("chain", LAYERED, ids=lambda c: c.claim)
def test_a_step_too_small_by_one_percent_is_caught_and_named(chain):
    assert_every_lowered_step_is_named(chain, of(chain, random_instance(chain)))


@pytest.mark.parametrize("chain", LAYERED, ids=lambda c: c.claim)
def test_layers_share_the_slack_of_a_step(chain):
    m = of(chain, random_instance(chain))
    walk = chain.walk(m)
    assert walk.layer_slack(1) is None
    for k in range(2, len(chain.steps) + 1):
        layers = walk.layer_slack(k)
        assert layers.shape == (*m.batch_shape, m.depth)
        torch.testing.assert_close(layers.sum(-1), walk.slack[..., k - 1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("chain", LAYERED, ids=lambda c: c.claim)
def test_one_instance_alone_and_tiny_and_huge_scales(chain):
    instance = random_instance(chain, batch=1)
    for scale in (1e-120, 1.0, 1e120):
        net = type(instance.net)([w[0] * scale for w in instance.net.weights], list(instance.net.activations))
        one = type(instance)(net, [dw[0] * scale for dw in instance.dweights], instance.x[0])
        walk = assert_holds(chain, of(chain, one))
        assert walk.logs.shape == (len(chain.steps) + 1,)
        assert torch.isfinite(walk.logs).all()


def test_an_inapplicable_instance_is_neither_success_nor_failure():
    chain = chains()["theorem1.function"]
    walk = chain.walk(of(chain, random_instance(chain, widths=(3, 2))))
    assert not walk.applicable.any()
    assert walk.counts(1)["inapplicable"] == 16
    assert torch.isnan(walk.slack).all()
