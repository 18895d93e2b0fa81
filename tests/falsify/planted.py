"""False variants of the claims, each an error that somebody could make, and true ones that must survive."""

from __future__ import annotations

import drt

FULL = ("transmission", "conditioning", "widths")
SPECTRAL = ("transmission", "conditioning-w", "widths")


@drt.hypothesis
def widths_above_first(m):
    """n_1 ≤ … ≤ n_L: off by one, the first layer may contract."""
    return all(a <= b for a, b in zip(m.widths[1:], m.widths[2:], strict=False))


@drt.hypothesis
def widths_below_last(m):
    """n_0 ≤ … ≤ n_{L−1}: off by one, the last layer may contract."""
    return all(a <= b for a, b in zip(m.widths[:-1], m.widths[1:-1], strict=False))


@drt.hypothesis
def bulge(m):
    """Never falling, then never rising: the wrong way round."""
    top = m.widths.index(max(m.widths))
    rising = all(a <= b for a, b in zip(m.widths[:top], m.widths[1 : top + 1], strict=False))
    return rising and all(a >= b for a, b in zip(m.widths[top:], m.widths[top + 1 :], strict=False))


@drt.hypothesis
def tiny(m):
    """Stands for "δ small enough": checked by the range of δ that the test attacks."""
    return True


def ratio(m):
    """β/α."""
    return m.beta / m.alpha


def slopes(m, d):
    """Π (β/α)(1 + d) − 1."""
    return drt.product_minus_one(ratio(m) * d + (ratio(m) - 1))


# --- functions, false -------------------------------------------------------------------------------------------------


