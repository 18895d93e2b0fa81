"""Lemma 2, step by step: deep relative trust on the segment, and η < (1 + cos θ_l)^{1/L} − 1, keep condition (4).

    ‖g_l(t) − g_l‖/‖g_l‖ ≤ Π_k (1 + tδ_k) − 1 ≤ Π_k (1 + δ_k) − 1 ≤ (1 + η)^L − 1 < cos θ_l

The first step is the hypothesis, a *model*; it holds for products of scalars with a linear loss (Equation 3), the instances
drawn here. Where it fails (nearly always, for a squared loss) the lemma does not apply.

lemma2.mean: condition (4) asks for the largest change, but Lemma 1's integral only for the mean:

    ∫₀¹ ‖g_l(t) − g_l‖/‖g_l‖ dt ≤ ∫₀¹ [Π_k (1 + tδ_k) − 1] dt ≤ [(1 + η)^{L+1} − 1]/((L + 1)η) − 1 < cos θ_l

lemma2.constant: the same with the factor C = (β/α·κ²)^L, κ = max_l κ(W_l), before all but the first and the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from drt.network.activations import as_activation
from drt.numeric.numbers import log_product_minus_one
from drt.numeric.spectra import UNIT
from drt.theory.hypotheses_descent import mean_growth
from proofs_checks.chain import Chain, Ends, Setup, Step
from proofs_checks.segment import Segment, draw, draw_trusting
from proofs_checks.terms import Terms, exact, log_of, plain

ROUNDED_TIE = 1 + 1e-12  # the model's own ties: scalars attain it


def _delta(s: Segment) -> Tensor:
    return s.norms[1] / s.norms[2]


def _no_constant(s: Segment) -> Tensor:
    return s.norms[0].new_zeros(len(s.x))


def _log_constant(s: Segment) -> Tensor:
    """The logarithm of C, (B,)."""
    phi = as_activation(s.activation)
    kappa = torch.stack([torch.linalg.cond(w) for w in s.weights], -1).amax(-1)
    return len(s.weights) * (math.log(phi.beta / phi.alpha) + 2 * torch.log(kappa))


def _trust(s: Segment, log_c: Tensor) -> Tensor:
    """The logarithm of C[Π(1 + tδ_k) − 1], (T, B)."""
    t, _, _ = s.along()
    return log_c + log_product_minus_one(t[:, None, None] * _delta(s))


def _eta(s: Segment) -> Tensor:
    assert s.eta is not None
    return s.eta.unsqueeze(-1).expand(_delta(s).shape)


def _breakdown_error(s: Segment) -> Tensor:
    return (s.rounding / (s.norms[0] * s.norms[1]).amin(-1)).nan_to_num(nan=torch.inf)


def _trusts(s: Segment, log_c: Tensor) -> Tensor:
    return (s.breakdown <= torch.exp(_trust(s, log_c)).unsqueeze(-1) * ROUNDED_TIE).all(-1).all(0)


def _small(s: Segment) -> Tensor:
    return (_delta(s) <= _eta(s) * ROUNDED_TIE).all(-1)


def _left(s: Segment) -> Ends:
    log = log_of(s.breakdown.amax((0, -1)), _breakdown_error(s))
    return log.value, *log.ends


def _chain(claim: str, statement: str, constant: Callable[[Segment], Tensor], letter: str, activation: str) -> Chain:
    """The chain with the logarithm of a constant, `letter` before what it multiplies."""

    def start(s: Segment) -> Terms:
        log_c, rounding = constant(s), 64 * UNIT * torch.ones(len(s.x), 1).double()
        return plain(
            {
                "trust": exact(_trust(s, log_c).amax(0).unsqueeze(-1)),
                "whole": exact((log_c + log_product_minus_one(_delta(s))).unsqueeze(-1)),
                "eta": exact((log_c + log_product_minus_one(_eta(s))).unsqueeze(-1)),
                "angle": log_of(s.cosines.amin(-1, keepdim=True).clamp(min=0), rounding),
            }
        )

    def applicable(s: Segment) -> Tensor:
        depth, log_c = len(s.weights), constant(s)
        allowed = torch.expm1(torch.log1p(s.cosines.clamp(min=0) * torch.exp(-log_c).unsqueeze(-1)) / depth)
        return (s.norms[0] > 0).all(-1) & _trusts(s, log_c) & _small(s) & (_eta(s) < allowed).all(-1)

    def draws(setup: Setup) -> Iterator[tuple[str, Segment]]:
        trusting = draw_trusting(setup.batch, setup.depth, setup.delta, setup.seed, activation)
        yield f"scalars, linear loss, {activation}", trusting
        yield "squared loss", draw(setup.batch, setup.depth, min(setup.width, 8), min(setup.delta, 0.1), setup.seed)

    bound = f"cos θ_l{'/C' if letter else ''}"
    steps = (
        (
            "deep relative trust",
            f"‖g_l(t) − g_l‖/‖g_l‖ ≤ {letter}[Π(1 + tδ_k) − 1], the hypothesis",
            "model",
            (),
            "trust",
        ),
        ("monotone", "1 + tδ_k ≤ 1 + δ_k", "mean value", ("monotone-product",), "whole"),
        ("step size", "δ_k ≤ η", "model", ("monotone-product",), "eta"),
        (
            "step size",
            f"{letter}[(1 + η)^L − 1] < cos θ_l, as η < (1 + {bound})^{{1/L}} − 1",
            "model",
            ("monotone-product",),
            "angle",
        ),
    )
    return Chain(
        claim,
        statement,
        _left,
        start,
        applicable,
        tuple(
            Step(reason, text, part, names, lambda terms, key=key: terms.picked(key))  # type: ignore[misc]
            for reason, text, part, names, key in steps
        ),
        draws,
        layered=False,
    )


LEMMA2 = _chain(
    "lemma2",
    "deep relative trust on the segment and η < (1 + cos θ_l)^{1/L} − 1 ⇒ the loss falls",
    _no_constant,
    "",
    "identity",
)
CONSTANT = _chain(
    "lemma2.constant",
    "trust with C = (β/α·κ²)^L on the segment and η < (1 + cos θ_l/C)^{1/L} − 1 ⇒ the loss falls",
    _log_constant,
    "C",
    "leaky_relu:0.5",
)


def _mean_left(s: Segment) -> Ends:
    _, w, _ = s.along()
    log = log_of((w[:, None] * s.breakdown.amax(-1)).sum(0), _breakdown_error(s))
    return log.value, *log.ends


def _mean_start(s: Segment) -> Terms:
    _, w, _ = s.along()  # exact: the integrand is a polynomial of degree L
    trust = torch.logsumexp(torch.log(w)[:, None] + _trust(s, _no_constant(s)), 0)
    return plain(
        {
            "trust": exact(trust.unsqueeze(-1)),
            "eta": exact(torch.log(_allowed_mean(s)).unsqueeze(-1)),
            "angle": log_of(
                s.cosines.amin(-1, keepdim=True).clamp(min=0), 64 * UNIT * torch.ones(len(s.x), 1).double()
            ),
        }
    )


def _allowed_mean(s: Segment) -> Tensor:
    assert s.eta is not None
    return mean_growth(len(s.weights), s.eta)


def _mean_applicable(s: Segment) -> Tensor:
    return (s.norms[0] > 0).all(-1) & _trusts(s, _no_constant(s)) & _small(s) & (_allowed_mean(s) < s.cosines.amin(-1))


MEAN = Chain(
    "lemma2.mean",
    "deep relative trust on the segment and [(1 + η)^{L+1} − 1]/((L + 1)η) − 1 < cos θ_l ⇒ the loss falls",
    _mean_left,
    _mean_start,
    _mean_applicable,
    (
        Step(
            "deep relative trust",
            "∫‖g_l(t) − g_l‖/‖g_l‖ dt ≤ ∫[Π(1 + tδ_k) − 1] dt, the hypothesis",
            "model",
            (),
            lambda terms: terms.picked("trust"),
        ),
        Step(
            "step size",
            "δ_k ≤ η, and ∫[(1 + tη)^L − 1] dt = [(1 + η)^{L+1} − 1]/((L + 1)η) − 1",
            "model",
            ("monotone-product",),
            lambda terms: terms.picked("eta"),
        ),
        Step(
            "step size",
            "below cos θ_l: the hypothesis",
            "model",
            ("monotone-product",),
            lambda terms: terms.picked("angle"),
        ),
    ),
    LEMMA2.draws,
    layered=False,
)
CHAINS = (LEMMA2, MEAN, CONSTANT)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
