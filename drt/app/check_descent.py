"""Two saved networks as a step of training: what the loss and its gradients did along it, and the descent claims' verdicts.

In the results an infinite number is None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from rich.table import Table
from rich.text import Text

from drt.app.comparison_tables import STYLES, empty_table
from drt.descent.losses import CrossEntropy
from drt.descent.measurement import measure_descent
from drt.network.difference import difference
from drt.network.network import Network
from drt.numeric.formatting import number
from drt.numeric.results import Result, finite
from drt.theory.outcome import Outcome
from drt.theory.registry import of_descent
from drt.theory.verdict import Verdicts
from drt.training.data import load_digits
from drt.training.inputs import INPUTS_CHECKED


@dataclass(frozen=True)
class LayerDescent:
    """Layer l: ‖g_l‖, cos∠(−ΔW_l, g_l), and ‖g_l(W + tΔW) − g_l‖/‖g_l‖: at t = 1, its largest over t at least, at most."""

    layer: int
    norm_g: float | None
    cosine: float | None
    change: float | None
    largest: float | None
    largest_upper: float | None


@dataclass(frozen=True)
class DescentVerdict:
    """A descent claim's verdict on the step; log10_ratio: of actual/bound."""

    id: str
    outcome: Outcome
    actual: float | None
    bound: float | None
    log10_ratio: float | None
    why: str


@dataclass(frozen=True)
class DescentCheck(Result):
    """A step under the mean cross-entropy of so many inputs: the loss, by how much it and its tangent fall, and η."""

    inputs: int
    loss: float | None
    fall: float | None
    tangent: float | None
    eta: float | None
    layers: list[LayerDescent]
    claims: list[DescentVerdict]


def descent_of(before: Network, after: Network, data: str | None, seed: int = 0) -> DescentCheck | None:
    """The step from `before` to `after` under the mean cross-entropy of the first 256 digits, all descent claims held to it.

    None where there is no such step: inputs without labels, more classes than outputs, equal networks, or biases that
    move (the lemmas are about weights).

    Args:
        before: f.
        after: f̃, of the same architecture.
        data: as for `inputs_for`.
        seed: of the digits' order.
    """
    net, dweights, dbiases = difference(before, after)
    if data is None and net.widths[0] != 784:
        return None
    digits = load_digits(data or "mnist5k", seed)
    still = all(db is None or not db.any() for db in dbiases)
    if digits.labels is None or not still or not any(dw.any() for dw in dweights):
        return None
    labels = digits.labels[:INPUTS_CHECKED]
    if int(labels.max()) >= net.widths[-1]:
        return None
    m = measure_descent(net, dweights, digits.images[:INPUTS_CHECKED].to(net.weights[0]), CrossEntropy(labels))
    return DescentCheck(
        inputs=len(labels),
        loss=finite(m.segment.loss(m.segment.outputs[0])),
        fall=finite(m.fall),
        tangent=finite(-m.slope),
        eta=finite(m.eta),
        layers=[
            LayerDescent(
                layer=k + 1,
                norm_g=finite(m.norm_g[k]),
                cosine=finite(m.cosines[k]),
                change=finite(m.step_change[k]),
                largest=finite(m.changes.largest[k]),
                largest_upper=finite(m.changes.largest_upper[k]),
            )
            for k in range(m.depth)
        ],
        claims=[_verdict(claim.id, Verdicts(claim, m)) for claim in of_descent()],
    )


def _verdict(claim_id: str, verdicts: Verdicts) -> DescentVerdict:
    return DescentVerdict(
        id=claim_id,
        outcome=verdicts.outcome(()),
        actual=finite(torch.exp(verdicts.log_lhs)),
        bound=finite(torch.exp(verdicts.log_rhs)),
        log10_ratio=finite(float(verdicts.log_ratio) / math.log(10)),
        why=verdicts.why(()),
    )


def descent_tables(step: DescentCheck) -> list[Table]:
    """For people, at most 100 columns wide: the gradients of each layer, and the claims."""
    title = (
        f"The step under the loss of {step.inputs} digits: {number(step.loss)}, falls by {number(step.fall)}; "
        f"its tangent by {number(step.tangent)}; η = {number(step.eta)}"
    )
    names = ("‖g‖", "cos θ", "change in g", "max over t, at least", "at most")
    layers = empty_table(title, ("layer",), names)
    for layer in step.layers:
        numbers = (number(v) for v in (layer.norm_g, layer.cosine, layer.change, layer.largest))
        layers.add_row(str(layer.layer), *numbers, number(layer.largest_upper) or "∞")
    claims = empty_table("Descent claims", ("claim", "verdict"), ("actual", "bound"))
    claims.add_column("why", overflow="fold")
    for claim in step.claims:
        sides = ("", "") if claim.outcome is Outcome.INAPPLICABLE else (number(claim.actual), number(claim.bound))
        claims.add_row(claim.id, Text(claim.outcome, STYLES[claim.outcome]), *sides, claim.why)
    return [layers, claims]
