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
