"""Where the looseness of a bound arises, on one network: log10(bound/actual) as a sum over the steps of its proof.

log10(bound/actual) = Σ_k log10(q_k/q_{k−1}), at the input whose total is the median, by part of the proof:

alignment      contributions of layers point different ways; signals miss the top singular vectors; ‖W̃‖ < ‖W‖ + ‖ΔW‖
β/α            slopes of φ are neither all α (of the signal) nor all β (of the change)
κ              the signal is not in the smallest singular direction; κ once more from Frobenius norms
norm swap      ‖ΔW‖₂/‖W‖₂ replaced by κ‖ΔW‖_F/‖W‖_F
induction      layers that a term never passed multiply it too
linearisation  Π(1 + ρ) − 1 replaced by e·Σρ
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import FUNCTION, JACOBIAN
from drt.network.difference import difference
from drt.network.network import ArrayLike, Network
from drt.numeric.results import Result
from drt.theory.registry import claims
from drt.training.data import Digits
from drt.training.trained import instances
from drt.training.training import Run
from proofs_checks.chain import Chain
from proofs_checks.registry import chains

PARTS = ("alignment", "β/α", "κ", "norm swap", "induction", "linearisation")
INPUTS_AT_MOST = 32  # that the median is over
JACOBIAN_ENTRIES_AT_MOST = 1_000_000  # of all the Jacobians that are followed at once
SHOWN_PERTURBATIONS = ("noise 0.01", "gradient 0.01")


@dataclass(frozen=True)
class StepSlack:
    """What step number `step` of a proof loses, in orders of magnitude, and layer by layer where it goes by layers."""

    step: int
    reason: str
    statement: str
    part: str
    log10: float
    layers: list[float] | None


@dataclass(frozen=True)
class Waterfall(Result):
    """The looseness of a claim on one network at one input, taken apart.

    inputs: how many the median is over. log10_actual: of the actual change at the median input. total: log10(bound/actual)
    there. parts: its share for each of PARTS that the proof has; they sum to the total, the steps too.
    """

    claim: str
    inputs: int
    depth: int
    log10_actual: float
    total: float
    parts: dict[str, float]
    steps: list[StepSlack]


@dataclass(frozen=True)
class TrainedWaterfalls(Result):
    """Those of a trained network under one perturbation."""

    network: str
    perturbation: str
    bounds: list[Waterfall]


def waterfalls(instance: Instance) -> list[Waterfall]:
    """For every bound that applies to one network at some inputs, function and J_0: the steps' share of its looseness.

    Jacobians are followed at fewer inputs where they are large: each of them costs as much as n_0 of the function.
    """
    net = instance.net
    entries = 2 * net.depth * max(net.widths) ** 2
    few = max(1, min(INPUTS_AT_MOST, JACOBIAN_ENTRIES_AT_MOST // entries))
    measured = {
        quantity: Measurement.of(Instance(net, instance.dweights, instance.x[:count], instance.dbiases), quantity)
        for quantity, count in ((FUNCTION, INPUTS_AT_MOST), (JACOBIAN, few))
    }
    wanted = [c for c in chains().values() if c.layered and c.claim != "equation3"]
    found = [_waterfall(chain, measured[claims[chain.claim].quantity]) for chain in wanted]
    return [waterfall for waterfall in found if waterfall is not None]


def of_networks(before: Network, after: Network, inputs: ArrayLike) -> list[Waterfall]:
    """The same of two saved networks."""
    net, dweights, dbiases = difference(before, after)
    return waterfalls(Instance(net, dweights, net.check_input(inputs), dbiases))


def of_trained(run: Run, digits: Digits, seed: int) -> list[TrainedWaterfalls]:
    """The waterfalls of a trained network, and of its hidden layers, under noise and a gradient step of δ = 0.01."""
    last = run.checkpoints[-1].step
    return [
        TrainedWaterfalls(p.network, p.perturbation, waterfalls(p.instance))
        for p in instances(run, digits, seed)
        if p.step == last and p.perturbation in SHOWN_PERTURBATIONS
    ]


def _waterfall(chain: Chain, m: Measurement) -> Waterfall | None:
    with torch.no_grad():
        walk = chain.walk(m)
    total = (walk.logs[..., -1] - walk.logs[..., 0]).flatten()
    usable = torch.nonzero(walk.applicable.flatten() & torch.isfinite(total)).flatten()
    if not len(usable):
        return None
    at = int(usable[total[usable].argsort()[(len(usable) - 1) // 2]])
    slack = walk.slack.reshape(-1, len(chain.steps))[at]
    steps = []
    for k, step in enumerate(chain.steps, start=1):
        by_layer = walk.layer_slack(k)
        layers = None if by_layer is None else [_rounded(v) for v in by_layer.reshape(-1, m.depth)[at]]
        steps.append(StepSlack(k, step.reason, step.statement, step.part, _rounded(slack[k - 1]), layers))
    parts = {part: round(sum(s.log10 for s in steps if s.part == part), 6) for part in PARTS}
    present = {step.part for step in chain.steps}
    shares = {part: value for part, value in parts.items() if part in present}
    log_actual = walk.logs.reshape(-1, len(chain.steps) + 1)[at, 0]
    return Waterfall(
        claim=chain.claim,
        inputs=len(usable),
        depth=m.depth,
        log10_actual=_rounded(log_actual / math.log(10)),
        total=round(sum(shares.values()), 6),
        parts=shares,
        steps=steps,
    )


def _rounded(value: Tensor) -> float:
    """To six digits after the point: what is below is rounding. Adding 0 makes −0 plain."""
    return round(float(value), 6) + 0.0
