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

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log, log_product_minus_one, prod, product_minus_one
from drt.numeric.numbers import sum as sum_
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def function(m: Measurement) -> Number:
    """Π (β_l/α_l)·κ^{2L}·[Π(1 + δ_l) − 1]."""
    return prod(m.betas / m.alphas) * m.kappa ** (2 * m.depth) * product_minus_one(m.delta)


def log_function(m: Measurement) -> Number:
    """Its logarithm."""
    return sum_(log(m.betas / m.alphas)) + 2 * m.depth * log(m.kappa) + log_product_minus_one(m.delta)


def slopes_and_delta(m: Measurement) -> Number:
    """(β_l/α_l)(1 + δ_l) − 1, the relative change of one layer of the Jacobian."""
    ratio = m.betas / m.alphas
    return ratio * m.delta + (ratio - 1)


def jacobian(m: Measurement) -> Number:
    """Π (β_k/α_k)·κ^{2(L−l)}·[Π (β_k/α_k)(1 + δ_k) − 1]."""
    return prod(m.betas / m.alphas) * m.kappa ** (2 * m.depth) * product_minus_one(slopes_and_delta(m))


def log_jacobian(m: Measurement) -> Number:
    """Its logarithm."""
    product = log_product_minus_one(slopes_and_delta(m))
    return sum_(log(m.betas / m.alphas)) + 2 * m.depth * log(m.kappa) + product


FUNCTION = "‖f̃ − f‖/‖f‖ ≤ (β/α·κ²)^L [Π(1 + δ_k) − 1]"
JACOBIAN = "‖J̃_l − J_l‖_F/‖J_l‖_F ≤ (β/α·κ²)^{L−l} [Π_{k>l} (β/α)(1 + δ_k) − 1]"

for quantity, statement, formula, log_formula, shape in (
    ("function", FUNCTION, function, log_function, "never contract"),
    ("jacobian", JACOBIAN, jacobian, log_jacobian, "form a valley"),
):
    full = resolve(("transmission", "conditioning", "widths"))
    corrected = f"{statement}, widths {shape}"
    source = f"paper, Theorem 1 ({'a' if quantity == 'function' else 'b'})"
    register(
        Claim(f"theorem1.{quantity}", "theorem", quantity, corrected, source, full, formula, log_formula, known="true")
    )
    stated = resolve(("transmission", "conditioning"))
    register(
        Claim(
            f"theorem1.{quantity}.as-stated",
            "conjecture",
            quantity,
            f"{statement}, any widths",
            f"{source}, as stated",
            stated,
            formula,
            log_formula,
            known="false",
        )
    )
