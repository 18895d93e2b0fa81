"""Small perturbations, linearised.

    ‖f̃ − f‖ ≤ e · ‖x‖ · Π_l ‖W_l‖₂ · Σ_l ρ_l,     ρ_l = ‖ΔW_l‖₂/‖W_l‖₂ (…, L), dimensionless

H1  small: ρ_l ≤ 1/L in every layer.
H2  lipschitz: β ≤ 1.

Implied by `norm-product.function`: (1 + 1/L)^L < e. Source: Neyshabur, Bhojanapalli and Srebro 2018, Lemma 2 (the
paper's [34]), stated there for ReLU.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION
from drt.numeric.numbers import Number, exp, one, prod, sum
from drt.theory.base import Claim, register


def value(m: Any) -> Number:
    """e·‖x‖·Π‖W_l‖₂·Σρ_l."""
    return exp(one(m.norm_x)) * m.norm_x * prod(m.norm_w) * sum(m.rho)


register(
    Claim(
        id="neyshabur.function",
        kind="theorem",
        quantity=FUNCTION,
        statement="‖f̃ − f‖ ≤ e·‖x‖·Π‖W_k‖₂·Σρ_k if every ρ_k ≤ 1/L and β ≤ 1",
        source="Neyshabur et al. 2018, Lemma 2",
        hypotheses=("biases", "nonzero", "small", "lipschitz"),
        formula=value,
        left="absolute",
        known="true",
    )
)
