"""The steps that the proofs share, each a change of gains, and how a chain about a network is put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from drt.measurement.measurement import Measurement
from drt.numeric.numbers import log
from drt.theory.hypotheses import hypotheses
from drt.theory.registry import Claim, claims
from proofs_checks.chain import Chain, Setup, Step
from proofs_checks.instances import instances
from proofs_checks.path import measured
from proofs_checks.terms import Log, Terms, exact, log_sum

Kappa = Callable[[Measurement], Tensor]
# Chains about the same measurement start from the same sum.
_measured: WeakKeyDictionary[Measurement, dict[bool, Terms]] = WeakKeyDictionary()


def network_chain(claim_id: str, steps: Sequence[Step], kappa: Kappa | None = None) -> Chain:
    """The chain of a registered claim: q₀ is the claim's left side, q₁ the sum of what the layers add."""
    claim = claims[claim_id]
    assert isinstance(claim.left, str)
    side = claim.left

    def start(m: Measurement) -> Terms:
        known, relative = _measured.setdefault(m, {}), side == "relative"
        if relative not in known:
            known[relative] = measured(m, relative)
        terms = known[relative]
        return terms if kappa is None else replace(terms, numbers={**terms.numbers, "κ": log_kappa(m, kappa)})

    return Chain(
        claim_id, claim.statement, lambda m: m.log_left(side), start, partial(applicable, claim), tuple(steps),
        partial(draws, claim),
    )  # fmt: skip


def applicable(claim: Claim, m: Measurement) -> Tensor:
    """Where all hypotheses of the claim are met."""
    return torch.stack([hypotheses[name].met(m).expand(m.batch_shape) for name in claim.hypotheses]).all(0)


def draws(claim: Claim, setup: Setup) -> Iterator[tuple[str, Measurement]]:
    """The measurements that the claim is about, of every instance of a setup; for Jacobians l = 0."""
    for label, instance in instances(setup, scalars="scalars" in claim.hypotheses):
        yield label, Measurement.of(instance, claim.quantity)


def log_kappa(m: Measurement, kappa: Kappa) -> Log:
    """The logarithm of κ, the same for every layer, between its ends."""
    value, upper, lower = (log(kappa(view)).unsqueeze(-1) for view in (m, m.inflated(1), m.inflated(-1)))
    error = torch.maximum(upper - value, value - lower).detach().nan_to_num(nan=torch.inf)
    wide = (*m.batch_shape, m.depth)
    return Log(value.expand(wide), (error + exact(value).error).expand(wide))


ALIGNED = Step(
    "triangle inequality",
    "the change is at most the sum of the norms of what each layer adds to it",
    "alignment",
    ("cauchy-schwarz", "triangle"),
    lambda t: t,
)


def _slopes_up(t: Terms) -> Terms:
    beta = t.numbers["β"]
    return t.put("slopes", above=beta, own=beta, slopes=t.numbers["β−α"])


TRANSMITTED = Step(
    "transmission",
    "φ multiplies the change by at most β; φ' changes by at most β − α",
    "β/α",
    ("slope-at-most", "slope-change"),
    _slopes_up,
)
CARRIED = Step(
    "operator norm",
    "‖W̃_k v‖ ≤ ‖W̃_k‖₂‖v‖ for what comes from below",
    "alignment",
    ("operator-norm",),
    lambda t: t.put("matrices", above=t.numbers["‖W̃‖"]),
)
SOURCES = Step(
    "operator norm",
    "‖ΔW_l h‖ ≤ ‖ΔW_l‖₂‖h‖ for what layer l adds",
    "alignment",
    ("operator-norm",),
    lambda t: t.put("matrices", own=t.numbers["‖ΔW‖"], slopes=t.numbers["‖W‖"]),
)
SPLIT = Step(
    "triangle inequality",
    "‖W̃_k‖₂ ≤ ‖W_k‖₂ + ‖ΔW_k‖₂",
    "alignment",
    ("triangle",),
    lambda t: t.put("matrices", above=t.numbers["‖W‖+‖ΔW‖"]),
)


