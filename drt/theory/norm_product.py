"""The product of the norms.

    ‖f̃ − f‖ ≤ Π_l β_l‖W_l‖₂ · ‖x‖ · [Π_l (1 + ρ_l) − 1],     ρ_l = ‖ΔW_l‖₂/‖W_l‖₂ (…, L), dimensionless

Any widths, α = 0 (ReLU) allowed. No hypothesis but the absence of biases.
Source: Bernstein, Mingard, Huang, Azizan and Yue, Automatic Gradient Descent, 2023.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION
from drt.numeric.numbers import Number, prod, product_minus_one
from drt.theory.base import Claim, register


def value(m: Any) -> Number:
    """Π β_l‖W_l‖₂·‖x‖·[Π(1 + ρ_l) − 1]."""
    return prod(m.betas * m.norm_w) * m.norm_x * product_minus_one(m.rho)


register(
    Claim(
        id="norm-product.function",
        kind="theorem",
        quantity=FUNCTION,
        statement="‖f̃ − f‖ ≤ β^L Π‖W_k‖₂ ‖x‖ [Π(1 + ρ_k) − 1]",
        source="Bernstein et al., Automatic Gradient Descent, 2023",
        hypotheses=("biases", "nonzero"),
        formula=value,
        left="absolute",
        known="true",
    )
)
