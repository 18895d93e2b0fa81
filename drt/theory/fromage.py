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

from typing import Any

from drt.measurement.quantity import STEP
from drt.numeric.numbers import Number, maximum, sqrt
from drt.theory.base import Claim, register
from drt.theory.hypotheses import Hypothesis, hypotheses


def least_move(s: Any) -> Number:
    """p(1+η) − 1 = p(η − η²/(1 + √(1+η²)))."""
    root = sqrt(1 + s.eta**2)
    return (s.eta - s.eta**2 / (1 + root)) / root


def exact_size(s: Any) -> Number:
    """√(2(1−p)(1+pηc)), with 1 − p = η²/(r(1 + r)) for r = √(1+η²) = 1/p, which does not cancel."""
    root = sqrt(1 + s.eta**2)
    return sqrt(2 * (s.eta**2 / (root * (1 + root))) * (1 + s.eta / root * s.cosine))


def size_discrepancy(s: Any) -> Number:
    """The larger of |‖W⁺ − W‖/‖W‖ − √(2(1−p)(1+pηc))| and |‖ΔW‖/‖W‖ − η|."""
    return maximum(abs(s.size - exact_size(s)), abs(s.lars_size - s.eta))


def size_rounding(s: Any) -> Number:
    """The rounding bound of a size, and of the formula: pη·(error of c) in 1 + pηc."""
    turn = s.eta / sqrt(1 + s.eta**2)
    return s.error + exact_size(s) * (s.formula_error + turn * s.cosine_error / (1 + turn * s.cosine))


def second_order(s: Any) -> Number:
    """η²(1+η)/2."""
    return s.eta**2 * (1 + s.eta) / 2


def growth_discrepancy(s: Any) -> Number:
    """The larger of |‖W + ΔW‖/‖W‖ − √(1+η²)| and |‖W⁺‖/‖W‖ − 1|."""
    return maximum(abs(s.grown - sqrt(1 + s.eta**2)), abs(s.kept - 1))


def growth_rounding(s: Any) -> Number:
    """The rounding bound of a size, and η|c| with the c that counts as zero."""
    return s.error + s.eta * (s.zero_cosine + s.cosine_error)


def equivalence_discrepancy(s: Any) -> Number:
    """‖W_LARS − W⁺‖/‖W‖."""
    return s.gap


def equivalence_rounding(s: Any) -> Number:
    """The rounding bounds of two sizes."""
    return 2 * s.error


def size(s: Any) -> Number:
    """‖W⁺ − W‖/‖W‖."""
    return s.size


hypotheses["orthogonal"] = Hypothesis(
    "orthogonal",
    "⟨g, W⟩ = 0 up to the rounding error of a dot product",
    lambda s: abs(s.cosine) <= s.zero_cosine,
    lambda s, index: f"cos∠(W, g) = {s.cosine[index]:.3g}",
)

register(
    Claim(
        id="fromage.relative-size",
        kind="identity",
        quantity=STEP,
        statement="‖ΔW‖ = η‖W‖ for step (5), ‖W⁺ − W‖ = √(2(1−p)(1+pηc))·‖W‖ for Algorithm 1, c = cos∠(W, g)",
        source="this project; paper, Equations (5) and (6)",
        hypotheses=(),
        formula=size_rounding,
        left=size_discrepancy,
        known="true",
    )
)
register(
    Claim(
        id="fromage.relative-size.second-order",
        kind="theorem",
        quantity=STEP,
        statement="|‖W⁺ − W‖/‖W‖ − η| ≤ η²(1+η)/2",
        source="paper, Equation (6)",
        hypotheses=(),
        formula=second_order,
        left="deviation",
        known="true",
    )
)
register(
    Claim(
        id="fromage.norm-growth",
        kind="identity",
        quantity=STEP,
        statement="⟨g, W⟩ = 0 ⇒ ‖W + ΔW‖ = √(1+η²)·‖W‖ and ‖W⁺‖ = ‖W‖",
        source="paper, Section 5",
        hypotheses=("orthogonal",),
        formula=growth_rounding,
        left=growth_discrepancy,
        known="true",
    )
)
register(
    Claim(
        id="fromage.lars-equivalence",
        kind="identity",
        quantity=STEP,
        statement="LARS with trust coefficient pη(1+q) and weight decay q‖g‖/‖W‖, q = (√(1+η²) − 1)/η, is Algorithm 1",
        source="the paper's reviewers",
        hypotheses=(),
        formula=equivalence_rounding,
        left=equivalence_discrepancy,
        known="true",
    )
)
register(
    Claim(
        id="fromage.fixed-point",
        kind="theorem",
        quantity=STEP,
        statement="‖W⁺ − W‖ ≥ (p(1+η) − 1)‖W‖ > 0: a step always moves W ≠ 0",
        source="the paper's reviewers",
        hypotheses=(),
        formula=size,
        left=least_move,
        known="true",
    )
)
