"""Deep relative trust (Modelling assumption 1), and the same in spectral norms.

    max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π_k (1 + δ_k) − 1        (deep-relative-trust)
    max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π_k (1 + ρ_k) − 1        (spectral-relative-trust)

H1  gradients: g_l ≠ 0 in every layer, and something moves.

Models, not theorems: near a minimum of the loss the gradient is small and changes by many times its size.

Where the spectral one is true, and with what constant: for a loss that is linear in f, φ the identity and square layers,

    ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π_{k≠l} κ(W_k) · [Π_{k≠l} (1 + ρ_k) − 1],

so with constant 1 for orthogonal layers. For g_l = b aᵀ with a = W_{l−1}···W_1 x and b = (W_L···W_{l+1})ᵀ∂𝓛/∂f: both change by
at most r ≤ C(P − 1), C = Πκ, P = Π(1 + ρ), of their layers (`spectral.function`; transposed for b), b aᵀ by at most
(1 + r_a)(1 + r_b) − 1, and [1 + C_a(P_a − 1)][1 + C_b(P_b − 1)] − 1 ≤ C_aC_b(P_aP_b − 1) for C ≥ 1. What breaks the model in
training is the loss: ∂𝓛/∂f changes too.
Source: Modelling assumption 1 of the paper; the spectral one is a conjecture of this project's.
"""

from drt import descent_hypotheses as _registered  # noqa: F401  (importing it registers the hypotheses)
from drt.claims.base import Claim, register
from drt.hypotheses import resolve
from drt.measure import Measurement
from drt.numbers import Number, log_product_minus_one, product_minus_one


def deep(m: Measurement) -> Number:
    """Π(1 + δ_k) − 1."""
    return product_minus_one(m.delta)


def log_deep(m: Measurement) -> Number:
    """Its logarithm."""
    return log_product_minus_one(m.delta)


def spectral(m: Measurement) -> Number:
    """Π(1 + ρ_k) − 1."""
    return product_minus_one(m.rho)


def log_spectral(m: Measurement) -> Number:
    """Its logarithm."""
    return log_product_minus_one(m.rho)


for claim_id, letter, source, formula, log_formula in (
    ("deep-relative-trust", "δ", "paper, Modelling assumption 1", deep, log_deep),
    ("spectral-relative-trust", "ρ", "this project", spectral, log_spectral),
):
    register(
        Claim(
            claim_id,
            "model",
            "descent",
            f"‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π(1 + {letter}_k) − 1 for all l",
            source,
            resolve(("-nonzero", "gradients")),
            formula,
            log_formula,
            left="change",
            known="false",
        )
    )
