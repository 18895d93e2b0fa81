"""Lemma 1 and condition (4): how far a perturbation lowers the loss.

    𝓛(W+ΔW) − 𝓛(W) ≤ −Σ_l ‖g_l‖_F‖ΔW_l‖_F [cos θ_l − max_{t∈[0,1]} ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F]        (lemma1)
    every bracket positive ⇒ 𝓛(W+ΔW) < 𝓛(W)                                                            (condition4)

    𝓛(W+ΔW) − 𝓛(W) ≤ −Σ_l ‖g_l‖_F‖ΔW_l‖_F [cos θ_l − ∫₀¹ ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F dt]                    (lemma1.mean)

The last is Lemma 1 before its last step, the mean for the maximum; one weight and a quadratic loss attain it. All are held
as bounds on what curvature adds, the excess 𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩: by Σ‖g_l‖‖ΔW_l‖·max_t(…) for Lemma 1, or the
mean; by Σ‖g_l‖‖ΔW_l‖cos θ_l = −Σ⟨g_l, ΔW_l⟩ for condition (4), where it is equivalent to the loss falling.
The maximum over t is known from two sides. Lemma 1 holds where it does for the lower one, and is violated only where it
is for the upper one; condition (4) is violated only where the upper one leaves the brackets positive.

H1  gradients: g_l ≠ 0 in every layer, and something moves. Biases may be there, and stay as they are.
H2  (condition4) bracket: every bracket is positive.

Source: Lemma 1 and condition (4) of the paper.
"""

from typing import Any

from drt.measurement.quantity import DESCENT
from drt.numeric.numbers import Number, maximum, sum
from drt.theory.base import Claim, register


def lemma1(m: Any) -> Number:
    """Σ‖g_l‖‖ΔW_l‖·max_t ‖g_l(W+tΔW) − g_l‖/‖g_l‖."""
    return sum(m.lever * m.breakdown)


def lemma1_mean(m: Any) -> Number:
    """Σ‖g_l‖‖ΔW_l‖·∫₀¹ ‖g_l(W+tΔW) − g_l‖/‖g_l‖ dt."""
    return sum(m.lever * m.mean_breakdown)


def tangent(m: Any) -> Number:
    """Σ‖g_l‖‖ΔW_l‖cos θ_l: how far the loss would fall along its tangent."""
    return maximum(sum(m.lever * m.cosines), 0.0)


register(
    Claim(
        id="lemma1",
        kind="theorem",
        quantity=DESCENT,
        statement="𝓛(W+ΔW) − 𝓛(W) ≤ −Σ‖g_l‖‖ΔW_l‖[cos θ_l − max_t ‖g_l(W+tΔW) − g_l‖/‖g_l‖]",
        source="paper, Lemma 1",
        hypotheses=("gradients",),
        formula=lemma1,
        left="excess",
        known="true",
    )
)
register(
    Claim(
        id="lemma1.mean",
        kind="theorem",
        quantity=DESCENT,
        statement="𝓛(W+ΔW) − 𝓛(W) ≤ −Σ‖g_l‖‖ΔW_l‖[cos θ_l − ∫₀¹ ‖g_l(W+tΔW) − g_l‖/‖g_l‖ dt]",
        source="sharper than Lemma 1: derived in proofs_checks/coq/Descent.v",
        hypotheses=("gradients",),
        formula=lemma1_mean,
        left="excess",
        known="true",
    )
)
register(
    Claim(
        id="condition4",
        kind="theorem",
        quantity=DESCENT,
        statement="cos θ_l > max_t ‖g_l(W+tΔW) − g_l‖/‖g_l‖ for all l ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        source="paper, condition (4)",
        hypotheses=("gradients", "bracket"),
        formula=tangent,
        left="excess",
        known="true",
    )
)
