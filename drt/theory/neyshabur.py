"""Small perturbations, linearised.

    ‖f̃ − f‖ ≤ e · ‖x‖ · Π_l ‖W_l‖₂ · Σ_l ρ_l,     ρ_l = ‖ΔW_l‖₂/‖W_l‖₂ (…, L), dimensionless

H1  small: ρ_l ≤ 1/L in every layer.
H2  lipschitz: β ≤ 1.

Implied by `norm-product.function`: (1 + 1/L)^L < e. Source: Neyshabur, Bhojanapalli and Srebro 2018, Lemma 2 (the
paper's [34]), stated there for ReLU.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, exp, log, prod
from drt.numeric.numbers import sum as sum_
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def value(m: Measurement) -> Number:
    """e·‖x‖·Π‖W_l‖₂·Σρ_l."""
    return exp(1 + 0 * m.norm_x) * m.norm_x * prod(m.norm_w) * sum_(m.rho)


def log_value(m: Measurement) -> Number:
    """Its logarithm."""
    return 1 + m.log_norm_x + sum_(m.log_norm_w) + log(sum_(m.rho))


register(
    Claim(
        "neyshabur.function",
        "theorem",
        "function",
        "‖f̃ − f‖ ≤ e·‖x‖·Π‖W_k‖₂·Σρ_k if every ρ_k ≤ 1/L and β ≤ 1",
        "Neyshabur et al. 2018, Lemma 2",
        resolve(("small", "lipschitz")),
        value,
        log_value,
        left="absolute",
        known="true",
    )
)
