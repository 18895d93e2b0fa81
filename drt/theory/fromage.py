"""The size of a step of Fromage and LARS; p = 1/√(1+η²), c = cos∠(W, g), ΔW = −η‖W‖/‖g‖·g, W⁺ = p(W + ΔW), norms Frobenius.

    ‖ΔW‖ = η‖W‖,  ‖W⁺ − W‖/‖W‖ = √(2(1−p)(1+pηc))                (fromage.relative-size)
    |‖W⁺ − W‖/‖W‖ − η| ≤ η²(1+η)/2                                (fromage.relative-size.second-order)
    ⟨g, W⟩ = 0 ⇒ ‖W + ΔW‖ = √(1+η²)‖W‖ and ‖W⁺‖ = ‖W‖             (fromage.norm-growth)
    LARS with trust pη(1+q), weight decay q‖g‖/‖W‖ is W⁺          (fromage.lars-equivalence), q = (√(1+η²) − 1)/η
    ‖W⁺ − W‖ ≥ (p(1+η) − 1)‖W‖: only W = 0 is a fixed point       (fromage.fixed-point)

Held against steps of the real optimisers. The identities are held as ‖left − right‖ ≤ a derived rounding bound, in the
precision that the optimiser works in; a discrepancy beyond it is a violation.

H1  W ≠ 0, g ≠ 0, η > 0 (asked of every measurement of steps).
H2  (norm-growth) orthogonal: |cos∠(W, g)| is within the rounding error of a dot product.

Source: Equations (5) and (6), Algorithm 1 and Section 5 of the paper; LARS and the fixed point, its reviewer 2.
"""

from typing import cast

import torch
from torch import Tensor

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number
from drt.numeric.spectra import UNIT
from drt.optimisers.steps import Steps
from drt.theory.base import Claim, register
from drt.theory.hypotheses import Hypothesis, hypotheses, resolve

SETTING = ("-biases", "-nonzero")


def _steps(m: Measurement) -> Steps:
    return cast(Steps, m)


def _prefactor(s: Steps) -> tuple[Tensor, Tensor]:
    """p, and 1 − p without cancellation."""
    p = 1 / torch.sqrt(1 + s.eta**2)
    return p, -torch.expm1(-torch.log1p(s.eta**2) / 2)


def exact_size(m: Measurement) -> Tensor:
    """√(2(1−p)(1+pηc))."""
    s = _steps(m)
    p, one_minus_p = _prefactor(s)
    return torch.sqrt(2 * one_minus_p * (1 + p * s.eta * s.cosine))


def size_discrepancy(m: Measurement) -> Tensor:
    """Log of the larger of |‖W⁺ − W‖/‖W‖ − √(2(1−p)(1+pηc))| and |‖ΔW‖/‖W‖ − η|."""
    s = _steps(m)
    return torch.log(torch.maximum((s.size - exact_size(m)).abs(), (s.lars_size - s.eta).abs()))


def size_rounding(m: Measurement) -> Number:
    """The rounding bound of a size, and of the formula: pη·(error of c) in 1 + pηc."""
    s = _steps(m)
    turn = _prefactor(s)[0] * s.eta
    return s.error + exact_size(m) * (8 * UNIT + turn * s.cosine_error / (1 + turn * s.cosine))


def second_order(m: Measurement) -> Number:
    """η²(1+η)/2."""
    s = _steps(m)
    return s.eta**2 * (1 + s.eta) / 2


def _zero_cosine(s: Steps) -> float:
    """The rounding error of a dot product of unit vectors."""
    return (s.entries + 8) * s.unit


def growth_discrepancy(m: Measurement) -> Tensor:
    """Log of the larger of |‖W + ΔW‖/‖W‖ − √(1+η²)| and |‖W⁺‖/‖W‖ − 1|."""
    s = _steps(m)
    return torch.log(torch.maximum((s.grown - torch.sqrt(1 + s.eta**2)).abs(), (s.kept - 1).abs()))


def growth_rounding(m: Measurement) -> Number:
    """The rounding bound of a size, and η|c| with the c that counts as zero."""
    s = _steps(m)
    return s.error + s.eta * (_zero_cosine(s) + s.cosine_error)


def equivalence_discrepancy(m: Measurement) -> Tensor:
    """Log ‖W_LARS − W⁺‖/‖W‖."""
    return torch.log(_steps(m).gap)


def least_move(m: Measurement) -> Tensor:
    """Log (p(1+η) − 1) = log p(η − η²/(1 + √(1+η²)))."""
    eta = _steps(m).eta
    root = torch.sqrt(1 + eta**2)
    return torch.log((eta - eta**2 / (1 + root)) / root)


hypotheses["orthogonal"] = Hypothesis(
    "orthogonal",
    "⟨g, W⟩ = 0 up to the rounding error of a dot product",
    lambda m: _steps(m).cosine.abs() <= _zero_cosine(_steps(m)),
    lambda m, index: f"cos∠(W, g) = {_steps(m).cosine[index]:.3g}",
)

for claim_id, kind, statement, source, names, left, formula in (
    (
        "fromage.relative-size",
        "identity",
        "‖ΔW‖ = η‖W‖ for step (5), ‖W⁺ − W‖ = √(2(1−p)(1+pηc))·‖W‖ for Algorithm 1, c = cos∠(W, g)",
        "this project; paper, Equations (5) and (6)",
        (),
        size_discrepancy,
        size_rounding,
    ),
    (
        "fromage.relative-size.second-order",
        "theorem",
        "|‖W⁺ − W‖/‖W‖ − η| ≤ η²(1+η)/2",
        "paper, Equation (6)",
        (),
        "deviation",
        second_order,
    ),
    (
        "fromage.norm-growth",
        "identity",
        "⟨g, W⟩ = 0 ⇒ ‖W + ΔW‖ = √(1+η²)·‖W‖ and ‖W⁺‖ = ‖W‖",
        "paper, Section 5",
        ("orthogonal",),
        growth_discrepancy,
        growth_rounding,
    ),
    (
        "fromage.lars-equivalence",
        "identity",
        "LARS with trust coefficient pη(1+q) and weight decay q‖g‖/‖W‖, q = (√(1+η²) − 1)/η, is Algorithm 1",
        "the paper's reviewers",
        (),
        equivalence_discrepancy,
        lambda m: 2 * _steps(m).error,
    ),
    (
        "fromage.fixed-point",
        "theorem",
        "‖W⁺ − W‖ ≥ (p(1+η) − 1)‖W‖ > 0: a step always moves W ≠ 0",
        "the paper's reviewers",
        (),
        least_move,
        lambda m: _steps(m).size_end,
    ),
):
    register(
        Claim(claim_id, kind, "step", statement, source, resolve((*SETTING, *names)), formula, left=left, known="true")
    )
