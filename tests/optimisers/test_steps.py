"""Measured steps: fields against hand-made numbers, bad input by name."""

import math

import pytest
import torch

from drt.errors import InputError
from drt.experiments.invariant import KINDS, Training, follow, steps_of
from drt.optimisers.steps import fromage, lars, lars_of, measure_steps
from drt.theory.registry import of_steps
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits

W, G = (torch.tensor([[[v]]], dtype=torch.float64) for v in ([3.0, 4.0], [-8.0, 6.0]))
ETA = torch.tensor([0.75], dtype=torch.float64)


def test_fields_of_a_step_by_hand():
    """⟨g, W⟩ = 0 and η = ¾: ΔW = ¾·5·(0.8, −0.6) = (3, −2.25), p = ⅘, W⁺ = (4.8, 1.4)."""
    m = measure_steps(W, G, ETA)
    assert m.batch_shape == (1, 1)
    expected = {"norm_w": 5, "norm_g": 10, "cosine": 0, "lars_size": 0.75, "grown": 1.25, "kept": 1, "gap": 0}
    expected["size"] = math.hypot(1.8, 2.6) / 5
    for name, value in expected.items():
        assert float(getattr(m, name)) == pytest.approx(value, abs=1e-15), name
    assert m.after["fromage"].flatten().tolist() == pytest.approx([4.8, 1.4], abs=1e-15)
    assert float(m.error) == 2 * 18 * 2**-53 * 1.75
    assert float(m.inflated(1).size) > float(m.size) > float(m.inflated(-1).size)


def test_parameters_of_lars_by_hand():
    o = lars_of(0.75)
    assert (o.trust, o.decay) == pytest.approx((0.8, 1 / 3))  # pη(1+q) = ⅘·¾·4⁄3
    assert o.beta * (1 + o.beta) == pytest.approx(o.decay)
    assert o.gamma_l * o.beta == pytest.approx(0.2)  # 1 − p


@pytest.mark.parametrize(
    ("weight", "gradient", "eta", "words"),
    [
        (W, G[..., :1], ETA, r"weight must be \(T, B, m, n\), .* got weight \(1, 1, 1, 2\), gradient \(1, 1, 1, 1\)"),
        (W, G, ETA.expand(2), r"eta \(2,\)"),
        (W, G.float(), ETA, "must both be float32 or float64, got torch.float64 and torch.float32"),
        (0 * W, G, ETA, "weight must be non-zero and finite"),
        (W, G * math.nan, ETA, "gradient must be non-zero and finite"),
        (W, G, 0 * ETA, r"eta must be numbers > 0, got \[0.0\]"),
    ],
)
def test_bad_input_is_named(weight, gradient, eta, words):
    with pytest.raises(InputError, match=words):
        measure_steps(weight, gradient, eta)


def test_an_unknown_layer_is_named():
    with pytest.raises(InputError, match="kind='layer norm' must be one of batch norm, weight norm, spectral norm"):
        Training("layer norm", load_digits(), fromage, 0.1, torch.float32, 0)


def test_claims_hold_on_scale_invariant_layers():
    """Weight and spectral norm are invariant to rounding; batch norm in float64 only up to its ε."""
    found = [Verdicts(claim, m) for m in steps_of(load_digits(), 0) for claim in of_steps()]
    assert sum(v.count("violated") for v in found) == 0
    growth = [v for v in found if v.claim.id == "fromage.norm-growth"]
    assert [v.count("holds") for v in growth] == [2, 2, 0, 0] + [2] * 8


@pytest.mark.parametrize("kind", KINDS)
def test_lars_grows_and_fromage_stays(kind):
    """Fifty steps with η = 0.1: (1.01)^25 = 1.2824."""
    digits, grown = load_digits(), {}
    for make in (lars, fromage):
        run = follow(Training(kind, digits, make, 0.1, torch.float64, 0), 50)
        assert run.norms.shape == (51, 2)
        assert run.cosines.shape == (50, 2)
        grown[make] = run.norms[-1] / run.norms[0]
        assert float(run.losses[-10:].mean()) < float(run.losses[0])
    # ‖W⁺‖² is off by the factor 1 + 2η|cos|/(1+η²) a step.
    slack = 50 * 0.1 * float(run.cosines.abs().max()) * 1.5 + 1e-12
    assert grown[fromage].tolist() == pytest.approx([1, 1], abs=slack)
    assert grown[lars].tolist() == pytest.approx([1.01**25] * 2, abs=1.3 * slack)
