"""Lemma 2: the relative size of a step that is sure to lower the loss.

    δ_l ≤ η < (1 + cos θ_l)^{1/L} − 1 for all l  ⇒  𝓛(W+ΔW) < 𝓛(W)

lemma2                  given deep relative trust on the whole segment W + tΔW
lemma2.unconditional    without that
lemma2.mean             given trust, for η with [(1+η)^{L+1} − 1]/((L+1)η) − 1 < cos θ_l: about twice as large
lemma2.constant         given ‖g_l(W+tΔW) − g_l‖/‖g_l‖ ≤ C[Π(1+tδ_k) − 1] instead, and η < (1 + cos θ_l/C)^{1/L} − 1, with
                        C = (β/α·κ²)^L, κ = max_l κ(W_l), the constant of Theorem 1 that the model leaves out

Held, as condition (4) is, as a bound on what curvature adds: the excess 𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩ is below
−Σ⟨g_l, ΔW_l⟩. Trust on the segment is refuted by one t, and proved by intervals (`drt.descent.trust`) or exact pieces.

lemma2.mean: condition (4) asks that the largest change on the segment be below cos θ_l, but by Lemma 1's own proof the mean
suffices, and trust grows from 0: ∫₀¹ [(1+tη)^L − 1] dt = [(1+η)^{L+1} − 1]/((L+1)η) − 1. Its threshold is sharp: 𝓛(w) = w²,
w = 1, ΔW = −2 meets it with equality, and the loss is what it was. Coq: Descent.v, Models.v.

Source: Lemma 2 of the paper; the constant, its reviewers; the mean, this project.
"""

from drt.measurement.quantity import DESCENT
from drt.theory.base import Claim, register
from drt.theory.lemma1 import tangent

register(
    Claim(
        id="lemma2",
        kind="theorem",
        quantity=DESCENT,
        statement="deep relative trust on W+tΔW and η < (1 + cos θ_l)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        source="paper, Lemma 2",
        hypotheses=("gradients", "step-size", "trust"),
        formula=tangent,
        left="excess",
        known="true",
    )
)
register(
    Claim(
        id="lemma2.mean",
        kind="theorem",
        quantity=DESCENT,
        statement="deep relative trust on W+tΔW and [(1+η)^{L+1} − 1]/((L+1)η) − 1 < cos θ_l ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        source="sharper than Lemma 2: derived in proofs_checks/coq/Descent.v",
        hypotheses=("gradients", "step-size-mean", "trust"),
        formula=tangent,
        left="excess",
        known="true",
    )
)
register(
    Claim(
        id="lemma2.unconditional",
        kind="model",
        quantity=DESCENT,
        statement="η < (1 + cos θ_l)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        source="paper, Lemma 2, its model not asked for",
        hypotheses=("gradients", "step-size"),
        formula=tangent,
        left="excess",
        known="false",
    )
)
register(
    Claim(
        id="lemma2.constant",
        kind="theorem",
        quantity=DESCENT,
        statement="trust with C = (β/α·κ²)^L and η < (1 + cos θ_l/C)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        source="the paper's reviewers",
        hypotheses=("gradients", "transmission", "conditioning-w", "step-size-constant", "trust-constant"),
        formula=tangent,
        left="excess",
        known="true",
    )
)
