"""Every claim recorded as true, over α, β, κ and depth; those recorded as false are found to be."""

import pytest
from hypothesis import Phase, given, settings

import drt
from drt import strategies
from drt.testing import assert_claim
from tests.falsify import planted

# The shape checker of our test suite looks at a random entry of each list.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
CLAIMS = [c for c in drt.claims.values() if c.quantity in ("function", "jacobian")]
TRUE = [c.id for c in CLAIMS if c.known == "true"]
# Random search is no dependable detector of theorem1.jacobian.as-stated: 5 of 8 seeds find it in 400 examples, 9 of 30 at
# L = 2 with widths 1 and 2. `drt falsify` does find it: tests/falsify/test_pipeline.py.
FALSE = [c.id for c in CLAIMS if c.known == "false" and c.id != "theorem1.jacobian.as-stated"]
REGIMES = {
    "tight": {"kappa": 1, "alpha": 1, "beta": 1},
    "steep": {"alpha": (0.01, 0.1), "beta": (1, 8), "kappa": (1, 3)},
    "ill-conditioned": {"kappa": (10, 1e6), "delta": (1e-6, 100)},
    "deep": {"depth": (5, 8), "width": (1, 3)},
}
HOLDING = settings(max_examples=20, phases=[Phase.generate, Phase.target])
# A hundred examples find the rarest in about half of all runs, so 2,000 miss it once in a million; most end long before.
FINDING = settings(max_examples=2000, phases=[Phase.generate, Phase.target])


def holds(claim, config, **ranges):
    @config
    @given(strategies.instances(claim=claim, **ranges))
    def run(instance):
        assert_claim(claim, instance, shrink_candidates=100)

    run()


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("claim_id", TRUE)
def test_true_claims_hold(claim_id, regime):
    ranges = REGIMES[regime]
    if claim_id == "neyshabur.function" and regime == "steep":
        ranges = ranges | {"beta": 1}  # it asks for β ≤ 1
    holds(claim_id, HOLDING, **ranges)


@pytest.mark.parametrize("claim_id", FALSE)
def test_false_claims_are_found_to_be(claim_id):
    with pytest.raises(AssertionError, match="violated, certified in exact arithmetic"):
        holds(claim_id, FINDING)


@pytest.mark.parametrize(
    "name", ["kappa_power_0", "sum_for_product", "first_layer_missing", "nine_tenths", "jacobian_slopes_one_short"]
)
def test_planted_errors_are_found(name):
    with pytest.raises(AssertionError, match=f"^{name}: "):
        holds(planted.FALSE[name], FINDING)
