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

from typing import Any

from drt.measurement.quantity import DESCENT
from drt.numeric.numbers import (
    Number,
    maximum,
    per_layer,
    product_minus_one,
    products_below,
    products_from,
    products_others,
)
from drt.theory.base import Claim, register


def deep(m: Any) -> Number:
    """Π(1 + δ_k) − 1."""
    return product_minus_one(m.delta)


def spectral(m: Any) -> Number:
    """Π(1 + ρ_k) − 1."""
    return product_minus_one(m.rho)


def constant_trust(m: Any) -> Number:
    """max_l C_l·[(1 + γ)·Π_{k≥l} (β_k/α_k)·Π_{k≠l} (1 + ρ_k) − 1]."""
    ratio = m.betas / m.alphas
    constant = products_below(ratio) * products_others(m.kappa_w)
    growth = (1 + per_layer(m.gamma)) * products_from(ratio) * products_others(1 + m.rho)
    return maximum(constant * (growth - 1))


register(
    Claim(
        id="deep-relative-trust",
        kind="model",
        quantity=DESCENT,
        statement="‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π(1 + δ_k) − 1 for all l",
        source="paper, Modelling assumption 1",
        hypotheses=("biases", "gradients"),
        formula=deep,
        left="change",
        known="false",
    )
)
register(
    Claim(
        id="spectral-relative-trust",
        kind="model",
        quantity=DESCENT,
        statement="‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ Π(1 + ρ_k) − 1 for all l",
        source="this project",
        hypotheses=("biases", "gradients"),
        formula=spectral,
        left="change",
        known="false",
    )
)
register(
    Claim(
        id="spectral-relative-trust.constant",
        kind="theorem",
        quantity=DESCENT,
        statement="‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F ≤ C_l[(1 + γ)Π_{k≥l} (β/α)·Π_{k≠l} (1 + ρ_k) − 1] for all l",
        source="this project, proofs_checks/coq/Gradient.v",
        hypotheses=("biases", "gradients", "transmission", "conditioning-w", "widths", "one-input"),
        formula=constant_trust,
        left="change",
        known="true",
    )
)
