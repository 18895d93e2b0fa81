"""Theorem 1 of the paper, function and Jacobian, as corrected and as stated.

    (a)  ‖f̃ − f‖₂/‖f‖₂ ≤ Π_l (β_l/α_l)·κ^{2L} · [Π_l (1 + δ_l) − 1]
    (b)  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ Π_{k>l} (β_k/α_k)·κ^{2(L−l)} · [Π_{k>l} (β_k/α_k)(1 + δ_k) − 1]

δ_l = ‖ΔW_l‖_F/‖W_l‖_F, κ = the largest condition number of all W_l, W̃_l, ΔW_l ≠ 0; all dimensionless. The paper has one φ,
hence (β/α)^L; with one φ a layer the same proof gives the product of the β_l/α_l.

H1  transmission, α > 0.
H2  conditioning: all those matrices have full rank.
H3  widths: (a) never contract; (b) form a valley. The paper states both without H3 ("as-stated"): false, see
    `falsify.extremal`.

Source: Theorem 1; H3 from its machine-checked proof.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.numeric.numbers import Number, prod, product_minus_one
from drt.theory.base import Claim, register


def function(m: Any) -> Number:
    """Π (β_l/α_l)·κ^{2L}·[Π(1 + δ_l) − 1]."""
    return prod(m.betas / m.alphas) * m.kappa ** (2 * m.depth) * product_minus_one(m.delta)


def slopes_and(m: Any, sizes: Number) -> Number:
    """(β_l/α_l)(1 + size_l) − 1, the relative change of one layer of the Jacobian."""
    ratio = m.betas / m.alphas
    return ratio * sizes + (ratio - 1)


def jacobian(m: Any) -> Number:
    """Π (β_k/α_k)·κ^{2(L−l)}·[Π (β_k/α_k)(1 + δ_k) − 1]."""
    return prod(m.betas / m.alphas) * m.kappa ** (2 * m.depth) * product_minus_one(slopes_and(m, m.delta))


OF_FUNCTION = "‖f̃ − f‖/‖f‖ ≤ (β/α·κ²)^L [Π(1 + δ_k) − 1]"
OF_JACOBIAN = "‖J̃_l − J_l‖_F/‖J_l‖_F ≤ (β/α·κ²)^{L−l} [Π_{k>l} (β/α)(1 + δ_k) − 1]"

register(
    Claim(
        id="theorem1.function",
        kind="theorem",
        quantity=FUNCTION,
        statement=f"{OF_FUNCTION}, widths never contract",
        source="paper, Theorem 1 (a)",
        hypotheses=("biases", "nonzero", "transmission", "conditioning", "widths"),
        formula=function,
        known="true",
    )
)
register(
    Claim(
        id="theorem1.function.as-stated",
        kind="conjecture",
        quantity=FUNCTION,
        statement=f"{OF_FUNCTION}, any widths",
        source="paper, Theorem 1 (a), as stated",
        hypotheses=("biases", "nonzero", "transmission", "conditioning"),
        formula=function,
        known="false",
    )
)
register(
    Claim(
        id="theorem1.jacobian",
        kind="theorem",
        quantity=JACOBIAN,
        statement=f"{OF_JACOBIAN}, widths form a valley",
        source="paper, Theorem 1 (b)",
        hypotheses=("biases", "nonzero", "transmission", "conditioning", "widths"),
        formula=jacobian,
        known="true",
    )
)
register(
    Claim(
        id="theorem1.jacobian.as-stated",
        kind="conjecture",
        quantity=JACOBIAN,
        statement=f"{OF_JACOBIAN}, any widths",
        source="paper, Theorem 1 (b), as stated",
        hypotheses=("biases", "nonzero", "transmission", "conditioning"),
        formula=jacobian,
        known="false",
    )
)
