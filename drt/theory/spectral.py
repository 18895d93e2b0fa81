"""Relative change in spectral norms: sharper than Theorem 1, and nothing asked of ΔW.

    function:  ‖f̃ − f‖/‖f‖ ≤ Π_l (β_l/α_l)κ(W_l) · [Π_l (1 + ρ_l) − 1]
    jacobian:  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ Π_{k>l} κ(W_k) · [Π_{k>l} (β_k/α_k)(1 + ρ_k) − 1]

κ(W_l) = s_max/s_min and ρ_l = ‖ΔW_l‖₂/‖W_l‖₂, both dimensionless, shape (…, L).

H1  transmission, α > 0.
H2  conditioning of W_l only: rank-one perturbations are fine.
H3  widths: never contract (function), form a valley (Jacobian).

Source: derived in proofs_checks/spectral.py; sharper than Theorem 1 of the paper.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log, log_product_minus_one, prod, product_minus_one
from drt.numeric.numbers import sum as sum_
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def function(m: Measurement) -> Number:
    """Π (β_l/α_l)κ(W_l)·[Π(1 + ρ_l) − 1]."""
    return prod(m.betas / m.alphas * m.kappa_w) * product_minus_one(m.rho)


def log_function(m: Measurement) -> Number:
    """Its logarithm."""
    return sum_(log(m.betas / m.alphas * m.kappa_w)) + log_product_minus_one(m.rho)


def _slopes_and_rho(m: Measurement) -> Number:
    ratio = m.betas / m.alphas
    return ratio * m.rho + (ratio - 1)


def jacobian(m: Measurement) -> Number:
    """Π κ(W_k)·[Π (β_k/α_k)(1 + ρ_k) − 1]."""
    return prod(m.kappa_w) * product_minus_one(_slopes_and_rho(m))


def log_jacobian(m: Measurement) -> Number:
    """Its logarithm."""
    return sum_(log(m.kappa_w)) + log_product_minus_one(_slopes_and_rho(m))


HYPOTHESES = resolve(("transmission", "conditioning-w", "widths"))
SOURCE = "this project, proofs_checks/spectral.py"
register(
    Claim(
        "spectral.function",
        "theorem",
        "function",
        "‖f̃ − f‖/‖f‖ ≤ Π (β/α·κ(W_k)) · [Π(1 + ρ_k) − 1], widths never contract",
        SOURCE,
        HYPOTHESES,
        function,
        log_function,
        known="true",
    )
)
register(
    Claim(
        "spectral.jacobian",
        "theorem",
        "jacobian",
        "‖J̃_l − J_l‖_F/‖J_l‖_F ≤ Π_{k>l} κ(W_k) · [Π_{k>l} (β/α)(1 + ρ_k) − 1], widths a valley",
        SOURCE,
        HYPOTHESES,
        jacobian,
        log_jacobian,
        known="true",
    )
)