@drt.bound("function", FULL)
def kappa_power_0(m):
    """κ left out."""
    return ratio(m) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def kappa_power_1(m):
    """κ^L for κ^{2L}."""
    return (ratio(m) * m.kappa) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def kappa_power_1_when_deep(m):
    """κ^{2L} at L ≤ 2, κ^L beyond."""
    return ratio(m) ** m.depth * m.kappa ** (2 * m.depth if m.depth <= 2 else m.depth) * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def kappa_power_1_9(m):
    """κ^{1.9}: only wide layers tell."""
    return (ratio(m) * m.kappa**1.9) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def only_for_two_units(m):
    """κδ at L = 1, true for n ≤ 2."""
    return ratio(m) ** m.depth * m.kappa ** (1 if m.depth == 1 else 2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def slopes_dropped(m):
    """β/α left out."""
    return m.kappa ** (2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def slopes_one_short(m):
    """(β/α)^{L−1}."""
    return ratio(m) ** (m.depth - 1) * m.kappa ** (2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def sum_for_product(m):
    """Σδ for Π(1 + δ) − 1."""
    return (ratio(m) * m.kappa**2) ** m.depth * m.delta.sum(-1)


@drt.bound("function", FULL)
def last_layer_missing(m):
    """The product without layer L."""
    return (ratio(m) * m.kappa**2) ** m.depth * (drt.product_minus_one(m.delta[..., :-1]) + 1e-9 * m.delta[..., -1])


@drt.bound("function", FULL)
def first_layer_missing(m):
    """The product without layer 1."""
    return (ratio(m) * m.kappa**2) ** m.depth * (drt.product_minus_one(m.delta[..., 1:]) + 1e-9 * m.delta[..., 0])


@drt.bound("function", FULL)
def kappa_of_w_only(m):
    """κ over the W_l where ΔW's is needed."""
    return (ratio(m) * drt.maximum(m.kappa_w) ** 2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def kappa_without_dw(m):
    """κ over W_l and W̃_l, not ΔW_l."""
    kappa = drt.maximum(drt.maximum(m.kappa_w, m.kappa_wt))
    return (ratio(m) * kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", SPECTRAL)
def frobenius_for_spectral(m):
    """δ where the spectral bound has ρ."""
    return drt.prod(ratio(m) * m.kappa_w) * drt.product_minus_one(m.delta)


@drt.bound("function", SPECTRAL)
def spectral_square_root(m):
    """√κ(W_l)."""
    return drt.prod(ratio(m) * drt.sqrt(m.kappa_w)) * drt.product_minus_one(m.rho)


@drt.bound("function", SPECTRAL)
def spectral_last_kappa_missing(m):
    """κ(W_l) of every layer but the last."""
    return ratio(m) ** m.depth * drt.prod(m.kappa_w[..., :-1]) * drt.product_minus_one(m.rho)


@drt.bound("function", ("transmission", "conditioning"))
def widths_dropped(m):
    """Theorem 1 (a) as stated."""
    return (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", ("transmission", "conditioning", "widths_above_first"))
def widths_off_by_one_below(m):
    """The first layer may contract."""
    return (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", ("transmission", "conditioning", "widths_below_last"))
def widths_off_by_one_above(m):
    """The last layer may contract."""
    return (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", ("relu", "conditioning", "widths"))
def relu_slopes(m):
    """α = β = ½ for ReLU."""
    return m.kappa ** (2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("function", (*FULL, "-biases"))
def biases_allowed(m):
    """Theorem 1 (a) with biases."""
    return (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def nine_tenths(m):
    """0.9 of Theorem 1 (a)."""
    return 0.9 * (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", SPECTRAL)
def ninety_nine_hundredths(m):
    """0.99 of the spectral bound."""
    return 0.99 * drt.prod(ratio(m) * m.kappa_w) * drt.product_minus_one(m.rho)


@drt.bound("function", FULL)
def only_for_small_delta(m):
    """Linearised, with 10 % to spare."""
    return 1.1 * (ratio(m) * m.kappa**2) ** m.depth * m.delta.sum(-1)


@drt.bound("function", (), left="absolute")
def telescoping_untilded(m):
    """‖W_k‖ for ‖W̃_k‖ in the telescoping sum."""
    total = m.betas[0] * m.norm_dwh[..., 0]
    for k in range(1, m.depth):
        total = m.betas[k] * (m.norm_w[..., k] * total + m.norm_dwh[..., k])
    return total


@drt.bound("function", (), left="absolute")
def norm_product_frobenius(m):
    """δ for ρ in the product of the norms."""
    return drt.prod(m.betas * m.norm_w) * m.norm_x * drt.product_minus_one(m.delta)


@drt.bound("function", ("lipschitz",), left="absolute")
def neyshabur_any_size(m):
    """Neyshabur et al. without ρ_l ≤ 1/L."""
    return 2.718281828 * m.norm_x * drt.prod(m.norm_w) * drt.sum(m.rho)


@drt.bound("function", ("small", "lipschitz"), left="absolute")
def neyshabur_constant_1(m):
    """1 for e."""
    return m.norm_x * drt.prod(m.norm_w) * drt.sum(m.rho)


# --- Jacobians, false -------------------------------------------------------------------------------------------------


@drt.bound("jacobian", FULL)
def jacobian_kappa_power_0(m):
    """κ left out."""
    return slopes(m, m.delta)


@drt.bound("jacobian", FULL)
def jacobian_kappa_half_short(m):
    """κ^{(n−1)/2}."""
    return m.kappa ** ((m.depth - 1) / 2) * slopes(m, m.delta)


@drt.bound("jacobian", FULL)
def jacobian_slopes_dropped(m):
    """β/α left out: a kink is crossed."""
    return m.kappa ** (2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("jacobian", FULL)
def jacobian_slopes_one_short(m):
    """(β/α)^{n−1}."""
    return m.kappa ** (2 * m.depth) * (ratio(m) ** (m.depth - 1) * drt.prod(1 + m.delta) - 1)


@drt.bound("jacobian", FULL)
def jacobian_sum(m):
    """Σ for Π."""
    return m.kappa ** (2 * m.depth) * (ratio(m) * m.delta + (ratio(m) - 1)).sum(-1)


@drt.bound("jacobian", FULL)
def jacobian_wrong_end(m):
    """The product over layers below the top."""
    return m.kappa ** (2 * m.depth) * slopes(m, m.delta[..., :-1]) + 1e-9 * m.delta[..., -1]


@drt.bound("jacobian", FULL)
def jacobian_range_off_by_one(m):
    """The product from layer l + 2."""
    return m.kappa ** (2 * m.depth) * slopes(m, m.delta[..., 1:]) + 1e-9 * m.delta[..., 0]


@drt.bound("jacobian", ("transmission", "conditioning"))
def jacobian_widths_dropped(m):
    """Theorem 1 (b) as stated."""
    return (ratio(m) * m.kappa**2) ** m.depth * slopes(m, m.delta)


@drt.bound("jacobian", ("transmission", "conditioning", "bulge"))
def jacobian_bulge(m):
    """A bulge for a valley."""
    return (ratio(m) * m.kappa**2) ** m.depth * slopes(m, m.delta)


@drt.bound("jacobian", FULL)
def jacobian_nine_tenths(m):
    """0.9 of the machine-checked form."""
    return 0.9 * m.kappa ** (2 * m.depth) * slopes(m, m.delta)


@drt.bound("jacobian", FULL)
def jacobian_ninety_nine_hundredths(m):
    """0.99 of the machine-checked form."""
    return 0.99 * m.kappa ** (2 * m.depth) * slopes(m, m.delta)


@drt.bound("jacobian", SPECTRAL)
def jacobian_frobenius_for_spectral(m):
    """Π (β/α)(1 + δ) − 1 with the κ(W_k) alone: rank-one changes of norm ρ slip through."""
    return slopes(m, 0.5 * m.delta)


@drt.bound("jacobian", ("relu", "conditioning", "widths"))
def jacobian_relu_slopes(m):
    """α = β = ½ for ReLU."""
    return m.kappa ** (2 * m.depth) * drt.product_minus_one(m.delta)


@drt.bound("jacobian", FULL)
def jacobian_strict_at_kinks(m):
    """No slope changes while δ < 10⁻³: "perturbations too small to cross a kink"."""
    change = drt.product_minus_one(m.delta)
    return m.kappa ** (2 * m.depth) * (
        change + (ratio(m) ** m.depth - 1) * -drt.maximum(-1e3 * drt.maximum(m.delta), -1.0)
    )


FALSE = {
    b.id: b
    for b in (
        kappa_power_0, kappa_power_1, kappa_power_1_when_deep, kappa_power_1_9, only_for_two_units, slopes_dropped,
        slopes_one_short, sum_for_product, last_layer_missing, first_layer_missing, kappa_of_w_only, kappa_without_dw,
        frobenius_for_spectral, spectral_square_root, spectral_last_kappa_missing, widths_dropped,
        widths_off_by_one_below, widths_off_by_one_above, relu_slopes, biases_allowed, nine_tenths,
        ninety_nine_hundredths, only_for_small_delta, telescoping_untilded, norm_product_frobenius, neyshabur_any_size,
        neyshabur_constant_1, jacobian_kappa_power_0, jacobian_kappa_half_short, jacobian_slopes_dropped,
        jacobian_slopes_one_short, jacobian_sum, jacobian_wrong_end, jacobian_range_off_by_one,
        jacobian_widths_dropped, jacobian_bulge, jacobian_nine_tenths, jacobian_ninety_nine_hundredths,
        jacobian_frobenius_for_spectral, jacobian_relu_slopes, jacobian_strict_at_kinks,
    )
}  # fmt: skip


# --- true variants ----------------------------------------------------------------------------------------------------


@drt.bound("function", FULL)
def true_one_percent_more(m):
    """1.01 of Theorem 1 (a)."""
    return 1.01 * (ratio(m) * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound("function", FULL)
def true_exponential(m):
    """exp(Σδ) − 1 ≥ Π(1 + δ) − 1."""
    return (ratio(m) * m.kappa**2) ** m.depth * drt.expm1(m.delta.sum(-1))


@drt.bound("function", FULL)
def true_kappa_form(m):
    """(β/α·κ)^L [Π(1 + κδ) − 1]."""
    return (ratio(m) * m.kappa) ** m.depth * drt.product_minus_one(m.kappa[..., None] * m.delta)


@drt.bound("function", SPECTRAL)
def true_spectral(m):
    """Π(β/α·κ(W_l)) [Π(1 + ρ_l) − 1]."""
    return drt.prod(ratio(m) * m.kappa_w) * drt.product_minus_one(m.rho)


@drt.bound("function", SPECTRAL)
def true_recursion(m):
    """r_l = (β/α)κ(W_l) [(1 + ρ_l) r_{l−1} + ρ_l], r_0 = 0."""
    r = ratio(m) * m.kappa_w[..., 0] * m.rho[..., 0]
    for k in range(1, m.depth):
        r = ratio(m) * m.kappa_w[..., k] * ((1 + m.rho[..., k]) * r + m.rho[..., k])
    return r


@drt.bound("function", (), left="absolute")
def true_telescoping(m):
    """The telescoping sum."""
    total = m.betas[0] * m.norm_dwh[..., 0]
    for k in range(1, m.depth):
        total = m.betas[k] * (m.norm_wt[..., k] * total + m.norm_dwh[..., k])
    return total


@drt.bound("function", ("small", "lipschitz"), left="absolute")
def true_neyshabur(m):
    """e − 1 suffices: (1 + 1/L)^L − 1 < e − 1."""
    return 1.7182818285 * m.norm_x * drt.prod(m.norm_w) * drt.sum(m.rho)


@drt.bound("jacobian", FULL)
def true_jacobian(m):
    """κ^{2n} [Π (β/α)(1 + δ) − 1]."""
    return m.kappa ** (2 * m.depth) * slopes(m, m.delta)


@drt.bound("jacobian", (*FULL, "-biases"))
def true_jacobian_with_biases(m):
    """The same with biases: a Jacobian sees only slopes."""
    return m.kappa ** (2 * m.depth) * slopes(m, m.delta)


@drt.bound("jacobian", SPECTRAL)
def true_spectral_jacobian(m):
    """Π κ(W_k) [Π (β/α)(1 + ρ_k) − 1]."""
    return drt.prod(m.kappa_w) * slopes(m, m.rho)


@drt.bound("jacobian", (*FULL, "lipschitz"))
def true_jacobian_loose(m):
    """Ten times too much."""
    return 10 * m.kappa ** (2 * m.depth) * slopes(m, m.delta)


TRUE = {
    b.id: b
    for b in (
        true_one_percent_more, true_exponential, true_kappa_form, true_spectral, true_recursion, true_telescoping,
        true_neyshabur, true_jacobian, true_jacobian_with_biases, true_spectral_jacobian, true_jacobian_loose,
    )
}  # fmt: skip
