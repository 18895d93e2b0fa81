"""Each hypothesis is seen met and seen failing, with its reason; users' own; adding and dropping by name."""

import itertools

import pytest
import torch

import drt
from drt import hypotheses
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.errors import InputError
from drt.measurement.quantity import is_valley, never_contracts, spares_gradients
from drt.optimisers.steps import measure_steps
from drt.theory.hypotheses import resolve
from tests.descent_cases import (
    case,
)
from tests.instances import PIECEWISE, array, instance, measured, scalars

EYE = torch.eye(2, dtype=torch.float64)
RANK_ONE = array([1.0, 1.0], [1.0, 1.0])


def of(w, dw, x=(1.0, 2.0), activation="identity", biases=None):
    return drt.measure(drt.Network([w], activation, biases), [dw], array(*x))


def jacobian_of(widths):
    return drt.measure_jacobian(*instance(0, widths))


def descent(y, dw):
    """𝓛 = ½(w − y)², w = 1, moved by dw; C = 1."""
    return measure_descent(
        drt.Network([array([1.0])], "identity"), [array([dw])], array([1.0]), MeanSquaredError(array([y]))
    )


def step(weight, gradient):
    """One step of the optimisers from one weight."""
    return measure_steps(*(array(*v).expand(1, 1, 1, 2) for v in (weight, gradient)), array(0.1).expand(1))


BOUNDARY = of(EYE, EYE / 4)
CASES = {
    "transmission": (BOUNDARY, of(EYE, EYE / 4, activation="relu"), "α = 0.0, which must be > 0"),
    "conditioning": (BOUNDARY, of(EYE, RANK_ONE), "κ(ΔW_1) = ∞: rank-deficient to working precision"),
    "conditioning-w-dw": (of(EYE, -EYE), of(RANK_ONE, EYE), "κ(W_1) = ∞: rank-deficient to working precision"),
    "conditioning-w": (of(EYE, RANK_ONE), of(RANK_ONE, EYE), "κ(W_1) = ∞: rank-deficient to working precision"),
    "biases": (BOUNDARY, of(EYE, EYE / 4, biases=[array(0.0, 1.0)]), "the network has biases"),
    "nonzero": (BOUNDARY, of(RANK_ONE, EYE, x=(1.0, -1.0)), "f(x) is zero or out of range"),
    "small": (of(EYE, EYE), of(EYE, 1.5 * EYE), "ρ_1 = 1.5 > 1/L = 1"),
    "lipschitz": (BOUNDARY, of(EYE, EYE, activation=PIECEWISE), "β = 2.0, which must be ≤ 1"),
    "scalars": (scalars([1, 2], [1, 1]), BOUNDARY, "widths 2-2 with identity, not two scalars"),
    "differentiable": (
        of(EYE, EYE, activation="leaky_relu:0.1"),
        of(EYE, EYE, x=(1.0, 0.0), activation="leaky_relu:0.1"),
        "a pre-activation is within its rounding error of a kink of φ",
    ),
    "relu": (of(EYE, EYE, activation="relu"), BOUNDARY, "φ is identity, not relu"),
    "widths": (BOUNDARY, measured(0, (3, 2)), "widths 3-2 contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked"),
    "gradients": (descent(0.5, 0.1), descent(1.0, 0.1), "a layer's gradient is zero, or nothing moves"),
    "one-input": (measure_descent(*case(0, "identity")), measure_descent(*case(0)), "6 inputs, and φ is not linear"),
    "bracket": (descent(0.0, -0.1), descent(0.0, 0.1), "layer 1: cos θ = -1, change in gradient 0.1"),
    "trust": (descent(-1.0, -0.1), descent(0.5, -0.1), "change in gradient 0.2 > 0.1 at t = 1"),
    "trust-constant": (descent(-1.0, -0.1), descent(0.5, -0.1), "change in gradient 0.2 > 0.1 at t = 1"),
    "orthogonal": (step((3.0, 4.0), (4.0, -3.0)), step((3.0, 4.0), (4.0, 3.0)), "cos∠(W, g) = 0.96"),
    "step-size": (descent(0.0, -0.9), descent(0.0, 0.1), "η = 0.1, allowed are 0 (cos θ = -1)"),
    "step-size-mean": (descent(0.0, -1.9), descent(0.0, 0.1), "η = 0.1: mean change 0.05, cos θ = -1"),
    "step-size-constant": (descent(0.0, -0.9), descent(0.0, 0.1), "η = 0.1, allowed are 0 (cos θ = -1)"),
}


@pytest.mark.parametrize("name", CASES)
def test_met_and_failing_with_its_reason(name):
    met, failing, why = CASES[name]
    hypothesis = hypotheses[name]
    assert bool(hypothesis.met(met).all())
    assert not bool(hypothesis.met(failing).any())
    assert hypothesis.why(failing, (0,) * len(failing.batch_shape)) == why
    assert hypothesis.statement


