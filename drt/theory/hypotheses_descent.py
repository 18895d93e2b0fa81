"""Hypotheses of the descent claims. What is asked of every t ∈ [0, 1] was evaluated at many: `certain` says where it is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from drt.descent.measurement import Descent
from drt.descent.trust import certainly_trusted, growth_error
from drt.numeric.numbers import Number, expm1, finite, log1p, maximum, per_layer, product_minus_one
from drt.theory.base import evaluate, logarithm
from drt.theory.hypotheses import Hypothesis, hypotheses

LogConstant = Callable[[Descent], Tensor]
Why = Callable[[Any, tuple[int, ...]], str]


def constant(m: Any) -> Number:
    """C = (β/α·κ²)^L with κ = max_l κ(W_l): the constant of Theorem 1 that deep relative trust leaves out."""
    return (maximum(m.betas) * maximum(1 / m.alphas) * maximum(m.kappa_w) ** 2) ** m.depth


def log_constant(m: Descent) -> Tensor:
    """Its logarithm, which does not overflow."""
    return logarithm(evaluate(constant, m)).expand(m.batch_shape)


def _log_one(m: Descent) -> Tensor:
    return torch.zeros(m.batch_shape, dtype=torch.float64, device=m.device)


def _moving(m: Any, met: Any) -> Any:
    """A condition on every layer that moves."""
    return (met | (m.norm_step == 0)).all(-1)


def _one_input(m: Any) -> Any:
    return (m.inputs == 1) | (m.alphas == m.betas).all(-1)


def _bracket(m: Any) -> Any:
    return _moving(m, m.cosines > m.breakdown)


def _bracket_certain(m: Descent) -> Tensor:
    return _moving(m, m.inflated(-1).cosines > m.changes.largest_upper)


def _bracket_why(m: Descent, index: tuple[int, ...]) -> str:
    gap = (m.cosines - m.breakdown)[index].masked_fill(m.norm_step[index] == 0, torch.inf)
    layer = int(gap.argmin())
    change = m.breakdown[index][layer]
    return f"layer {layer + 1}: cos θ = {m.cosines[index][layer]:.3g}, change in gradient {change:.3g}"


def growth(m: Any) -> Number:
    """(1 + η)^L − 1."""
    return expm1(m.depth * log1p(m.eta))


def growth_with_constant(m: Any) -> Number:
    """C·[(1 + η)^L − 1]."""
    return constant(m) * growth(m)


def mean_growth(depth: Any, eta: Number) -> Number:
    """∫₀¹ [(1 + tη)^L − 1] dt = [(1 + η)^{L+1} − 1]/((L+1)η) − 1, without cancellation: Σ_k (L choose k)·η^k/(k+1), k = 1 … L."""
    if not isinstance(depth, int):  # a depth in other numbers, which know the closed form
        return eta.mean_growth(depth)
    total: Number = 0 * eta
    for k in range(depth, 0, -1):
        total = (total + math.comb(depth, k) / (k + 1)) * eta
    return total


def _mean_growth(m: Any) -> Number:
    return mean_growth(m.depth, m.eta)


def _step_size(name: str, statement: str, grows: Callable[[Any], Number], log_c: LogConstant, why: Why) -> Hypothesis:
    """What η makes of the gradient is below the cosine of every layer that moves."""

    def met(m: Any) -> Any:
        return finite(m.eta) & _moving(m, per_layer(grows(m)) < m.cosines)

    def certain(m: Descent) -> Tensor:
        upper = per_layer(grows(m) * (1 + growth_error(m, log_c(m))))
        return _moving(m, upper < m.inflated(-1).cosines)

    return Hypothesis(name, statement, met, why, certain=certain)


def _mean_why(m: Descent, index: tuple[int, ...]) -> str:
    cosine = m.cosines[index].masked_fill(m.norm_step[index] == 0, 1.0).amin()
    return f"η = {m.eta[index]:.3g}: mean change {mean_growth(m.depth, m.eta[index]):.3g}, cos θ = {cosine:.3g}"


def _why_not_below(log_c: LogConstant) -> Why:
    def why(m: Descent, index: tuple[int, ...]) -> str:
        cosine = m.cosines[index].masked_fill(m.norm_step[index] == 0, 1.0).amin()
        allowed = torch.expm1(torch.log1p(cosine.clamp(min=0) * torch.exp(-log_c(m)[index])) / m.depth)
        return f"η = {m.eta[index]:.3g}, allowed are {allowed:.3g} (cos θ = {cosine:.3g})"

    return why


def trust(m: Any, t: Number) -> Number:
    """Π_k (1 + tδ_k) − 1: how much deep relative trust lets the gradient change at W + tΔW."""
    return product_minus_one(per_layer(t) * m.delta)


def trust_with_constant(m: Any, t: Number) -> Number:
    """C·[Π_k (1 + tδ_k) − 1]."""
    return constant(m) * trust(m, t)


def _trust(name: str, statement: str, allowed: Callable[[Any, Number], Number], log_c: LogConstant) -> Hypothesis:
    """The gradient changes by no more than is allowed, at every t of the segment."""

    def met(m: Descent) -> Tensor:
        t, change = m.changes.evaluated
        return (change.amax(-1) <= allowed(m, t)).all(0)

    def why(m: Descent, index: tuple[int, ...]) -> str:
        t, change = m.changes.evaluated
        at, moved, most = (v.movedim(0, len(index))[index] for v in (t, change, allowed(m, t)))
        # Of points that rounding alone tells apart the last is named.
        worst = int((moved.amax(-1) / most * (1 + 1e-9 * at)).argmax())
        return f"change in gradient {moved[worst].max():.3g} > {most[worst]:.3g} at t = {at[worst]:.3g}"

    return Hypothesis(name, statement, met, why, certain=lambda m: certainly_trusted(m, log_c(m)), allowed=allowed)


for hypothesis in (
    Hypothesis(
        "gradients",
        "g_l ≠ 0 in every layer, and some ΔW_l ≠ 0",
        lambda m: (m.norm_g > 0).all(-1) & (m.norm_step > 0).any(-1),
        lambda m, index: "a layer's gradient is zero, or nothing moves",
    ),
    Hypothesis(
        "one-input",
        "one input, or φ linear (α_l = β_l) in every layer",
        _one_input,
        lambda m, index: f"{m.inputs} inputs, and φ is not linear",
    ),
    Hypothesis(
        "bracket",
        "cos θ_l > max_t ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F in every layer that moves",
        _bracket,
        _bracket_why,
        certain=_bracket_certain,
    ),
    _step_size("step-size", "δ_l ≤ η < (1 + cos θ_l)^{1/L} − 1 for all l", growth, _log_one, _why_not_below(_log_one)),
    _step_size(
        "step-size-constant",
        "δ_l ≤ η < (1 + cos θ_l/C)^{1/L} − 1 for all l",
        growth_with_constant,
        log_constant,
        _why_not_below(log_constant),
    ),
    _step_size(
        "step-size-mean",
        "δ_l ≤ η, [(1 + η)^{L+1} − 1]/((L + 1)η) − 1 < cos θ_l for all l",
        _mean_growth,
        _log_one,
        _mean_why,
    ),
    _trust("trust", "deep relative trust holds on the segment", trust, _log_one),
    _trust(
        "trust-constant",
        "deep relative trust holds on the segment with the factor C = (β/α·κ²)^L",
        trust_with_constant,
        log_constant,
    ),
):
    hypotheses[hypothesis.name] = hypothesis
