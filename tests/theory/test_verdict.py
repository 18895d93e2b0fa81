"""Verdicts: what each outcome means, on single instances, batches and users' own bounds."""

import math

import pytest
import torch

import drt
from drt.errors import InputError
from drt.numeric.spectra import UNIT
from drt.theory.outcome import Outcome
from drt.theory.registry import of_network
from drt.theory.verdict import Verdict, Verdicts
from tests.instances import array, generator, instance, measured, normal, scalars

# W = [1 0] is perfectly conditioned and still kills a direction.
WIDE = (drt.Network([array([1.0, 0.0])], "identity"), [array([0.0, 0.5])], array(1e-3, 1.0))


def test_check_can_fail():
    """A bare dataclass would always be true."""
    assert not Verdict("teeth", lhs=1.0, rhs=0.5, rounding=0.0)
    assert not Verdict("nan", lhs=float("nan"), rhs=0.5, rounding=0.0)
    assert not Verdict("nan", lhs=0.5, rhs=float("nan"), rounding=0.0)
    assert not Verdict("negative", lhs=-1.0, rhs=0.5, rounding=0.0)
    assert not Verdict("rounding", lhs=0.5, rhs=1.0, rounding=float("nan"))
    assert Verdict("fine", lhs=0.5, rhs=1.0, rounding=0.0)


@pytest.mark.parametrize(
    ("lhs", "rhs", "rounding", "outcome"),
    [
        (0.5, 1.0, 0.1, "holds"),
        (1.0, 0.5, 0.1, "violated"),
        (1.0, 1.0, 1e-9, "undecided"),
        (1.0, 1.0, 0.0, "holds"),
        (1.0, 0.9, 0.2, "undecided"),
        (0.0, 0.0, math.inf, "holds"),
        (0.0, 1.0, 0.1, "holds"),
        (1.0, 0.0, 0.1, "violated"),
        (math.inf, math.inf, 0.1, "undecided"),
        (1.0, math.inf, 0.1, "undecided"),
        (math.inf, 1.0, 0.1, "undecided"),
        (1.0, 0.5, math.inf, "undecided"),
    ],
)
def test_a_verdict_is_decided_within_its_rounding(lhs, rhs, rounding, outcome):
    v = Verdict("claim", lhs, rhs, rounding)
    assert v.outcome == outcome
    assert bool(v) == (outcome == "holds")


def test_a_violation_says_by_how_much():
    v = drt.check("theorem1.function.as-stated", drt.measure(*WIDE))
    assert v.outcome == "violated"
    assert (v.lhs, v.rhs, v.ratio) == pytest.approx((500, 0.5, 1000))
    assert str(v) == "theorem1.function.as-stated: violated (actual 500, bound 0.5)"
    assert not v


def test_inapplicable_names_the_hypothesis_the_layer_and_the_amount():
    contracting = drt.check("theorem1.function", drt.measure(*WIDE))
    assert contracting.outcome == "inapplicable"
    assert contracting.reason == "widths: widths 2-1 contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked"
    net, dws, x = instance(0, (2, 2, 2))
    rank_one = drt.check("theorem1.function", drt.measure(net, [dws[0], torch.outer(dws[1][0], dws[1][1])], x))
    assert rank_one.reason == "conditioning: κ(ΔW_2) = ∞: rank-deficient to working precision"
    relu = drt.check("spectral.function", scalars([1], [0.1], "relu"))
    assert relu.reason == "transmission: α = 0.0, which must be > 0"
    large = drt.check("neyshabur.function", scalars([1, 1], [0.25, 0.75]))
    assert large.reason == "small: ρ_2 = 0.75 > 1/L = 0.5"
    for v in (contracting, rank_one, relu, large):
        assert not v
        assert v.outcome == "inapplicable"


def test_a_layer_is_named_by_its_number_in_the_network():
    """Layer 3 of the network, though the second that the Jacobian J_1 is made of."""
    net, dws, x = instance(0, (2, 2, 2, 2))
    m = drt.measure_jacobian(net, [*dws[:2], torch.outer(dws[2][0], dws[2][1])], x, layer=1)
    assert "κ(ΔW_3)" in drt.check("theorem1.jacobian", m).reason


def test_ties_are_undecided():
    """Equality within rounding is neither: exact arithmetic has to say."""
    v = drt.check("equation3", scalars([1.0, 1.0], [0.1, 0.2]))
    assert v.outcome == "undecided"
    assert "within the rounding bound" in v.reason
    assert 0 < v.rounding < 1e-12
    assert v.ratio == pytest.approx(1, abs=1e-14)


