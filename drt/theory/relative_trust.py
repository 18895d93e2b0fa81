"""Deep relative trust (Modelling assumption 1), and the same in spectral norms.

    max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π_k (1 + δ_k) − 1        (deep-relative-trust)
    max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π_k (1 + ρ_k) − 1        (spectral-relative-trust)

H1  gradients: g_l ≠ 0 in every layer, and something moves.

The first two are models, not theorems: near a minimum of the loss the gradient is small and changes by many times its size.

Where the spectral one is true, and with what constant (spectral-relative-trust.constant, a theorem):

    ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ C_l · [(1 + γ) · Π_{k≥l} (β_k/α_k) · Π_{k≠l} (1 + ρ_k) − 1] for all l,
    C_l = Π_{k<l} (β_k/α_k) · Π_{k≠l} κ(W_k),   γ = ‖M̃ − M‖_F/‖M‖_F,   M = Σ_i ∂𝓛/∂f_i · x_iᵀ

H2  transmission, α > 0.   H3  conditioning of W_l only.   H4  widths: n_0 ≤ n_1 = … = n_{L−1} ≥ n_L.
H5  one input, or φ linear.

For one input γ is the relative change of ∂𝓛/∂f. A loss that is linear in f has γ = 0: for linear networks spectral relative
trust is then true up to Πκ(W_k), and as it stands for orthogonal layers. Near a minimum γ is what breaks it: ∂𝓛/∂f is small.
Proof: g_lᵀ is h_{l−1}·(∂𝓛/∂f)ᵀ (or W_{l−1}···W_1Mᵀ) multiplied on the right by the layers L … l+1 and Φ'_l; no factor shrinks
a norm by more than α_k·s_min(W_k), and each adds to the relative change what `spectral.jacobian` says. Coq: Gradient.v.
Source: Modelling assumption 1 of the paper; the spectral one is a conjecture of this project's.
"""

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, exp, expm1, log, log1p, log_product_minus_one, maximum, product_minus_one
from drt.numeric.numbers import sum as sum_
from drt.theory import hypotheses_descent as _registered  # noqa: F401  (importing it registers the hypotheses)
from drt.theory.base import Claim, register
from drt.theory.hypotheses import resolve


def deep(m: Measurement) -> Number:
    """Π(1 + δ_k) − 1."""
    return product_minus_one(m.delta)


def log_deep(m: Measurement) -> Number:
    """Its logarithm."""
    return log_product_minus_one(m.delta)


def spectral(m: Measurement) -> Number:
    """Π(1 + ρ_k) − 1."""
    return product_minus_one(m.rho)


def log_spectral(m: Measurement) -> Number:
    """Its logarithm."""
    return log_product_minus_one(m.rho)


def _factors(m: Measurement, layer: int) -> tuple[Number, Number]:
    """Log C_l, and the logarithm of what 1 is subtracted from, of layer l = layer + 1."""
    slopes, kappas, steps = log(m.betas / m.alphas), log(m.kappa_w), log1p(m.rho)
    below, above = (..., slice(layer)), (..., slice(layer + 1, None))
    constant = sum_(slopes[below]) + sum_(kappas[below]) + sum_(kappas[above])
    growth = log1p(m.gamma) + sum_(slopes[..., slice(layer, None)]) + sum_(steps[below]) + sum_(steps[above])
    return constant, growth


def constant_trust(m: Measurement) -> Number:
    """max_l C_l·[(1 + γ)·Π_{k≥l} (β_k/α_k)·Π_{k≠l} (1 + ρ_k) − 1]."""
    largest = None
    for layer in range(m.depth):
        constant, growth = _factors(m, layer)
        bound = exp(constant) * expm1(growth)
        largest = bound if largest is None else maximum(largest, bound)
    return largest


def log_constant_trust(m: Measurement) -> Number:
    """Its logarithm."""
    largest = None
    for layer in range(m.depth):
        constant, growth = _factors(m, layer)
        bound = constant + growth + log(-expm1(-growth))  # log(eᵍ − 1), which does not overflow
        largest = bound if largest is None else maximum(largest, bound)
    return largest


for claim_id, letter, source, formula, log_formula in (
    ("deep-relative-trust", "δ", "paper, Modelling assumption 1", deep, log_deep),
    ("spectral-relative-trust", "ρ", "this project", spectral, log_spectral),
):
    register(
        Claim(
            claim_id,
            "model",
            "descent",
            f"‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π(1 + {letter}_k) − 1 for all l",
            source,
            resolve(("-nonzero", "gradients")),
            formula,
            log_formula,
            left="change",
            known="false",
        )
    )

register(
    Claim(
        "spectral-relative-trust.constant",
        "theorem",
        "descent",
        "‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ C_l[(1 + γ)Π_{k≥l} (β/α)·Π_{k≠l} (1 + ρ_k) − 1] for all l",
        "this project, proofs_checks/coq/Gradient.v",
        resolve(("-nonzero", "gradients", "transmission", "conditioning-w", "widths", "one-input")),
        constant_trust,
        log_constant_trust,
        left="change",
        known="true",
    )
)