def _signal_slopes(t: Terms) -> Terms:
    if t.relative:
        alpha = t.numbers["α"] * -1
        return t.put("signal slopes", above=alpha, own=alpha)
    return t.put("signal slopes", kept=t.numbers["β"])


def _signal_matrices(t: Terms) -> Terms:
    if t.relative:
        smallest = t.numbers["s"] * -1
        return t.put("signal matrices", above=smallest, own=smallest)
    return t.put("signal matrices", kept=t.numbers["‖W‖"])


SIGNAL_SLOPES = Step(
    "transmission",
    "φ keeps at least α of the signal: ‖h_k‖ ≥ α‖W_k h_{k−1}‖",
    "β/α",
    ("slope-at-least",),
    _signal_slopes,
)
SIGNAL_KEPT = Step(
    "conditioning",
    "‖W_k u‖ ≥ s_min(W_k)‖u‖, as widths never contract",
    "κ",
    ("smallest-singular-value",),
    _signal_matrices,
)
SIGNAL_SLOPES_UP = replace(SIGNAL_SLOPES, statement="‖h_k‖ ≤ β‖W_k h_{k−1}‖ below layer l", scalar=("slope-at-most",))
SIGNAL_UP = Step(
    "operator norm", "‖W_k h_{k−1}‖ ≤ ‖W_k‖₂‖h_{k−1}‖ below layer l", "alignment", ("operator-norm",), _signal_matrices
)
# From the actual change to Σ_l Π_{k≥l} (β/α)‖·‖₂/s_min(W_k): what every relative bound has in common.
RELATIVE = (ALIGNED, TRANSMITTED, CARRIED, SOURCES, SPLIT, SIGNAL_SLOPES, SIGNAL_KEPT)


def _swapped(t: Terms) -> Terms:
    n = t.numbers
    size = n["κ"] + n["δ"]
    return t.put("matrices", above=n["‖W‖"] + log_one_plus(size), own=n["‖W‖"] + size, slopes=n["‖W‖"])


def log_one_plus(x: Log) -> Log:
    """log(1 + eˣ)."""
    zero = torch.zeros_like(x.value)
    return log_sum(Log(zero, zero), x)


NORM_SWAP = Step(
    "Frobenius to spectral",
    "‖ΔW_k‖₂/‖W_k‖₂ ≤ κ·‖ΔW_k‖_F/‖W_k‖_F",
    "norm swap",
    ("spectral-by-frobenius", "frobenius-by-spectral"),
    _swapped,
)


def _conditioned(power: int) -> Callable[[Terms], Terms]:
    """κ(W_k)·(1 + κδ_k) and κ(W_k)·κδ_k, by κ alone: power 1 keeps the κ of κδ, power 2 takes it out."""

    def change(t: Terms) -> Terms:
        kappa, delta = t.numbers["κ"], t.numbers["δ"]
        size = kappa + delta if power == 1 else delta
        total = kappa * power
        zero = kappa * 0
        t = t.put("matrices", above=total + log_one_plus(size), own=total + size, slopes=total)
        return t.put("signal matrices", above=zero, own=zero)

    return change


CONDITIONED = Step("conditioning", "κ(W_k) ≤ κ", "κ", ("condition-number",), _conditioned(1))
CONDITIONED_TWICE = Step(
    "conditioning",
    "κ(W_k)(1 + κδ_k) ≤ κ²(1 + δ_k)",
    "κ",
    ("condition-number", "kappa-squared"),
    _conditioned(2),
)


def induction(statement: str, factor: Callable[[Terms], Log], scalar: str) -> Step:
    """The recursion over depth: layers below l multiply its term by at least 1, and get their factor too."""
    return Step("induction", statement, "induction", (scalar,), lambda t: t.put("induction", kept=factor(t)))


def ratio(t: Terms) -> Log:
    """The logarithm of β_k/α_k."""
    return t.numbers["β"] - t.numbers["α"]
