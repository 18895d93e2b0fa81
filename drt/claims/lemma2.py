"""Lemma 2: the relative size of a step that is sure to lower the loss.

    δ_l ≤ η < (1 + cos θ_l)^{1/L} − 1 for all l  ⇒  𝓛(W+ΔW) < 𝓛(W)

lemma2                  given deep relative trust on the whole segment W + tΔW
lemma2.unconditional    without that
lemma2.constant         given ‖g_l(W+tΔW) − g_l‖/‖g_l‖ ≤ C[Π(1+tδ_k) − 1] instead, and η < (1 + cos θ_l/C)^{1/L} − 1, with
                        C = (β/α·κ²)^L, κ = max_l κ(W_l), the constant of Theorem 1 that the model leaves out

Held, as condition (4) is, as a bound on what curvature adds: the excess 𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩ is below
−Σ⟨g_l, ΔW_l⟩. Trust on the segment is evaluated at many t, which refutes it but never proves it: no violation of `lemma2`
or `lemma2.constant` is ever certain.

Source: Lemma 2 of the paper; the constant, its reviewers.
"""

from drt.claims.base import Claim, register
from drt.claims.lemma1 import SETTING, tangent
from drt.hypotheses import resolve

for claim_id, statement, source, names, known in (
    (
        "lemma2",
        "deep relative trust on W+tΔW and η < (1 + cos θ_l)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        "paper, Lemma 2",
        ("step-size", "trust"),
        "true",
    ),
    (
        "lemma2.unconditional",
        "η < (1 + cos θ_l)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        "paper, Lemma 2, its model not asked for",
        ("step-size",),
        "false",
    ),
    (
        "lemma2.constant",
        "trust with C = (β/α·κ²)^L and η < (1 + cos θ_l/C)^{1/L} − 1 ⇒ 𝓛(W+ΔW) < 𝓛(W)",
        "the paper's reviewers",
        ("transmission", "conditioning-w", "step-size-constant", "trust-constant"),
        "true",
    ),
):
    register(
        Claim(
            claim_id,
            "model" if known == "false" else "theorem",
            "descent",
            statement,
            source,
            resolve((*SETTING, *names)),
            tangent,
            left="excess",
            known=known,
        )
    )
