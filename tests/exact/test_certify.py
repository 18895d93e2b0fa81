"""Certificates: sound against 320-digit arithmetic, decided on known examples, exact on ties."""

from __future__ import annotations

import bisect
import json
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from flint import arb, ctx, fmpq, fmpq_mat

import drt
from drt.errors import InputError
from drt.exact import certify as certify_module
from drt.exact.balls import Balls
from drt.exact.certify import TWINS, certify
from drt.exact.measurement import ExactWeights
from drt.exact.network import ExactNetwork, Piecewise
from drt.exact.surds import ball
from drt.measurement.measurement import Measurement
from drt.theory.registry import of_network
from drt.witness.witness import Witness
from tests import certify_reference as reference
from tests.exact.cases import identity, witness

TRUE = [claim.id for claim in of_network() if claim.known == "true"]


# --- soundness ---


def test_enclosures_contain_320_digit_values():
    """Fields, sides and answers of random instances; 10,000 of them with `python tests/certify_reference.py 10000`."""
    answers: Counter[str] = Counter()
    for seed in range(400):
        answer, errors = reference.check(seed)
        assert not errors, (seed, errors)
        answers[answer] += 1
    assert answers["undecided"] <= 4
    assert answers["attained"] > 10
    assert answers["violated"] > 0
    assert answers["holds"] > 150


def _scaled_bounds(monkeypatch):
    right = ExactWeights._condition

    def wrong(self, which, k):
        return right(self, which, k) * (1 + 1e-12)

    monkeypatch.setattr(ExactWeights, "_condition", wrong)


def _too_narrow(monkeypatch):
    monkeypatch.setattr("drt.exact.singular._ends", lambda sigma, a, b, e: (arb(sigma), arb(sigma)))


def _right_slope(monkeypatch):
    monkeypatch.setattr("drt.exact.network.bisect_left", bisect.bisect_right)


def _rounded_weights(monkeypatch):
    exact = ExactNetwork.__init__

    def rounded(self, w):
        exact(self, w)
        self.wt = [
            fmpq_mat(
                m.nrows(),
                m.ncols(),
                [fmpq(*float(Fraction(int(v.p), int(v.q))).as_integer_ratio()) for v in m.entries()],
            )
            for m in self.wt
        ]

    monkeypatch.setattr(ExactNetwork, "__init__", rounded)


def _wrong_piece(monkeypatch):
    value = Piecewise.value
    monkeypatch.setattr(Piecewise, "value", lambda self, z: value(self, z) if z < 1 else self.slopes[-1] * z)


def _wrong_decision(monkeypatch):
    monkeypatch.setattr(
        certify_module, "_answer", lambda lhs, rhs: "violated" if ball(lhs) > ball(rhs) / 10**9 else "holds"
    )


@pytest.mark.parametrize(
    "plant", [_scaled_bounds, _too_narrow, _right_slope, _rounded_weights, _wrong_piece, _wrong_decision]
)
def test_the_soundness_check_finds_planted_errors(plant, monkeypatch):
    plant(monkeypatch)
    assert any(reference.check(seed)[1] for seed in range(120))


def test_one_formula_on_logarithms_and_exactly():
    """What the float path makes of a formula, by its logarithms, is what the certifier makes of it."""
    for claim in of_network():
        if claim.kind == "identity":
            continue
        w = witness(
            claim.id, [[[1, "1/2"], [0, 3]]] * 2, [[["1/10", 0], ["1/7", "1/9"]]] * 2, ["1/2", -3], "leaky_relu:0.5"
        )
        with ctx.workprec(128):
            exact = float(ball(Balls.of(claim.value(TWINS[w.quantity](ExactNetwork(w), 0, 128, False))).entries.item()))
        m = Measurement.of(drt.Instance(*w.network()), claim.quantity)
        assert float(claim.value(m)) == pytest.approx(exact, rel=1e-12), claim.id
        assert float(claim.log_value(m)) == pytest.approx(math.log(exact), abs=1e-12), claim.id


