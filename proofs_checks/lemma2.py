"""Lemma 2, step by step: deep relative trust on the segment, and η < (1 + cos θ_l)^{1/L} − 1, keep condition (4).

    ‖g_l(t) − g_l‖/‖g_l‖ ≤ Π_k (1 + tδ_k) − 1 ≤ Π_k (1 + δ_k) − 1 ≤ (1 + η)^L − 1 < cos θ_l

The first step is the hypothesis, a *model*; it holds for products of scalars with a linear loss (Equation 3), the instances
drawn here. Where it fails (nearly always, for a squared loss) the lemma does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from drt.numbers import log_product_minus_one
from drt.spectra import UNIT
from proofs_checks.chain import Chain, Ends, Setup, Step
from proofs_checks.segment import Segment, draw, draw_trusting
from proofs_checks.terms import Terms, exact, log_of, plain


def _delta(s: Segment) -> Tensor:
    return s.norms[1] / s.norms[2]


def _trust(s: Segment) -> Tensor:
    """log[Π(1 + tδ_k) − 1], (T, B)."""
    t, _, _ = s.along()
    return log_product_minus_one(t[:, None, None] * _delta(s))


def _eta(s: Segment) -> Tensor:
    assert s.eta is not None
    return s.eta.unsqueeze(-1).expand(_delta(s).shape)


def _breakdown_error(s: Segment) -> Tensor:
    return (s.rounding / (s.norms[0] * s.norms[1]).amin(-1)).nan_to_num(nan=torch.inf)


def _left(s: Segment) -> Ends:
    log = log_of(s.breakdown.amax((0, -1)), _breakdown_error(s))
    return log.value, *log.ends


def _start(s: Segment) -> Terms:
    return plain(
        {
            "trust": exact(_trust(s).amax(0).unsqueeze(-1)),
            "whole": exact(log_product_minus_one(_delta(s)).unsqueeze(-1)),
            "eta": exact(log_product_minus_one(_eta(s)).unsqueeze(-1)),
            "angle": log_of(
                s.cosines.amin(-1, keepdim=True).clamp(min=0), 64 * UNIT * torch.ones(len(s.x), 1).double()
            ),
        }
    )


def _applicable(s: Segment) -> Tensor:
    depth = len(s.weights)
    slack = 1 + 1e-12  # the model's own ties: scalars attain it
    trusts = (s.breakdown <= torch.exp(_trust(s)).unsqueeze(-1) * slack).all(-1).all(0)
    small = (_delta(s) <= _eta(s) * slack).all(-1)
    inside = (_eta(s) < (1 + s.cosines).clamp(min=0) ** (1 / depth) - 1).all(-1)
    return (s.norms[0] > 0).all(-1) & trusts & small & inside


def _draws(setup: Setup) -> Iterator[tuple[str, Segment]]:
    yield "scalars, linear loss", draw_trusting(setup.batch, setup.depth, setup.delta, setup.seed)
    yield "squared loss", draw(setup.batch, setup.depth, min(setup.width, 8), min(setup.delta, 0.1), setup.seed)


LEMMA2 = Chain(
    "lemma2",
    "deep relative trust on the segment and η < (1 + cos θ_l)^{1/L} − 1 ⇒ the loss falls",
    _left,
    _start,
    _applicable,
    (
        Step(
            "deep relative trust",
            "‖g_l(t) − g_l‖/‖g_l‖ ≤ Π(1 + tδ_k) − 1, the hypothesis",
            "model",
            (),
            lambda t: t.picked("trust"),
        ),
        Step("monotone", "1 + tδ_k ≤ 1 + δ_k", "mean value", ("monotone-product",), lambda t: t.picked("whole")),
        Step("step size", "δ_k ≤ η", "model", ("monotone-product",), lambda t: t.picked("eta")),
        Step(
            "step size",
            "(1 + η)^L − 1 < cos θ_l, as η < (1 + cos θ_l)^{1/L} − 1",
            "model",
            ("monotone-product",),
            lambda t: t.picked("angle"),
        ),
    ),
    _draws,
    layered=False,
)
CHAINS = (LEMMA2,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