def test_a_bound_that_overflows_is_compared_by_its_logarithm():
    """κ^{2L} = 1e800."""
    net = drt.Network([torch.diag(array(1.0, 1e8))] * 50, "identity")
    dw = torch.eye(2, dtype=torch.float64)
    v = drt.check("theorem1.function", drt.measure(net, [dw] * 50, array(1.0, 1.0)))
    assert v.outcome in ("holds", "undecided")
    assert v.rhs == math.inf
    assert 1800 < v.log_rhs < 2000


def test_an_infinite_bound_decides_nothing():
    @drt.bound(hypotheses=())
    def infinite(m):
        return math.inf

    assert drt.check(infinite, measured(0, (2, 2))).outcome == "undecided"


def test_zero_against_zero_holds():
    """No perturbation, no change: attained exactly, and no rounding about it."""
    net, dws, x = instance(0, (2, 3))
    m = drt.measure(net, [0 * d for d in dws], x)
    for claim in (
        "theorem1.function",
        "kappa.function",
        "spectral.function",
        "telescoping.function",
        "norm-product.function",
    ):
        assert drt.check(claim, m), claim


def test_f_zero_is_inapplicable():
    net = drt.Network([array([1.0, 1.0], [2.0, 2.0])], "identity")
    v = drt.check("norm-product.function", drt.measure(net, [net.weights[0]], array(1.0, -1.0)))
    assert v.reason == "nonzero: f(x) is zero or out of range"


def test_batches_are_sequences_of_verdicts():
    net, _, _ = WIDE
    x = array([[1e-3, 1.0], [1.0, 0.0], [1.0, 0.5]], [[0.0, 1.0], [2.0, 2.0], [1e-3, 1.0]])
    vs = drt.check("theorem1.function.as-stated", drt.measure(net, [array([0.0, 0.5])], x))
    # The fifth is a tie: |ΔW x|/|W x| = ½ = δ.
    assert [v.outcome for v in vs] == ["violated", "holds", "holds", "inapplicable", "undecided", "violated"]
    assert len(vs) == 6
    assert [vs[i] for i in range(6)] == list(vs)
    assert vs[-1] == vs[5] == vs[1, 2]
    assert vs.codes.shape == vs.log_ratio.shape == (2, 3)
    assert sum(map(vs.count, tuple(Outcome))) == 6
    assert vs.count("violated") == 2
    assert torch.isnan(vs.log_ratio[1, 0])
    assert vs.failed["nonzero"].sum() == 1
    with pytest.raises(IndexError, match="verdict 6 of 6"):
        vs[6]


def test_the_users_bound_of_the_design_document():
    @drt.bound(quantity="function", hypotheses=("transmission", "conditioning", "widths"))
    def mine(m):
        """One line that says what is claimed."""
        return (m.beta / m.alpha * m.kappa) ** m.depth * drt.product_minus_one(m.delta)

    assert mine.kind == "conjecture"
    assert mine.statement == "One line that says what is claimed."
    assert mine.hypotheses == ("biases", "nonzero", "transmission", "conditioning", "widths")
    assert mine.id not in drt.claims
    m = measured(0, (2, 3, 4), batch=(10,))
    verdicts = drt.check(mine, m)
    assert verdicts.count("holds") == 10
    torch.testing.assert_close(verdicts.log_rhs.exp(), mine(m))
    torch.testing.assert_close(mine.value(m), mine.log_value(m).exp())


def test_a_users_bound_may_be_absolute_or_of_the_jacobian():
    @drt.bound(hypotheses=(), left="absolute")
    def absolute(m):
        return m.norm_df * 1.001

    @drt.bound("jacobian", hypotheses=())
    def of_jacobian(m):
        return 0.999 * m.change

    assert drt.check(absolute, measured(0, (2, 2)))
    assert drt.check(of_jacobian, drt.measure_jacobian(*instance(0, (2, 2)))).outcome == "violated"


def user_bound(returned):
    @drt.bound(hypotheses=())
    def mine(m):
        return returned(m) if callable(returned) else returned

    return mine


def raises(m):
    return 1 / 0