# --- Known examples ---


def test_a_falling_width_breaks_theorem_1_as_stated():
    """W = [1, 0], ΔW = [0, ½], x = (10⁻³, 1): 500 against ½."""
    w = witness("theorem1.function.as-stated", [[[1, 0]]], [[[0, "1/2"]]], ["1/1000", 1])
    c = certify(w)
    assert c.answer == "violated"
    assert c.lhs == (500, 500)
    assert c.rhs[0] <= 0.5 <= c.rhs[1]
    assert c.ratio == pytest.approx((1000, 1000), rel=1e-15)
    assert c.ratio[0] <= 1000 <= c.ratio[1]
    corrected = certify(replace(w, claim="theorem1.function", hypotheses=None))
    assert corrected.answer == "inapplicable"
    assert corrected.reason == "widths: widths 2-1 contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked"


def test_conditioning_of_the_perturbation_is_needed():
    """W = I_16, ΔW = 0.1 e₁e₁ᵀ, x = e₁: change 0.1, bound 0.1/√16 = 0.025 at κ(W) = 1 … κ(W̃) = 1.1."""

    @drt.bound(hypotheses=("transmission", "conditioning-w", "widths"))
    def without(m):
        """Theorem 1 with κ over W_l and W̃_l only."""
        kappa = drt.maximum(drt.maximum(m.kappa_w, m.kappa_wt))
        return (m.beta / m.alpha * kappa**2) ** m.depth * drt.product_minus_one(m.delta)

    dw = [["1/10" if i == j == 0 else 0 for j in range(16)] for i in range(16)]
    w = witness(without, [identity(16)], [dw], [1, *[0] * 15])
    c = certify(w, without)
    assert c.answer == "violated"
    assert c.lhs[0] <= 0.1 <= c.lhs[1]
    assert c.rhs == pytest.approx((0.025 * 1.21,) * 2, rel=1e-15)
    whole = certify(replace(w, claim="theorem1.function"))
    assert (whole.answer, whole.reason) == ("inapplicable", "conditioning: κ(ΔW_1) = ∞: rank-deficient")


def test_relu_model_is_refuted():
    """φ = ReLU, W = (1; −1), ΔW = (½; 0), x = 1: f = (1, 0), f̃ = (1.5, 0); change ½ against δ = ½/√2, κ = 1."""
    c = certify(witness("relu-model", [[[1], [-1]]], [[["1/2"], [0]]], [1], "relu"))
    assert c.answer == "violated"
    assert c.ratio == pytest.approx((math.sqrt(2),) * 2, rel=1e-15)


def test_a_jacobian_can_vanish():
    """Widths 1-2-1, as stated for widths that rise and fall: W_2 W_1 = 0 before, not after."""
    w = witness("theorem1.jacobian.as-stated", [[[1], [1]], [[1, "-1001/1000"]]], [[["1/10"], [0]], [[0, 0]]], [1])
    c = certify(w)
    assert c.answer == "violated"
    assert c.lhs == pytest.approx((100, 100), rel=1e-15)
    zero = certify(replace(w, weights=([[1], [1]], [[1, -1]])))
    assert (zero.answer, zero.reason) == ("inapplicable", "nonzero: J_0 is zero")


# --- ties ---

