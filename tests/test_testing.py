"""`assert_claim`: silent where a claim holds, says what is violated and how sure that is, steers Hypothesis."""

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

import drt
from drt import Instance, Network, strategies, testing
from drt.errors import InputError
from drt.testing import assert_claim
from tests.falsify import planted

# The shape checker of our test suite looks at a random entry of each list.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
FALLING = Instance(Network([[[1.0, 0.0]]], "identity"), [[[0.0, 0.5]]], [2.0**-10, 1.0])
SCALARS = Instance(Network([[[1.0]], [[2.0]]], "identity"), [[[1.0]], [[1.0]]], [3.0])


@drt.bound("function", ("transmission", "widths"))
def not_exact(m):
    """Beyond the measurement: the certifier has no tensors."""
    return m.instance.x.abs().sum(-1) / 12


def test_holds_and_ties_pass():
    assert_claim("theorem1.function", SCALARS)
    assert_claim(drt.claims["equation3"], SCALARS)  # a tie, undecided in floating point
    assert_claim("theorem1.jacobian", SCALARS)


def test_measurements_and_batches_are_taken_too():
    net = Network([torch.ones(5, 2, 1), torch.eye(2)], "leaky_relu:0.5")
    dweights = [torch.ones(2, 1), torch.eye(2)]
    assert_claim("theorem1.function", drt.measure(net, dweights, [1.0]))
    assert_claim("theorem1.jacobian", drt.measure_jacobian(net, dweights, [1.0], layer=1))
    x = torch.tensor([[1.0, 0.0], [2.0**-10, 1.0]])
    batch = Instance(FALLING.net, FALLING.dweights, x)
    with pytest.raises(AssertionError, match=r"x = \((1/1000, 1|.*)\)"):
        assert_claim("theorem1.function.as-stated", batch)


def test_violation_is_shrunk_and_certified():
    with pytest.raises(AssertionError) as caught:
        assert_claim("theorem1.function.as-stated", FALLING)
    text = str(caught.value)
    assert text.startswith("theorem1.function.as-stated: ‖f̃ − f‖/‖f‖ ≤ (β/α·κ²)^L [Π(1 + δ_k) − 1], any widths\n")
    assert "violated, certified in exact arithmetic\nL = 1, widths 2-1, φ = identity\nW₁ = [1 0],  ΔW₁ = [0 1]" in text
    assert "but the bound is 1" in text


def test_violation_that_cannot_be_certified_says_so():
    with pytest.raises(AssertionError, match="violated in floating point, not certified") as caught:
        assert_claim(not_exact, SCALARS)
    assert "cannot be evaluated exactly" in str(caught.value)
    assert "but the bound is 0.25" in str(caught.value)


def test_a_bound_of_zero_is_violated():
    @drt.bound("function", ())
    def zero(m):
        """Nothing ever changes."""
        return 0 * m.delta.sum(-1)

    with pytest.raises(AssertionError, match="but the bound is 0"):
        assert_claim(zero, SCALARS, shrink_candidates=0)


def fails(claim, **ranges):
    """The message with which a real run of Hypothesis fails."""

    @settings(max_examples=300, phases=[Phase.generate, Phase.target, Phase.shrink])
    @given(strategies.instances(claim=claim, **ranges))
    def run(instance):
        assert_claim(claim, instance, shrink_candidates=200)

    with pytest.raises(AssertionError) as caught:
        run()
    return str(caught.value)


@pytest.mark.parametrize("name", ["nine_tenths", "jacobian_nine_tenths", "biases_allowed"])
def test_false_claims_fail_in_a_hypothesis_run(name):
    claim = planted.FALSE[name]
    text = fails(claim, depth=(1, 2), width=(1, 2))
    assert text.startswith(f"{name}: {claim.statement}\nviolated, certified in exact arithmetic\nL = ")
    assert "W₁ = [" in text
    assert "but the bound is" in text
    assert ("b₁ = " in text) == (name == "biases_allowed")


@pytest.mark.parametrize("name", ["true_kappa_form", "true_telescoping", "true_spectral_jacobian"])
def test_true_claims_pass_in_a_hypothesis_run(name):
    @settings(max_examples=40)
    @given(strategies.instances(claim=planted.TRUE[name]))
    def run(instance):
        assert_claim(planted.TRUE[name], instance)

    run()


def test_shrinking_waits_for_the_last_example(monkeypatch):
    """A failing run evaluates many violations; only the last one is worth seconds."""
    calls = []
    shrink = testing.shrink
    monkeypatch.setattr(testing, "shrink", lambda *arguments: calls.append(1) or shrink(*arguments))
    fails(planted.FALSE["nine_tenths"], depth=1, width=1)
    assert len(calls) == 1


def test_target_is_the_log_ratio_and_only_inside_a_test(monkeypatch):
    seen = []
    monkeypatch.setattr(testing, "target", lambda score, label: seen.append((score, label)))
    assert_claim("theorem1.function", SCALARS)
    assert seen == []

    @settings(max_examples=1, phases=[Phase.generate])
    @given(st.just(SCALARS))
    def run(instance):
        assert_claim("norm-product.function", instance)
        still = Instance(instance.net, [[[0.0]], [[0.0]]], [1.0])
        assert_claim("norm-product.function", still)  # 0 ≤ 0: nothing to steer by

    run()
    ((score, label),) = seen
    assert score == pytest.approx(0, abs=1e-12)
    assert score <= 0
    assert label == "log(actual/bound) of norm-product.function"


def test_one_claim_may_be_asserted_twice_in_a_test():
    @settings(max_examples=5)
    @given(strategies.instances(claim="spectral.function"))
    def run(instance):
        assert_claim("spectral.function", instance)
        assert_claim("spectral.function", instance)
        assert_claim("kappa.function", instance) if drt.measure_all(instance)[0].kappa_dw.isfinite().all() else None

    run()


def test_missed_hypothesis_is_bad_input_outside_a_test():
    with pytest.raises(
        InputError, match=r"instance misses a hypothesis of theorem1.function: widths: widths 2-1 contract"
    ):
        assert_claim("theorem1.function", FALLING)


def test_missed_hypothesis_is_rejected_inside_a_test():
    """Neither a success nor a violation: Hypothesis complains where nothing is left."""

    @settings(suppress_health_check=[])
    @given(strategies.instances(("transmission",), width=(1, 1)))
    def run(instance):
        assert_claim("relu-model", instance)

    with pytest.raises((FailedHealthCheck, Unsatisfiable)):
        run()
    mixed = settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much])
    mixed(
        given(strategies.instances(("transmission", "conditioning")))(lambda i: assert_claim("theorem1.function", i))
    )()


@pytest.mark.parametrize(
    ("claim", "instance", "words"),
    [
        ("theorem2", SCALARS, "claim 'theorem2' is not known"),
        (3, SCALARS, "claim must be a claim or the id of one, got 3"),
        ("equation3", "net", "instance must be a drt.Instance or a drt.Measurement, got str"),
        (
            "theorem1.jacobian",
            drt.measure_all(SCALARS)[0],
            "is about the jacobian, but the measurement about the function",
        ),
    ],
)
def test_bad_arguments_are_named(claim, instance, words):
    with pytest.raises(InputError, match=words):
        assert_claim(claim, instance)
