"""Hypotheses of the descent claims. What is asked of every t ∈ [0, 1] was evaluated at many: `certain` says where it is known."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from drt.descent.measurement import Descent
from drt.descent.rounding import cosine_error
from drt.descent.trust import certainly_trusted, growth_error
from drt.measurement.measurement import Measurement
from drt.numeric.numbers import Number, log_product_minus_one
from drt.theory.hypotheses import Hypothesis, hypotheses


def _descent(m: Measurement) -> Descent:
    return cast(Descent, m)


def log_constant(m: Measurement) -> Tensor:
    """The logarithm of C, C = (β/α·κ²)^L with κ = max_l κ(W_l)."""
    ratio = math.log(m.beta / m.alpha) if m.alpha > 0 else math.inf
    return m.depth * (ratio + 2 * torch.log(m.kappa_w.amax(-1)))


def _moving(m: Descent, met: Tensor) -> Tensor:
    """A condition on every layer that moves."""
    return (met | (m.norm_step == 0)).all(-1)


def _one_input(m: Descent) -> bool:
    return m.x.shape[-2] == 1 or bool((m.alphas == m.betas).all())


def _bracket(m: Descent) -> Tensor:
    return _moving(m, m.cosines > m.largest)


def _bracket_certain(m: Descent) -> Tensor:
    return _moving(m, m.cosines - cosine_error(m) > m.largest_upper)


def _bracket_why(m: Descent, index: tuple[int, ...]) -> str:
    gap = (m.cosines - m.largest)[index].masked_fill(m.norm_step[index] == 0, torch.inf)
    layer = int(gap.argmin())
    return f"layer {layer + 1}: cos θ = {m.cosines[index][layer]:.3g}, change in gradient {m.largest[index][layer]:.3g}"


def _below(m: Descent, log_c: Tensor, cosines: Tensor, log_error: float = 0.0) -> Tensor:
    """(1 + η)^L − 1 < cos θ/C, in logarithms, with the largest δ for η."""
    left = torch.log(torch.expm1(m.depth * torch.log1p(m.eta))) + log_c
    return _moving(m, left.unsqueeze(-1) + log_error < torch.log(cosines.clamp(min=0)))


def mean_growth(depth: int, eta: Number) -> Number:
    """∫₀¹ [(1 + tη)^L − 1] dt = [(1 + η)^{L+1} − 1]/((L+1)η) − 1, without cancellation: Σ_k (L choose k)·η^k/(k+1), k = 1 … L."""
    total: Number = 0 * eta
    for k in range(depth, 0, -1):
        total = (total + math.comb(depth, k) / (k + 1)) * eta
    return total


def _mean_below(m: Descent, cosines: Tensor, error: float = 0.0) -> Tensor:
    return _moving(m, mean_growth(m.depth, m.eta).unsqueeze(-1) * (1 + error) < cosines)


def _mean_certain(m: Descent) -> Tensor:
    return _mean_below(m, m.cosines - cosine_error(m), growth_error(m, torch.zeros_like(m.eta)))


def _mean_why(m: Descent, index: tuple[int, ...]) -> str:
    cosine = m.cosines[index].masked_fill(m.norm_step[index] == 0, 1.0).amin()
    return f"η = {m.eta[index]:.3g}: mean change {mean_growth(m.depth, m.eta[index]):.3g}, cos θ = {cosine:.3g}"


def _small_steps_certain(m: Descent, log_c: Tensor) -> Tensor:
    return _below(m, log_c, m.cosines - cosine_error(m), growth_error(m, log_c))


def _small_steps_why(m: Descent, index: tuple[int, ...], log_c: Tensor) -> str:
    cosine = m.cosines[index].masked_fill(m.norm_step[index] == 0, 1.0).amin()
    allowed = torch.expm1(torch.log1p(cosine.clamp(min=0) * torch.exp(-log_c)) / m.depth)
    return f"η = {m.eta[index]:.3g}, allowed are {allowed:.3g} (cos θ = {cosine:.3g})"


def _trusted(m: Descent, log_c: Tensor) -> Tensor:
    t, change = m.evaluated
    trust = log_product_minus_one(t.unsqueeze(-1) * m.delta)
    return (torch.log(change.amax(-1)) <= trust + log_c).all(0)


def _trusted_why(m: Descent, index: tuple[int, ...], log_c: Tensor) -> str:
    t, change = (v.movedim(0, len(index))[index] for v in m.evaluated)
    trust = torch.exp(log_product_minus_one(t.unsqueeze(-1) * m.delta[index]) + log_c)
    # Of points that rounding alone tells apart the last is named.
    worst = int((change.amax(-1) / trust * (1 + 1e-9 * t)).argmax())
    return f"change in gradient {change[worst].max():.3g} > {trust[worst]:.3g} at t = {t[worst]:.3g}"


def _log_one(m: Measurement) -> Tensor:
    return torch.zeros(m.batch_shape, dtype=torch.float64, device=m.device)


for hypothesis in (
    Hypothesis(
        "gradients",
        "g_l ≠ 0 in every layer, and some ΔW_l ≠ 0",
        lambda m: (_descent(m).norm_g > 0).all(-1) & (_descent(m).norm_step > 0).any(-1),
        lambda m, index: "a layer's gradient is zero, or nothing moves",
    ),
    Hypothesis(
        "one-input",
        "one input, or φ linear (α_l = β_l) in every layer",
        lambda m: torch.full(m.batch_shape, _one_input(_descent(m)), device=m.device),
        lambda m, index: f"{_descent(m).x.shape[-2]} inputs, and φ is not linear",
    ),
    Hypothesis(
        "bracket",
        "cos θ_l > max_t ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F in every layer that moves",
        lambda m: _bracket(_descent(m)),
        lambda m, index: _bracket_why(_descent(m), index),
        certain=lambda m: _bracket_certain(_descent(m)),
    ),
):
    hypotheses[hypothesis.name] = hypothesis

hypotheses["step-size-mean"] = Hypothesis(
    "step-size-mean",
    "δ_l ≤ η, [(1 + η)^{L+1} − 1]/((L + 1)η) − 1 < cos θ_l for all l",
    lambda m: _mean_below(_descent(m), _descent(m).cosines),
    lambda m, index: _mean_why(_descent(m), index),
    certain=lambda m: _mean_certain(_descent(m)),
)

for suffix, log_c, factor, ratio in (
    ("", _log_one, "", ""),
    ("-constant", log_constant, " with the factor C = (β/α·κ²)^L", "/C"),
):
    hypotheses[f"trust{suffix}"] = Hypothesis(
        f"trust{suffix}",
        f"deep relative trust holds on the segment{factor}",
        lambda m, log_c=log_c: _trusted(_descent(m), log_c(m)),  # type: ignore[misc]
        lambda m, index, log_c=log_c: _trusted_why(_descent(m), index, log_c(m)[index]),  # type: ignore[misc]
        certain=lambda m, log_c=log_c: certainly_trusted(_descent(m), log_c(m)),  # type: ignore[misc]
    )
    hypotheses[f"step-size{suffix}"] = Hypothesis(
        f"step-size{suffix}",
        f"δ_l ≤ η < (1 + cos θ_l{ratio})^{{1/L}} − 1 for all l",
        lambda m, log_c=log_c: _below(_descent(m), log_c(m), _descent(m).cosines),  # type: ignore[misc]
        lambda m, index, log_c=log_c: _small_steps_why(_descent(m), index, log_c(m)[index]),  # type: ignore[misc]
        certain=lambda m, log_c=log_c: _small_steps_certain(_descent(m), log_c(m)),  # type: ignore[misc]
    )
