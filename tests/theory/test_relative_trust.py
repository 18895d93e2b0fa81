"""Deep and spectral relative trust: false, with certified counterexamples; where they do hold; formulas transcribed."""

import itertools

import pytest
import torch

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.exact.certify import certify
from drt.falsify.pipeline import falsify
from drt.falsify.space import Space
from drt.falsify.target import Target
from drt.measurement.sampling import generator, normal, uniform, with_kappa
from drt.theory.registry import claims
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits
from drt.training.trained import descents
from drt.training.training import TrainingConfig, train
from tests.descent_cases import (
    case,
)
from tests.instances import array
from tests.theory.test_lemma1 import scalar
from tests.theory.test_lemma2 import witness

IDS = ("deep-relative-trust", "spectral-relative-trust")


@pytest.mark.parametrize("claim_id", IDS)
def test_the_counterexample_is_certified(claim_id):
    """w = (1, 1) → (4/5, 4/5): both gradients go from 1/10 to −26/125, changed by 308 % where 44 % are allowed."""
    certificate = certify(witness(claim_id))
    assert certificate.answer == "violated"
    assert certificate.lhs[0] == pytest.approx(3.08)
    assert certificate.rhs[1] == pytest.approx(0.44)
    outcome = falsify(Target(claim_id), Space(), 1.0)
    assert (outcome.status, outcome.certified) == ("refuted", True)
    assert "max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F = " in outcome.counterexample


@pytest.mark.parametrize("claim_id", IDS)
def test_what_is_no_counterexample_is_not_certified(claim_id):
    """Far from its target the gradient hardly changes."""
    assert certify(witness(claim_id, y="-100")).answer == "holds"
    assert certify(witness(claim_id, y="1")).answer == "inapplicable"


@pytest.mark.parametrize("claim_id", IDS)
def test_where_it_holds_and_where_not(claim_id):
    """One weight, δ = ρ = |Δw|: the change is |Δw|/|w − y|."""
    assert drt.check(claim_id, scalar(-0.1, y=-1.0)).outcome == "holds"
    verdict = drt.check(claim_id, scalar(-0.1, y=0.5))
    assert verdict.outcome == "violated"
    assert verdict.ratio == pytest.approx(2)
    assert verdict.lhs == pytest.approx(0.2)


def test_the_formulas():
    m = measure_descent(*case(0, size=0.2))
    ws, dws = case(0, size=0.2)[0].weights, case(0, size=0.2)[1]
    for claim_id, order in zip(IDS, ("fro", 2), strict=True):
        ratios = [
            torch.linalg.matrix_norm(d, order) / torch.linalg.matrix_norm(w, order)
            for w, d in zip(ws, dws, strict=True)
        ]
        expected = torch.stack([1 + r for r in ratios]).prod(0) - 1
        torch.testing.assert_close(claims[claim_id].value(m), expected)
        torch.testing.assert_close(claims[claim_id].log_value(m), expected.log())
    torch.testing.assert_close(Verdicts(claims[IDS[0]], m).log_lhs, m.step_change.amax(-1).log())


def test_trained_networks_exceed_it():
    """Three layers on real digits, moved against their gradient: beyond deep relative trust at every size."""
    digits = load_digits()
    run = train(TrainingConfig((32, 32), steps_per_epoch=20, epochs=2, checkpoints=(0, 40)), digits)
    against = list(descents(run, digits, 0))[::2]
    assert len(against) == 6
    for m in against:
        assert (m.cosines > 0.999999).all()
        assert drt.check("deep-relative-trust", m).outcome == "violated"
        assert drt.check("lemma1", m).outcome == "holds"


TRUE = claims["spectral-relative-trust.constant"]


def by_hand(m):
    """The bound of every layer, product by product."""
    ratio = m.betas / m.alphas
    bounds = []
    for l in range(m.depth):  # noqa: E741  (the paper's letter)
        constant, growth = 1.0, 1 + m.gamma
        for k in range(m.depth):
            constant = constant * (ratio[k] if k < l else 1.0) * (m.kappa_w[..., k] if k != l else 1.0)
            growth = growth * (ratio[k] if k >= l else 1.0) * (1 + m.rho[..., k] if k != l else 1.0)
        bounds.append(constant * (growth - 1))
    return torch.stack(bounds, -1)


def shaped(widths, rng, batch=40):
    shapes = [(batch, n, m) for m, n in itertools.pairwise(widths)]
    return [normal(s, rng) for s in shapes], [10 ** uniform((batch, 1, 1), rng, -4, 1) * normal(s, rng) for s in shapes]


