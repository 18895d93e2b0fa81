"""False variants of the descent claims, one error each, and true ones that must survive."""

import drt


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_half(m):
    """Lemma 1 with half of the maximum over t."""
    return 0.5 * drt.sum(m.lever * m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_0_9(m):
    """Lemma 1, 0.9 times."""
    return 0.9 * drt.sum(m.lever * m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_end(m):
    """Lemma 1 with the change at t = 1 for the maximum over t."""
    return drt.sum(m.lever * m.step_change)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_largest_layer(m):
    """Lemma 1 with the largest layer for the sum over layers."""
    return drt.maximum(m.lever * m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_first_layer(m):
    """Lemma 1 with the first layer alone."""
    return (m.lever * m.breakdown)[..., 0]


@drt.bound(quantity="descent", left="excess", hypotheses=())
def condition4_without_bracket(m):
    """Condition (4) without asking for it: every step along a descent direction lowers the loss."""
    return drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


@drt.bound(quantity="descent", left="excess", hypotheses=("step-size",))
def lemma2_tenth(m):
    """Lemma 2 without its model, and the loss may fall to a tenth of its tangent only."""
    return 0.9 * drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


@drt.bound(quantity="descent", hypotheses=())
def trust_twice(m):
    """Deep relative trust, twice."""
    return 2 * drt.product_minus_one(m.delta)


@drt.bound(quantity="descent", hypotheses=())
def trust_squared(m):
    """Deep relative trust with two factors a layer."""
    return drt.exp(2 * drt.sum(drt.log1p(m.delta))) - 1


@drt.bound(quantity="descent", hypotheses=())
def trust_sum(m):
    """Deep relative trust with a sum for the product."""
    return drt.sum(m.delta)


@drt.bound(quantity="descent", hypotheses=())
def trust_kappa(m):
    """Deep relative trust with the constant of Theorem 1."""
    return (m.beta / m.alpha * m.kappa**2) ** m.depth * drt.product_minus_one(m.delta)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_mean_0_99(m):
    """Lemma 1 with the mean over the segment, 0.99 times."""
    return 0.99 * drt.sum(m.lever * m.mean_breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def true_lemma1_mean(m):
    """Lemma 1 with the mean over the segment, one percent more."""
    return 1.01 * drt.sum(m.lever * m.mean_breakdown)


TRUSTED = ("step-size", "trust")


@drt.bound(quantity="descent", left="excess", hypotheses=TRUSTED)
def lemma2_half_lost(m):
    """Lemma 2, and the loss falls by six tenths of its tangent."""
    return 0.4 * drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


@drt.bound(
    quantity="descent",
    left="excess",
    hypotheses=("transmission", "conditioning-w", "step-size-constant", "trust-constant"),
)
def lemma2_constant_half_lost(m):
    """Lemma 2 with its constant, and the loss falls by two thirds of its tangent."""
    return drt.maximum(drt.sum(m.lever * m.cosines), 0.0) / 3


@drt.bound(quantity="descent", left="excess", hypotheses=("step-size-mean", "trust"))
def lemma2_mean_0_9(m):
    """Lemma 2 with the mean, and the loss falls by a tenth of its tangent."""
    return 0.9 * drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


@drt.bound(quantity="descent", left="excess", hypotheses=("bracket",))
def condition4_0_9(m):
    """Condition (4), and the loss falls by a tenth of its tangent."""
    return 0.9 * drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def lemma1_0_999(m):
    """Lemma 1, 0.999 times: near its kinks only is the maximum over t attained for as long."""
    return 0.999 * drt.sum(m.lever * m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=TRUSTED)
def true_lemma2_half(m):
    """Lemma 2, and the loss falls by half of its tangent: the change grows with t at least in proportion."""
    return 0.5 * drt.maximum(drt.sum(m.lever * m.cosines), 0.0)


GRADIENT = ("transmission", "conditioning-w", "widths", "one-input")


def constant(m):
    """Π (β/α)·κ(W_k)."""
    return drt.prod(m.betas / m.alphas * m.kappa_w)


def growth(m, gamma, rho):
    """(1 + γ)·Π (β/α)(1 + ρ_k) − 1."""
    return drt.expm1(drt.log1p(gamma) + drt.sum(drt.log1p(rho)) + drt.sum(drt.log(m.betas / m.alphas)))


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_without_gamma(m):
    """What is true of relative trust, the change of ∂𝓛/∂f forgotten."""
    return constant(m) * growth(m, 0 * m.gamma, m.rho)


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_without_kappa(m):
    """What is true of relative trust, without condition numbers."""
    return drt.prod(m.betas / m.alphas) * growth(m, m.gamma, m.rho)


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_without_slopes(m):
    """What is true of relative trust, without β/α."""
    return drt.prod(m.kappa_w) * drt.expm1(drt.log1p(m.gamma) + drt.sum(drt.log1p(m.rho)))


@drt.bound(quantity="descent", hypotheses=GRADIENT[:2] + GRADIENT[3:])
def gradient_any_widths(m):
    """What is true of relative trust, for any widths."""
    return constant(m) * growth(m, m.gamma, m.rho)


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_gamma_added(m):
    """What is true of relative trust, γ added in place of multiplied."""
    return constant(m) * growth(m, 0 * m.gamma, m.rho) + m.gamma


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_sum(m):
    """What is true of relative trust, with a sum for the product."""
    return constant(m) * (m.gamma + drt.sum(m.rho) + drt.expm1(drt.sum(drt.log(m.betas / m.alphas))))


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def gradient_first_layer_forgotten(m):
    """What is true of relative trust, without the first layer's ρ."""
    return constant(m) * growth(m, m.gamma, m.rho[..., 1:])


@drt.bound(quantity="descent", hypotheses=GRADIENT)
def true_gradient(m):
    """What is true of relative trust, with every layer's κ, β/α and ρ."""
    return constant(m) * growth(m, m.gamma, m.rho)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def true_lemma1_twice(m):
    """Lemma 1, weakened."""
    return 2 * drt.sum(m.lever * m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=())
def true_lemma1_worst(m):
    """Lemma 1 with the worst layer's change for all."""
    return drt.sum(m.lever) * drt.maximum(m.breakdown)


@drt.bound(quantity="descent", left="excess", hypotheses=("bracket",))
def true_condition4(m):
    """Condition (4)."""
    return drt.sum(m.lever * m.cosines)