TIES = {
    "scalars, Equation 3": ("equation3", [[[3]], [[2]]], [[["3/10"]], [["7/10"]]], ["1/3"]),
    "scalars, Theorem 1": ("theorem1.function", [[[3]], [["-2/7"]]], [[["3/10"]], [["-7/10"]]], ["1/3"]),
    "scalar Jacobian": ("theorem1.jacobian", [[[3]], [[2]]], [[["3/10"]], [["7/10"]]], ["1/3"]),
    "W = I, ΔW = δI": ("theorem1.function", [identity(5)] * 3, [identity(5, "1/3")] * 3, [1, 2, 3, 4, 5]),
    "the same for κ^L": ("kappa.function", [identity(5)] * 3, [identity(5, "1/3")] * 3, [1, 2, 3, 4, 5]),
    "the same for ρ": ("spectral.function", [identity(4)] * 2, [identity(4, 0.1)] * 2, [1, 2, 3, 4]),
    "the same for Jacobians": ("spectral.jacobian", [identity(3)] * 2, [identity(3, 0.1)] * 2, [1, 2, 3]),
    "a column, δ irrational": ("theorem1.function", [[[1], [2]]], [[[0.3], [-0.7]]], ["3/10"]),
    "a column, then δI": (
        "theorem1.function",
        [[[1], [2]], identity(2)],
        [[["1/5"], ["2/5"]], identity(2, "1/9")],
        [-7],
    ),
    "a rotation": (
        "spectral.function",
        [[["3/5", "4/5"], ["-4/5", "3/5"]]],
        [[["3/50", "4/50"], ["-4/50", "3/50"]]],
        [1, 7],
    ),
    "error through s_max, signal through s_min": (
        "spectral.function",
        [[[1, 0], [0, 2]]],
        [[["1/2", 0], [0, 0]]],
        [1, 0],
    ),
    "telescoping": ("telescoping.function", [[[3]], [[2]]], [[["3/10"]], [["7/10"]]], ["1/3"]),
    "product of norms": ("norm-product.function", [identity(3, 2)] * 2, [identity(3, "1/3")] * 2, [1, 1, 1]),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_are_recognised(name):
    claim, weights, dweights, x = TIES[name]
    c = certify(witness(claim, weights, dweights, x))
    assert c.answer == "attained"
    assert c.ratio == (1, 1)
    # A hair less, and the bound is violated; a hair more, and it holds.
    for factor, answer in ((1 - Fraction(1, 10**30), "violated"), (1 + Fraction(1, 10**30), "holds")):
        near = replace(drt.claims[claim], formula=lambda m, factor=factor: drt.claims[claim].value(m) * factor)
        assert certify(witness(near, weights, dweights, x), near).answer == answer


def test_a_zero_perturbation_holds():
    c = certify(witness("theorem1.function", [identity(3)], [identity(3, 0)], [1, 2, 3], "leaky_relu:0.1"))
    assert (c.answer, c.lhs, c.rhs) == ("holds", (0, 0), (0, 0))
    assert c.log10_lhs == (-math.inf, -math.inf)


@pytest.mark.parametrize("spec", ["tanh_blend:0.5", "negated:softplus_blend:0.25"])
def test_a_smooth_network_that_does_not_move_has_change_zero(spec):
    """f̃ and f are the same balls, whose difference alone would not be 0."""
    for claim in ("telescoping.function", "norm-product.function", "theorem1.function"):
        c = certify(witness(claim, [identity(2)] * 2, [identity(2, 0)] * 2, [1, 2], spec))
        assert (c.answer, c.lhs) == ("holds", (0, 0))
    c = certify(witness("telescoping.function", [identity(2)], [[[1, -1], [2, -2]]], [1, 1], spec))
    assert (c.answer, c.lhs) == ("holds", (0, 0))
    moved = certify(
        witness("telescoping.function", [identity(2)] * 2, [identity(2, 0), identity(2, 0.1)], [1, 2], spec)
    )
    assert moved.lhs[0] > 0


def test_ties_beyond_exact_numbers_are_undecided_not_guessed():
    """tanh between, J_1 of the layer above it: rational all the same. But ‖f̃ − f‖ through tanh is not."""
    j = witness("kappa.jacobian", [identity(1)] * 2, [identity(1, "1/3")] * 2, [1], ("tanh_blend:0.5", "identity"), 1)
    assert certify(j).answer == "attained"

    @drt.bound(left="absolute", hypotheses=())
    def itself(m):
        """‖f̃ − f‖ ≤ ‖f̃ − f‖."""
        return m.norm_df

    w = witness(itself, [identity(1)], [identity(1, "1/3")], [1], "tanh_blend:0.5")
    c = certify(w, itself, max_bits=512)
    assert (c.answer, c.bits) == ("undecided", 512)
    assert c.reason == "the enclosures of the two sides overlap"


# --- precision and scale ---


@pytest.mark.parametrize("gap", [1e-10, 1e-25, 1e-60, 1e-200])
@pytest.mark.parametrize("sign", [1, -1])
def test_close_calls_are_decided_by_more_bits(gap, sign):
    """exp(δ)·(1 ± gap) against exp(δ): transcendental on both sides."""

    @drt.bound(left="absolute", hypotheses=())
    def close(m):
        """‖f̃ − f‖, almost."""
        return m.norm_df * (1 + sign * arb(10) ** int(math.log10(gap)))

    w = witness(close, [[[1]]], [[["1/3"]]], [1], "tanh_blend:0.5")
    c = certify(w, close)
    assert c.answer == ("holds" if sign > 0 else "violated")
    assert c.bits == max(128, 2 ** math.ceil(math.log2(-math.log2(gap))))


def test_huge_and_tiny_values_have_logarithms():
    w = witness("theorem1.function", [[[1, 0], [0, 10**30]]] * 12, [identity(2, "1/7")] * 12, [1, 1])
    c = certify(w)
    assert c.answer == "holds"
    assert c.rhs == (pytest.approx(1.7976931348623157e308), math.inf)
    delta = math.sqrt(2) / 7e30
    assert c.log10_rhs == pytest.approx((math.log10(12 * delta) + 24 * 30,) * 2)
    tiny = certify(witness("telescoping.function", [[[1]]], [[[fmpq(1, 10**400)]]], [1], "leaky_relu:0.1"))
    assert tiny.lhs == (0, 5e-324)
    assert tiny.log10_lhs == pytest.approx((-400, -400))


def test_dropping_conditioning_leaves_an_infinite_bound_undecided():
    w = witness("theorem1.function", [[[1, 2], [2, 4]]], [identity(2)], [1, 2], hypotheses=("transmission", "widths"))
    assert certify(w).answer == "undecided"
    assert certify(w).reason == "the bound is infinite"


# --- true claims, Proposition 1, users' bounds ---


@pytest.mark.parametrize(
    "spec", ["identity", "leaky_relu:0.1", "tanh_blend:0.5", "softplus_blend:0.25", "negated:leaky_relu:0.3"]
)
def test_true_claims_hold_on_random_instances(spec):
    generator = torch.Generator().manual_seed(3)
    outcomes = Counter()
    for claim in TRUE:
        for scale in (1e-9, 0.05, 10.0):
            widths = (1, 1, 1) if claim == "equation3" else (2, 3, 3)
            activation = "identity" if claim == "equation3" else spec
            draw = [
                torch.randn(b, a, generator=generator, dtype=torch.float64)
                for a, b in zip(widths, widths[1:], strict=False)
            ]
            dws = [scale * torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in draw]
            x = torch.randn(widths[0], generator=generator, dtype=torch.float64)
            w = Witness.from_floats(claim, drt.Network(draw, activation), dws, x)
            c = certify(w)
            outcomes[c.answer] += 1
            assert c.answer in ("holds", "attained", "inapplicable"), (claim, c)
            if c.answer != "inapplicable" and claim != "proposition1":
                m = (
                    drt.measure(w.network()[0], dws, x)
                    if w.quantity == "function"
                    else drt.measure_jacobian(w.network()[0], dws, x)
                )
                verdict = drt.check(drt.claims[claim], m)
                low, high = c.log10_ratio
                assert low - 1e-6 <= (verdict.log_lhs - verdict.log_rhs) / math.log(10) <= high + 1e-6
    assert outcomes["inapplicable"] <= 6  # `neyshabur` asks for small perturbations
    assert outcomes["holds"] >= 20


def test_users_bounds():
    @drt.bound(hypotheses=("transmission", "widths"))
    def mine(m):
        """A bound with torch's functions, an if and a comparison."""
        worst = torch.log(m.delta).max(-1).values
        return torch.where(m.kappa_w > 1, m.kappa_w, 1.0).prod(-1) * torch.exp(worst) * (2.0 if m.kappa > 1 else 1.0)

    w = witness(mine, [[[1, 0], [0, 2]]], [[[0, "1/10"], ["1/10", 0]]], [1, 1])
    c = certify(w, mine)
    assert c.answer == "holds"
    assert c.rhs == pytest.approx((4 * math.sqrt(0.02 / 5),) * 2)
    with pytest.raises(InputError, match="'mine' is a user's bound: its function is needed"):
        certify(w)
    with pytest.raises(InputError, match=r"the witness is about mine, not about theorem1\.function"):
        certify(w, drt.claims["theorem1.function"])


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (lambda m: math.log(m.delta), "'bad' cannot be evaluated exactly: TypeError: a ball has no exact float"),
        (lambda m: m.sigma, "AttributeError: a measurement of the function has no field 'sigma'"),
        (lambda m: m.norm_df / (m.norm_df - m.norm_df), "the bound is not a number"),
        (lambda m: 1 / (m.depth - 1), "ZeroDivisionError"),
        (lambda m: 0 * m.kappa + math.inf, "the bound is infinite"),
    ],
)
def test_bounds_that_cannot_be_evaluated_are_undecided(formula, reason):
    bad = replace(drt.bound(hypotheses=())(formula), id="bad")
    c = certify(witness(bad, [[[1]]], [[[1]]], [1]), bad)
    assert c.answer == "undecided"
    assert reason in c.reason


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda m: m.delta, r"must return shape \(\), got shape \(1,\)"),
        (lambda m: -m.kappa, r"must be a number >= 0, got \(-1"),
    ],
)
def test_bounds_that_are_not_bounds_are_refused(formula, message):
    bad = replace(drt.bound(hypotheses=())(formula), id="bad")
    with pytest.raises(InputError, match=message):
        certify(witness(bad, [[[1]]], [[[1]]], [1]), bad)


