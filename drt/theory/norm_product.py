"""The product of the norms.

    ‖f̃ − f‖ ≤ Π_l β_l‖W_l‖₂ · ‖x‖ · [Π_l (1 + ρ_l) − 1],     ρ_l = ‖ΔW_l‖₂/‖W_l‖₂ (…, L), dimensionless

Any widths, α = 0 (ReLU) allowed. No hypothesis but the absence of biases.
Source: Bernstein, Mingard, Huang, Azizan and Yue, Automatic Gradient Descent, 2023.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log, log_product_minus_one, prod, product_minus_one
from drt.numeric.numbers import sum as sum_
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def value(m: Measurement) -> Number:
    """Π β_l‖W_l‖₂·‖x‖·[Π(1 + ρ_l) − 1]."""
    return prod(m.betas * m.norm_w) * m.norm_x * product_minus_one(m.rho)


def log_value(m: Measurement) -> Number:
    """Its logarithm."""
    return sum_(log(m.betas) + m.log_norm_w) + m.log_norm_x + log_product_minus_one(m.rho)


register(
    Claim(
        "norm-product.function",
        "theorem",
        "function",
        "‖f̃ − f‖ ≤ β^L Π‖W_k‖₂ ‖x‖ [Π(1 + ρ_k) − 1]",
        "Bernstein et al., Automatic Gradient Descent, 2023",
        resolve(()),
        value,
        log_value,
        left="absolute",
        known="true",
    )
)