def test_every_built_in_hypothesis_is_tested_above():
    assert {n for n, h in hypotheses.items() if h.condition is None} == set(CASES)


def test_widths_of_a_jacobian_are_those_above_its_layer():
    """2-3-1 contracts, is no valley, but 3-1 alone is one."""
    net, dws, x = instance(0, (2, 3, 1))
    whole, top = (drt.measure_jacobian(net, dws, x, layer=layer) for layer in (0, 1))
    assert not hypotheses["widths"].met(whole)
    assert hypotheses["widths"].why(whole, ()) == "widths 2-3-1 do not form a valley: never rising, then never falling"
    assert hypotheses["widths"].met(top)


def test_the_perturbed_matrix_is_conditioned_where_theorem_1_asks_it():
    """W̃ = W + ΔW = 0: the paper's hypothesis fails, kappa.function's does not."""
    m = of(EYE, -EYE)
    assert hypotheses["conditioning"].why(m, ()) == "κ(W̃_1) = ∞: rank-deficient to working precision"
    assert hypotheses["conditioning-w-dw"].met(m)


@pytest.mark.parametrize(
    ("widths", "met"),
    [((2, 1), True), ((1, 2), True), ((1, 2, 2, 1), True), ((2, 2, 2), True), ((1, 2, 1), True), ((2, 1, 2), False),
     ((2, 1, 1), False), ((1, 1, 2), False), ((1, 2, 3, 1), False), ((1, 3, 2, 2), False)],
)  # fmt: skip
def test_widths_that_spare_gradients(widths, met):
    """n_0 ≤ n_1 = … = n_{L−1} ≥ n_L; one layer's gradient has nothing below or above it."""
    assert spares_gradients(widths) == met
    net = drt.Network([torch.ones(n, m) for m, n in itertools.pairwise(widths)], "identity")
    m = measure_descent(net, [w / 2 for w in net.weights], torch.ones(1, widths[0]), lambda o: o.sum())
    assert bool(hypotheses["widths"].met(m)) == met
    if not met:
        assert hypotheses["widths"].why(m, ()).endswith(" are not n_0 ≤ n_1 = … = n_{L−1} ≥ n_L")


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_patterns_of_widths(n):
    """Against the definition: some floor exists, falling before it, rising after it."""
    for widths in itertools.product(range(1, 4), repeat=n):
        rising = all(a <= b for a, b in zip(widths, widths[1:], strict=False))
        valley = any(
            sorted(widths[: k + 1], reverse=True) == list(widths[: k + 1]) and sorted(widths[k:]) == list(widths[k:])
            for k in range(n)
        )
        assert never_contracts(widths) == rising
        assert is_valley(widths) == valley


def test_hypotheses_are_decided_instance_by_instance():
    net = drt.Network([torch.stack([EYE, RANK_ONE])], "identity")
    assert hypotheses["conditioning-w"].met(drt.measure(net, [EYE], array(1.0, 2.0))).tolist() == [True, False]


def test_names_resolve_with_the_implied_ones_first():
    assert resolve(()) == ("biases", "nonzero")
    assert resolve(("widths", "-biases")) == ("nonzero", "widths")
    assert resolve(("widths", "widths")) == ("biases", "nonzero", "widths")
    with pytest.raises(
        InputError, match="hypothesis 'width' is not known; expected some of transmission, conditioning"
    ):
        resolve(("width",))


def test_claims_with_hypotheses_added_and_dropped():
    claim = drt.claims["theorem1.function"]
    assert claim.with_hypotheses(["-widths"]).hypotheses == ("biases", "nonzero", "transmission", "conditioning")
    assert claim.with_hypotheses(["+small", "lipschitz"]).hypotheses[-2:] == ("small", "lipschitz")
    assert claim.with_hypotheses(["widths"]).hypotheses == claim.hypotheses
    assert "widths" in claim.hypotheses
    with pytest.raises(
        InputError, match=r"--hypotheses -small: theorem1\.function has no such hypothesis; it has biases"
    ):
        claim.with_hypotheses(["-small"])
    with pytest.raises(InputError, match="hypothesis 'nonsense' is not known"):
        claim.with_hypotheses(["nonsense"])


def test_a_users_hypothesis_of_the_architecture():
    try:

        @drt.hypothesis
        def square_first_layer(m):
            """n_0 = n_1."""
            return m.widths[0] == m.widths[1]

        @drt.bound(hypotheses=("square_first_layer",))
        def mine(m):
            return 1e9

        assert drt.check(mine, measured(0, (2, 2)))
        v = drt.check(mine, measured(0, (2, 3)))
        assert v.reason == "square_first_layer: widths 2-3, depth 1"
        assert hypotheses["square_first_layer"].statement == "n_0 = n_1."
    finally:
        hypotheses.pop("square_first_layer", None)


def test_a_users_hypothesis_cannot_take_a_built_in_name():
    def widths(m):
        return True

    with pytest.raises(InputError, match="hypothesis 'widths' is built in; choose another name"):
        drt.hypothesis(widths)