# --- hypotheses ---


def test_the_witness_own_hypotheses_count():
    w = witness("theorem1.function", [[[1, 0]]], [[[0, "1/2"]]], ["1/1000", 1])
    assert certify(w).answer == "inapplicable"
    assert certify(replace(w, hypotheses=())).answer == "violated"


# --- the certificate ---


def test_intervals_are_rounded_outward():
    for x in (arb(1) / 3, arb("1e400"), arb("1e-400"), -arb("1e400"), arb(2).sqrt(), arb(0), arb("inf")):
        low, high = certify_module._floats(x)
        assert arb(low) <= x.lower()
        assert arb(high) >= x.upper()
        assert math.nextafter(math.nextafter(low, math.inf), math.inf) >= high or math.inf in (high, -low)


def test_json_holds_finite_numbers_only():
    c = certify(witness("theorem1.function", [identity(2)], [identity(2, 0)], [1, 1]))
    fields = json.loads(json.dumps(c.as_dict(), allow_nan=False))
    assert (fields["answer"], fields["lhs"], fields["log10_lhs"]) == ("holds", [0, 0], [None, None])


def test_str_shows_both_sides():
    c = certify(witness("theorem1.function.as-stated", [[[1, 0]]], [[[0, "1/2"]]], ["1/1000", 1]))
    assert str(c) == (
        "theorem1.function.as-stated: violated (actual in [500, 500], "
        "bound in [0.49999999999999994, 0.50000000000000011], 128 bits)"
    )
    assert str(replace(c, answer="undecided", reason="why")) == "theorem1.function.as-stated: undecided (why)"


def test_precision_is_bounded():
    @drt.bound(left="absolute", hypotheses=())
    def itself(m):
        """‖f̃ − f‖ ≤ ‖f̃ − f‖."""
        return m.norm_df

    w = witness(itself, [identity(2)], [identity(2, "1/3")], [1, 1], "tanh_blend:0.5")
    assert certify(w, itself, max_bits=128).bits == 128
    assert certify(w, itself, max_bits=256).bits == 256
