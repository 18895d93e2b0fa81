"""Theorem 1 with fewer powers of κ.

    function:  ‖f̃ − f‖/‖f‖ ≤ Π_l (β_l/α_l)·κ^L · [Π_l (1 + κδ_l) − 1],          κ over W_l and ΔW_l ≠ 0 only
    jacobian:  ‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} · [Π_{k>l} (β_k/α_k)(1 + δ_k) − 1]

δ_l = ‖ΔW_l‖_F/‖W_l‖_F, dimensionless. The first is never above Theorem 1's bound: κ^{L+1} instead of κ^{2L} for small δ.

H1  transmission, α > 0.
H2  conditioning: W_l and ΔW_l ≠ 0 have full rank (W̃_l need not).
H3  widths: never contract (function), form a valley (Jacobian).

Source: the paper's proof with its slack kept; proofs_checks/kappa.py and coq/.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log, log_product_minus_one, maximum, prod, product_minus_one
from drt.numeric.numbers import sum as sum_
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve
from drt.theory.theorem1 import slopes_and_delta


def kappa(m: Measurement) -> Number:
    """The largest condition number of the W_l and the non-zero ΔW_l."""
    return maximum(maximum(m.kappa_w, m.kappa_dw))


def _kappa_delta(m: Measurement) -> Number:
    # κ has one dimension less than δ: put the layers' axis back.
    return kappa(m)[..., None] * m.delta


def function(m: Measurement) -> Number:
    """Π (β_l/α_l)·κ^L·[Π(1 + κδ_l) − 1]."""
    return prod(m.betas / m.alphas) * kappa(m) ** m.depth * product_minus_one(_kappa_delta(m))


def log_function(m: Measurement) -> Number:
    """Its logarithm."""
    return sum_(log(m.betas / m.alphas)) + m.depth * log(kappa(m)) + log_product_minus_one(_kappa_delta(m))


def jacobian(m: Measurement) -> Number:
    """κ^{2(L−l)}·[Π (β_k/α_k)(1 + δ_k) − 1]."""
    return kappa(m) ** (2 * m.depth) * product_minus_one(slopes_and_delta(m))


def log_jacobian(m: Measurement) -> Number:
    """Its logarithm."""
    return 2 * m.depth * log(kappa(m)) + log_product_minus_one(slopes_and_delta(m))


HYPOTHESES = resolve(("transmission", "conditioning-w-dw", "widths"))
register(
    Claim(
        "kappa.function",
        "theorem",
        "function",
        "‖f̃ − f‖/‖f‖ ≤ (β/α·κ)^L [Π(1 + κδ_k) − 1], κ over W and ΔW, widths never contract",
        "Theorem 1's proof without its slack",
        HYPOTHESES,
        function,
        log_function,
        known="true",
    )
)
register(
    Claim(
        "kappa.jacobian",
        "theorem",
        "jacobian",
        "‖J̃_l − J_l‖_F/‖J_l‖_F ≤ κ^{2(L−l)} [Π_{k>l} (β/α)(1 + δ_k) − 1], κ over W and ΔW, widths a valley",
        "Theorem 1's proof without its slack",
        HYPOTHESES,
        jacobian,
        log_jacobian,
        known="true",
    )
)
