"""Theorem 1 with fewer powers of κ.

    function:  ‖f̃ − f‖/‖f‖ ≤ Π_l (β_l/α_l)·κ^L · [Π_l (1 + κδ_l) − 1],          κ over W_l and ΔW_l ≠ 0 only
    jacobian:  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} · [Π_{k>l} (β_k/α_k)(1 + δ_k) − 1]

δ_l = ‖ΔW_l‖_F/‖W_l‖_F, dimensionless. The first is never above Theorem 1's bound: κ^{L+1} instead of κ^{2L} for small δ.

H1  transmission, α > 0.
H2  conditioning: W_l and ΔW_l ≠ 0 have full rank (W̃_l need not).
H3  widths: never contract (function), form a valley (Jacobian).

Source: the paper's proof with its slack kept; proofs_checks/kappa.py and coq/.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.numeric.numbers import Number, maximum, per_layer, prod, product_minus_one
from drt.theory.base import Claim, register
from drt.theory.theorem1 import slopes_and


def kappa(m: Any) -> Number:
    """The largest condition number of the W_l and the non-zero ΔW_l."""
    return maximum(maximum(m.kappa_w, m.kappa_dw))


def function(m: Any) -> Number:
    """Π (β_l/α_l)·κ^L·[Π(1 + κδ_l) − 1]."""
    return prod(m.betas / m.alphas) * kappa(m) ** m.depth * product_minus_one(per_layer(kappa(m)) * m.delta)


def jacobian(m: Any) -> Number:
    """κ^{2(L−l)}·[Π (β_k/α_k)(1 + δ_k) − 1]."""
    return kappa(m) ** (2 * m.depth) * product_minus_one(slopes_and(m, m.delta))


register(
    Claim(
        id="kappa.function",
        kind="theorem",
        quantity=FUNCTION,
        statement="‖f̃ − f‖/‖f‖ ≤ (β/α·κ)^L [Π(1 + κδ_k) − 1], κ over W and ΔW, widths never contract",
        source="Theorem 1's proof without its slack",
        hypotheses=("biases", "nonzero", "transmission", "conditioning-w-dw", "widths"),
        formula=function,
        known="true",
    )
)
register(
    Claim(
        id="kappa.jacobian",
        kind="theorem",
        quantity=JACOBIAN,
        statement="‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} [Π_{k>l} (β/α)(1 + δ_k) − 1], κ over W and ΔW, widths a valley",
        source="Theorem 1's proof without its slack",
        hypotheses=("biases", "nonzero", "transmission", "conditioning-w-dw", "widths"),
        formula=jacobian,
        known="true",
    )
)
