"""Relative change in spectral norms: sharper than Theorem 1, and nothing asked of ΔW.

    function:  ‖f̃ − f‖/‖f‖ ≤ Π_l (β_l/α_l)κ(W_l) · [Π_l (1 + ρ_l) − 1]
    jacobian:  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ Π_{k>l} κ(W_k) · [Π_{k>l} (β_k/α_k)(1 + ρ_k) − 1]

κ(W_l) = s_max/s_min and ρ_l = ‖ΔW_l‖₂/‖W_l‖₂, both dimensionless, shape (…, L).

H1  transmission, α > 0.
H2  conditioning of W_l only: rank-one perturbations are fine.
H3  widths: never contract (function), form a valley (Jacobian).

Source: derived in proofs_checks/spectral.py; sharper than Theorem 1 of the paper.
"""

from typing import Any

from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.numeric.numbers import Number, prod, product_minus_one
from drt.theory.base import Claim, register
from drt.theory.theorem1 import slopes_and


def function(m: Any) -> Number:
    """Π (β_l/α_l)κ(W_l)·[Π(1 + ρ_l) − 1]."""
    return prod(m.betas / m.alphas * m.kappa_w) * product_minus_one(m.rho)


def jacobian(m: Any) -> Number:
    """Π κ(W_k)·[Π (β_k/α_k)(1 + ρ_k) − 1]."""
    return prod(m.kappa_w) * product_minus_one(slopes_and(m, m.rho))


register(
    Claim(
        id="spectral.function",
        kind="theorem",
        quantity=FUNCTION,
        statement="‖f̃ − f‖/‖f‖ ≤ Π (β/α·κ(W_k)) · [Π(1 + ρ_k) − 1], widths never contract",
        source="this project, proofs_checks/spectral.py",
        hypotheses=("biases", "nonzero", "transmission", "conditioning-w", "widths"),
        formula=function,
        known="true",
    )
)
register(
    Claim(
        id="spectral.jacobian",
        kind="theorem",
        quantity=JACOBIAN,
        statement="‖J̃_l − J_l‖_F/‖J_l‖_F ≤ Π_{k>l} κ(W_k) · [Π_{k>l} (β/α)(1 + ρ_k) − 1], widths a valley",
        source="this project, proofs_checks/spectral.py",
        hypotheses=("biases", "nonzero", "transmission", "conditioning-w", "widths"),
        formula=jacobian,
        known="true",
    )
)