BAD = {
    "raises": (raises, "bound 'mine' raised ZeroDivisionError: division by zero"),
    "unknown field": (
        lambda m: m.gamma,
        "raised AttributeError: a measurement of the function has no field 'gamma'",
    ),
    "NaN": (math.nan, "bound 'mine' must be a number >= 0, got NaN or a negative value"),
    "negative": (-1.0, "bound 'mine' must be a number >= 0, got NaN or a negative value"),
    "negative somewhere": (lambda m: m.change - m.change.max(), "must be a number >= 0, got NaN or a negative value"),
    "None": (None, "bound 'mine' must return a tensor or a number, got NoneType"),
    "a truth value": (True, "bound 'mine' must return a tensor or a number, got bool"),
    "text": ("1", "bound 'mine' must return a tensor or a number, got str"),
    "one a layer": (lambda m: m.delta, r"bound 'mine' must return shape \(4,\), got shape \(4, 2\)"),
    "the wrong length": (torch.ones(3), r"bound 'mine' must return shape \(4,\), got shape \(3,\)"),
}


@pytest.mark.parametrize(("returned", "words"), BAD.values(), ids=BAD.keys())
def test_a_bound_that_fails_is_named(returned, words):
    with pytest.raises(InputError, match=words):
        drt.check(user_bound(returned), measured(0, (2, 3, 3), batch=(4,)))


@pytest.mark.parametrize("returned", [5, 5.0, torch.tensor(5), torch.tensor(5.0), lambda m: 5 + 0 * m.change])
def test_numbers_and_tensors_of_any_kind_are_bounds(returned):
    verdicts = drt.check(user_bound(returned), measured(0, (2, 3, 3), batch=(4,)))
    assert verdicts.count("holds") == 4
    assert verdicts.log_rhs.tolist() == [math.log(5)] * 4


def test_a_claim_must_be_about_what_was_measured():
    with pytest.raises(
        InputError, match=r"claim theorem1.jacobian is about the jacobian, but the measurement about the function"
    ):
        drt.check("theorem1.jacobian", measured(0, (2, 2)))


@pytest.mark.parametrize("seed", range(3))
def test_no_claim_recorded_as_true_is_violated(seed):
    """Every true claim on networks of every kind, however little random networks prove."""
    rng = generator(seed)
    for widths in [(2, 2), (1, 3, 3), (4, 2, 4), (3, 2, 1), (1, 1, 1)]:
        for spec in ("identity", "leaky_relu:0.1", "negated:leaky_relu:0.3", "tanh_blend:0.5", "relu"):
            net, dws, x = instance(seed, widths, spec, 10 ** float(normal(rng, 1)), batch=(50,))
            f, js = drt.measure_all(drt.Instance(net, dws, x))
            for claim in of_network():
                for m in [f] if claim.quantity == "function" else js:
                    if claim.known == "true":
                        assert drt.check(claim, m).count("violated") == 0, (claim.id, widths, spec)


def stretched(n, depth, kappa):
    """n instances: W_l = c_l·diag(1, 1/κ), ΔW_l = δ_l W_l, x = e₁: the change is Π(1 + δ_l) − 1 whatever κ is."""
    rng = generator(7)
    ws = [(1 + normal(rng, n).abs())[:, None, None] * torch.diag(array(1.0, 1 / kappa)) for _ in range(depth)]
    dws = [w * (0.01 + 0.1 * normal(rng, n).abs())[:, None, None] for w in ws]
    return drt.measure(drt.Network(ws, "identity"), dws, array(1.0, 0.0))


def outcomes_of(formula, m):
    verdicts = Verdicts(drt.bound(hypotheses=())(formula), m)
    return {outcome: verdicts.count(outcome) for outcome in Outcome if verdicts.count(outcome)}


def test_the_rounding_of_a_formula_s_own_logarithms_is_allowed_for():
    """Factors up to κ^{2L} = 10³²⁰ that cancel leave errors of their logarithms: 16(L + 4)u·(1 + |log| + 2L log κ) = 5e-11."""
    m = stretched(200, 16, 1e10)
    allowed = 16 * 20 * UNIT * (1 + 32 * math.log(1e10))
    for share, outcome in ((0.0, "undecided"), (0.1, "undecided"), (10.0, "violated")):

        def formula(m, share=share):
            size = m.kappa_w.prod(-1)
            return (1 - share * allowed) * (m.change * size * size * size * size / size / size / size / size)

        assert outcomes_of(formula, m) == {outcome: 200}


def test_a_violation_is_one_of_the_bound_s_upper_end():
    """κ = 10¹⁰ is known to 4u·κ = 4e-6, relative: a bound 10⁻⁷ below the change may be above it, one 10⁻⁴ below is not."""
    m = stretched(50, 1, 1e10)
    for below, outcome in ((1e-7, "undecided"), (1e-4, "violated"), (-1e-7, "undecided"), (-1e-4, "holds")):
        assert outcomes_of(lambda m, b=below: (1 - b) * m.change * m.kappa / 1e10, m) == {outcome: 50}
