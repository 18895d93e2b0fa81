import pytest

import drt
from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement
from drt.measurement.sampling import Recipe, generator, normal
from drt.theory.registry import claims
from drt.theory.verdict import Verdicts
from proofs_checks.slack import PARTS, of_networks, waterfalls


def one(widths=(3, 4, 5), activation="leaky_relu:0.2", **changes):
    """One network, 16 inputs."""
    recipe = Recipe(widths, activation, **{"kappa": 3.0, "delta": 0.1, **changes}).draw(1, generator(0))
    net = drt.Network([w[0] for w in recipe.net.weights], activation)
    return Instance(net, [dw[0] for dw in recipe.dweights], normal((16, widths[0]), generator(1)))


@pytest.fixture(scope="module")
def taken_apart():
    return waterfalls(one())


def test_every_bound_that_applies_is_taken_apart(taken_apart):
    bounds = {c.id for c in claims.values() if c.known == "true" and c.kind == "theorem"}
    bounds = {b for b in bounds if claims[b].quantity in ("function", "jacobian")} - {"equation3"}
    assert {r.claim for r in taken_apart} == bounds


def test_the_parts_add_up_to_the_looseness_of_the_median_input(taken_apart):
    instance = one()
    for r in taken_apart:
        m = Measurement.of(instance, claims[r.claim].quantity)
        loose = sorted((-Verdicts(claims[r.claim], m).log_ratio / 2.302585092994046).tolist())
        assert r.total == pytest.approx(loose[(len(loose) - 1) // 2], abs=1e-5)
        assert sum(r.parts.values()) == pytest.approx(r.total, abs=1e-5)
        assert sum(s.log10 for s in r.steps) == pytest.approx(r.total, abs=1e-4)
        for s in r.steps[1:]:
            assert sum(s.layers) == pytest.approx(s.log10, abs=1e-4)
        assert list(r.parts) == [p for p in PARTS if p in r.parts]


def test_a_linear_network_loses_nothing_to_beta_over_alpha():
    for r in waterfalls(one(activation="identity")):
        assert r.parts["β/α"] == 0


def test_perfect_conditioning_loses_nothing_to_kappa():
    for r in waterfalls(one(kappa=1.0, widths=(4, 4, 4), perturbation="aligned")):
        assert r.parts.get("κ", 0) == pytest.approx(0, abs=1e-5)
        assert r.parts.get("norm swap", 0) == pytest.approx(0, abs=1e-5)


def test_bounds_whose_hypotheses_fail_are_left_out():
    assert {r.claim for r in waterfalls(one(widths=(5, 2)))} <= {
        "theorem1.jacobian", "kappa.jacobian", "spectral.jacobian", "telescoping.function", "norm-product.function",
        "neyshabur.function",
    }  # fmt: skip


def test_networks_that_do_not_differ_have_nothing_to_take_apart():
    net = one().net
    assert of_networks(net, net, one().x) == []