@pytest.mark.parametrize("activation", ["identity", "leaky_relu:0.3", "negated:tanh_blend:0.4"])
@pytest.mark.parametrize("widths", [(3, 2), (1, 1, 1), (2, 3, 3, 1), (3, 3, 3, 3, 2)])
def test_what_is_true_of_relative_trust(widths, activation):
    """One input, squared loss: layer by layer the change is below its bound, and the claim is the largest of these."""
    rng = generator(len(widths))
    weights, steps = shaped(widths, rng)
    x, y = normal((1, widths[0]), rng), normal((1, widths[-1]), rng)
    m = measure_descent(drt.Network(weights, activation), steps, x, MeanSquaredError(y))
    bounds = by_hand(m)
    assert (m.step_change <= bounds * (1 + 1e-9)).all()
    torch.testing.assert_close(TRUE.value(m), bounds.amax(-1), rtol=1e-9, atol=0)
    torch.testing.assert_close(TRUE.log_value(m), bounds.amax(-1).log(), rtol=1e-9, atol=1e-9)
    verdicts = Verdicts(TRUE, m)
    assert verdicts.count("violated") == verdicts.count("inapplicable") == 0
    if (len(widths), activation) != (2, "identity"):  # all attain it
        assert verdicts.count("holds") >= 20


@pytest.mark.parametrize("kappa", [1.0, 3.0])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_with_a_linear_loss_it_holds_up_to_condition_numbers(depth, kappa):
    """Linear square networks, 𝓛 = ⟨y, f(x)⟩ over 7 inputs: γ = 0, Π_{k≠l} κ_k [Π_{k≠l}(1 + ρ_k) − 1]; κ = 1: the model."""
    rng, n = generator(depth), 3
    weights = [with_kappa((40,), n, n, kappa, rng).values for _ in range(depth)]
    steps = [10 ** uniform((40, 1, 1), rng, -3, 1) * normal((40, n, n), rng) for _ in range(depth)]
    y = normal((7, n), rng)
    m = measure_descent(drt.Network(weights, "identity"), steps, normal((7, n), rng), lambda o: (o * y).sum())
    assert (m.gamma == 0).all()
    bounds = by_hand(m)
    assert (m.step_change <= bounds * (1 + 1e-9) + 1e-12).all()
    assert (bounds <= (m.kappa_w.prod(-1) * ((1 + m.rho).prod(-1) - 1)).unsqueeze(-1) * (1 + 1e-12)).all()


def test_where_the_theorem_does_not_apply():
    """Kinks need one input; widths that lose the gradient are excluded; both are named."""
    rng = generator(0)
    for widths, inputs, words in (
        ((2, 2, 2), 3, "3 inputs, and φ is not linear"),
        ((2, 3, 2, 2), 1, "widths 2-3-2-2 are not n_0 ≤ n_1 = … = n_{L−1} ≥ n_L"),
    ):
        weights, steps = shaped(widths, rng, batch=1)
        x, y = normal((inputs, widths[0]), rng), normal((inputs, widths[-1]), rng)
        m = measure_descent(
            drt.Network([w[0] for w in weights], "leaky_relu:0.5"), [s[0] for s in steps], x, MeanSquaredError(y)
        )
        verdict = drt.check(TRUE.id, m)
        assert verdict.outcome == "inapplicable"
        assert words in verdict.reason


def test_one_input_is_needed():
    """φ(w₁x), slopes 1 and ½, x = ±1: with ∂𝓛/∂f = (1, 2 − 10⁻⁶)/2 the inputs nearly cancel in g₁, and do not in M."""
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    x, y = array([1.0], [-1.0]), array([0.0], [-2.5 + 1e-6])
    m = measure_descent(net, [array([0.01]), array([0.0])], x, MeanSquaredError(y))
    assert m.gamma < 0.02
    assert m.step_change.amax() > 1000
    assert drt.check(TRUE.id, m).outcome == "inapplicable"
    assert drt.check(TRUE.with_hypotheses(["-one-input"]), m).outcome == "violated"


def test_a_witness_of_the_theorem_is_checked_in_fractions():
    """w = (1, 1) → (4/5, 4/5), y = 9/10: the changes of 308 % are allowed."""
    certificate = certify(witness(TRUE.id))
    assert certificate.answer == "holds"
    assert certificate.lhs[0] == pytest.approx(3.08)
    # φ_1 has slopes ½ and 1, and γ = |0.64 − 1|/0.1 = 3.6
    assert certificate.rhs[0] == pytest.approx(max(2 * 4.6 * 1.2 - 1, 2 * (4.6 * 1.2 - 1)))


def test_with_a_linear_loss_scalars_attain_it():
    """w → (1 + ρ)w: g_l = Π_{k≠l} w_k grows by Π_{k≠l}(1 + ρ_k) exactly."""
    weights = [array([2.0]), array([3.0]), array([0.5])]
    steps = [rho * w for rho, w in zip((0.1, 0.5, 2.0), weights, strict=True)]
    m = measure_descent(drt.Network(weights, "identity"), steps, array([1.0]), lambda o: o.sum())
    assert m.step_change.tolist() == pytest.approx([1.5 * 3 - 1, 1.1 * 3 - 1, 1.1 * 1.5 - 1], rel=1e-12)
