"""Lemma 1 and condition (4), step by step, on small networks (`segment`).

    𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩ = ∫₀¹ Σ⟨g_l(t) − g_l, ΔW_l⟩ dt ≤ ∫₀¹ Σ‖g_l(t) − g_l‖‖ΔW_l‖ dt ≤ Σ max_t ‖g_l(t) − g_l‖·‖ΔW_l‖

is Lemma 1, as Σ⟨g_l, ΔW_l⟩ = −Σ‖g_l‖‖ΔW_l‖cos θ_l. The maximum is taken over the nodes of the integral, so it is at most
the true one: what holds here holds a fortiori. Condition (4) reads it backwards: the loss falls by at least
Σ‖g_l‖‖ΔW_l‖(cos θ_l − max_t ‖g_l(t) − g_l‖/‖g_l‖), where that is positive.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from drt.numeric.spectra import UNIT
from proofs_checks.chain import Chain, Ends, Setup, Step
from proofs_checks.segment import QUADRATURE_NODES, Segment, draw
from proofs_checks.terms import Log, Terms, log_of, plain


def _quadrature(s: Segment, nodes: int) -> tuple[Tensor, Tensor]:
    """(signed integral (B,), |integrand| times its weight (B, T))."""
    _, w, change = s.along(nodes)
    products = torch.stack([(c * dw).sum((-1, -2)) for c, dw in zip(change, s.dweights, strict=True)]).sum(0)
    return (w[:, None] * products).sum(0), (w[:, None] * products.abs()).T


def _left(s: Segment) -> Ends:
    """|𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩|."""
    error = s.rounding
    if s.activation != "identity":
        error = error + (_quadrature(s, QUADRATURE_NODES)[0] - _quadrature(s, QUADRATURE_NODES // 2)[0]).abs()
    log = log_of((-s.fall - s.slope).abs(), error)
    return log.value, *log.ends


def _start(s: Segment) -> Terms:
    _, w, change = s.along()
    sizes = torch.stack([torch.linalg.matrix_norm(c) for c in change], -1) * s.norms[1]  # (T, B, L)
    integrand = _quadrature(s, QUADRATURE_NODES)[1]
    return plain(
        {
            "mean": _rounded(integrand, s.rounding),
            "norms": _rounded((w[:, None, None] * sizes).permute(1, 0, 2).flatten(1), s.rounding),
            "largest": _rounded(sizes.amax(0), s.rounding),
        }
    )


def _rounded(terms: Tensor, error: Tensor) -> Log:
    """Each of T terms with its share of an error of their sum."""
    return log_of(terms, error.unsqueeze(-1).expand(terms.shape))


def _everywhere(s: Segment) -> Tensor:
    return (s.norms[0] > 0).all(-1)


def _draws(setup: Setup) -> Iterator[tuple[str, Segment]]:
    width = min(setup.width, 8)
    for activation in ("identity", "tanh_blend:0.5"):
        yield activation, draw(setup.batch, setup.depth, width, setup.delta, setup.seed, activation)


LEMMA1 = Chain(
    "lemma1",
    "𝓛(W+ΔW) − 𝓛(W) ≤ −Σ‖g_l‖‖ΔW_l‖[cos θ_l − max_t ‖g_l(W+tΔW) − g_l‖/‖g_l‖]",
    _left,
    _start,
    _everywhere,
    (
        Step(
            "mean value",
            "the loss is the integral of its slope over the segment",
            "mean value",
            (),
            lambda t: t.picked("mean"),
        ),
        Step(
            "Cauchy–Schwarz",
            "⟨g_l(t) − g_l, ΔW_l⟩ ≤ ‖g_l(t) − g_l‖_F ‖ΔW_l‖_F, layer by layer",
            "alignment",
            ("cauchy-schwarz",),
            lambda t: t.picked("norms"),
        ),
        Step(
            "mean at most maximum",
            "∫₀¹ ‖g_l(t) − g_l‖ dt ≤ max_t ‖g_l(t) − g_l‖",
            "mean value",
            ("mean-at-most-maximum",),
            lambda t: t.picked("largest"),
        ),
    ),
    _draws,
    layered=False,
)


def guaranteed(s: Segment) -> Tensor:
    """Σ‖g_l‖‖ΔW_l‖(cos θ_l − max_t …): what condition (4) promises the loss to fall by."""
    return (s.norms[0] * s.norms[1] * (s.cosines - s.breakdown.amax(0))).sum(-1)


def _promise(s: Segment) -> Ends:
    log = log_of(guaranteed(s).clamp(min=0), s.rounding + 64 * UNIT * (s.norms[0] * s.norms[1]).sum(-1))
    return log.value, *log.ends


def _fall(s: Segment) -> Terms:
    # A loss that rises has no logarithm: what it may at most have fallen by.
    least = torch.maximum(s.fall, 2 * s.rounding)
    return plain({"fall": log_of(least, s.rounding).column})


CONDITION4 = Chain(
    "condition4",
    "cos θ_l > max_t ‖g_l(t) − g_l‖/‖g_l‖ in every layer ⇒ the loss falls",
    _promise,
    _fall,
    lambda s: _everywhere(s) & (s.cosines > s.breakdown.amax(0)).all(-1),
    (
        Step(
            "Lemma 1",
            "the loss falls by at least what Lemma 1 leaves",
            "mean value",
            ("condition4",),
            lambda t: t.picked("fall"),
        ),
    ),
    _draws,
    layered=False,
)
CHAINS = (LEMMA1, CONDITION4)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
