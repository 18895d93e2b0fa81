"""Hypotheses of the descent claims. What is asked of every t ∈ [0, 1] was evaluated at many: `certain` says where it is known."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from drt.descent import Descent
from drt.hypotheses import Hypothesis, hypotheses
from drt.measure import Measurement
from drt.numbers import log_product_minus_one

MARGIN = 1e-9  # of cosines and sizes: what their rounding errors stay far below


def _descent(m: Measurement) -> Descent:
    return cast(Descent, m)


def log_constant(m: Measurement) -> Tensor:
    """The logarithm of C, C = (β/α·κ²)^L with κ = max_l κ(W_l)."""
    ratio = torch.log(torch.tensor(m.beta, dtype=torch.float64)) - torch.log(torch.tensor(m.alpha, dtype=torch.float64))
    return m.depth * (ratio + 2 * torch.log(m.kappa_w.amax(-1)))


def _moving(m: Descent, met: Tensor) -> Tensor:
    """A condition on every layer that moves."""
    return (met | (m.norm_step == 0)).all(-1)


def _bracket(m: Descent, largest: Tensor, margin: float) -> Tensor:
    return _moving(m, m.cosines - margin > largest)


def _bracket_why(m: Descent, index: tuple[int, ...]) -> str:
    gap = (m.cosines - m.largest)[index].masked_fill(m.norm_step[index] == 0, torch.inf)
    layer = int(gap.argmin())
    return f"layer {layer + 1}: cos θ = {m.cosines[index][layer]:.3g}, change in gradient {m.largest[index][layer]:.3g}"


def _small_steps(m: Descent, log_c: Tensor, margin: float = 0.0) -> Tensor:
    # (1 + η)^L − 1 < cos θ/C, in logarithms, with the largest δ for η.
    left = torch.log(torch.expm1(m.depth * torch.log1p(m.eta))) + log_c
    return _moving(m, left.unsqueeze(-1) + margin < torch.log(m.cosines.clamp(min=0)))


def _small_steps_why(m: Descent, index: tuple[int, ...], log_c: Tensor) -> str:
    cosine = m.cosines[index].masked_fill(m.norm_step[index] == 0, 1.0).amin()
    allowed = torch.expm1(torch.log1p(cosine.clamp(min=0) * torch.exp(-log_c)) / m.depth)
    return f"η = {m.eta[index]:.3g}, allowed are {allowed:.3g} (cos θ = {cosine:.3g})"


def _trusted(m: Descent, log_c: Tensor) -> Tensor:
    t, change = m.evaluated
    trust = log_product_minus_one(t.unsqueeze(-1) * m.delta)
    return (torch.log(change.amax(-1)) <= trust + log_c).all(0)


def _trusted_why(m: Descent, index: tuple[int, ...]) -> str:
    t, change = (v.movedim(0, len(index))[index] for v in m.evaluated)
    trust = torch.exp(log_product_minus_one(t.unsqueeze(-1) * m.delta[index]))
    worst = int((change.amax(-1) / trust * (1 + MARGIN * t)).argmax())  # of ties the largest t
    return f"change in gradient {change[worst].max():.3g} > {trust[worst]:.3g} at t = {t[worst]:.3g}"


def _never(m: Measurement) -> Tensor:
    return torch.zeros(m.batch_shape, dtype=torch.bool)


def _none(m: Measurement) -> Tensor:
    return torch.zeros(m.batch_shape, dtype=torch.float64)


for hypothesis in (
    Hypothesis(
        "gradients",
        "g_l ≠ 0 in every layer, and some ΔW_l ≠ 0",
        lambda m: (_descent(m).norm_g > 0).all(-1) & (_descent(m).norm_step > 0).any(-1),
        lambda m, index: "a layer's gradient is zero, or nothing moves",
    ),
    Hypothesis(
        "bracket",
        "cos θ_l > max_t ‖g_l(W+tΔW) − g_l‖_F/‖g_l‖_F in every layer that moves",
        lambda m: _bracket(_descent(m), _descent(m).largest, 0.0),
        lambda m, index: _bracket_why(_descent(m), index),
        certain=lambda m: _bracket(_descent(m), _descent(m).largest_upper, MARGIN),
    ),
    Hypothesis(
        "trust",
        "deep relative trust holds on the segment",
        lambda m: _trusted(_descent(m), _none(m)),
        lambda m, index: _trusted_why(_descent(m), index),
        certain=_never,
    ),
    Hypothesis(
        "trust-constant",
        "deep relative trust holds on the segment with the factor C = (β/α·κ²)^L",
        lambda m: _trusted(_descent(m), log_constant(m)),
        lambda m, index: _trusted_why(_descent(m), index),
        certain=_never,
    ),
    Hypothesis(
        "step-size",
        "δ_l ≤ η < (1 + cos θ_l)^{1/L} − 1 for all l",
        lambda m: _small_steps(_descent(m), _none(m)),
        lambda m, index: _small_steps_why(_descent(m), index, _none(m)[index]),
        certain=lambda m: _small_steps(_descent(m), _none(m), MARGIN),
    ),
    Hypothesis(
        "step-size-constant",
        "δ_l ≤ η < (1 + cos θ_l/C)^{1/L} − 1 for all l",
        lambda m: _small_steps(_descent(m), log_constant(m)),
        lambda m, index: _small_steps_why(_descent(m), index, log_constant(m)[index]),
        certain=lambda m: _small_steps(_descent(m), log_constant(m), MARGIN),
    ),
):
    hypotheses[hypothesis.name] = hypothesis
