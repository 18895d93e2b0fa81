"""Two saved networks: what changed, layer by layer, and every claim's verdict on it over a batch of inputs.

In the results an infinite or overflowing number is None, and so is one that does not exist.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import drt
from drt.app.tally import ClaimVerdicts, Tally, Violation
from drt.errors import InputError
from drt.exact.certify import certify
from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement, measure_all
from drt.network.difference import difference
from drt.network.network import ArrayLike, Network
from drt.numeric.results import Result, exponential, finite
from drt.numeric.spectra import singular_values
from drt.theory.registry import of_network
from drt.theory.verdict import Verdicts
from drt.training.inputs import INPUTS_CHECKED
from drt.witness.witness import Witness

SCHEMA = 1


@dataclass(frozen=True)
class Change:
    """‖f̃ − f‖/‖f‖ over the inputs."""

    median: float | None
    worst: float | None


@dataclass(frozen=True)
class LayerChange:
    """Layer l: shape [n_l, n_{l−1}]; δ, ρ; condition numbers, ranks and stable ranks (‖·‖_F²/‖·‖₂²) of W and ΔW."""

    layer: int
    shape: list[int]
    delta: float | None
    rho: float | None
    kappa_w: float | None
    kappa_dw: float | None
    rank_w: int
    rank_dw: int
    stable_rank_w: float | None
    stable_rank_dw: float | None


@dataclass(frozen=True)
class Comparison(Result):
    """What changed from one network to another, and every claim's verdict on it; violations: worst first."""

    schema: int
    version: str
    widths: list[int]
    activations: list[str]
    biases: bool
    inputs: int
    change: Change
    layers: list[LayerChange]
    claims: list[ClaimVerdicts]
    violations: list[Violation]


def compare_networks(before: Network, after: Network, inputs: ArrayLike) -> Comparison:
    """What changed from `before` to `after`, and every claim's verdict at the inputs.

    Args:
        before: f.
        after: f̃, of the same architecture; it may be the same network.
        inputs: (N, n_0), none zero.

    Raises:
        InputError: as for `difference`, or inputs that the network can't take.
    """
    net, dweights, dbiases = difference(before, after)
    x = net.check_input(inputs)
    if x.ndim != 2:
        raise InputError(f"inputs must have shape (N, n_0), got {tuple(x.shape)}")
    tallies: dict[tuple[str, int | None], Tally] = defaultdict(Tally)
    changes: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, len(x), INPUTS_CHECKED):
            instance = Instance(net, dweights, x[start : start + INPUTS_CHECKED], dbiases)
            function, jacobians = measure_all(instance)
            changes.append(function.log_change)
            for claim in of_network():
                of_function = claim.quantity == function.quantity
                for m in [function] if of_function else jacobians:
                    tallies[claim.id, None if of_function else m.layer].add(Verdicts(claim, m), start)
            if start == 0:
                layers = _layers(instance, function)
        change = torch.cat(changes)
    violations = [v for (claim_id, layer), tally in tallies.items() for v in tally.violations(claim_id, layer)]
    return Comparison(
        schema=SCHEMA,
        version=drt.__version__,
        widths=list(net.widths),
        activations=[phi.spec for phi in net.activations],
        biases=net.has_biases,
        inputs=len(x),
        change=Change(exponential(float(change.median())), exponential(float(change.max()))),
        layers=layers,
        claims=[
            ClaimVerdicts.of(
                claim, [tally.record(layer) for (name, layer), tally in tallies.items() if name == claim.id]
            )
            for claim in of_network()
        ],
        violations=sorted(violations, key=lambda v: -math.inf if v.log10_ratio is None else -v.log10_ratio),
    )


def certified_violations(
    before: Network, after: Network, inputs: ArrayLike, violations: Sequence[Violation]
) -> list[str]:
    """The claims whose worst violation stands in exact or ball arithmetic.

    Args:
        before: f.
        after: f̃.
        inputs: (N, n_0).
        violations: those that `compare_networks` found for the same networks and inputs, worst first.
    """
    net, dweights, dbiases = difference(before, after)
    worst: dict[str, Violation] = {}
    for violation in violations:
        worst.setdefault(violation.claim, violation)
    certified = []
    for claim_id, v in worst.items():
        x = net.check_input(inputs)[v.input]
        changed = dbiases if net.has_biases else None
        witness = Witness.from_floats(claim_id, net, dweights, x, layer=v.layer or 0, dbiases=changed)
        if certify(witness, max_bits=256).answer == "violated":
            certified.append(claim_id)
    return certified


def _layers(instance: Instance, m: Measurement) -> list[LayerChange]:
    matrices = [layer.w for layer in instance.layers] + [layer.dw for layer in instance.layers]
    spectra = singular_values(matrices)  # scaled: rank and stable rank don't change
    layers = []
    for k in range(m.depth):
        w, dw = spectra[k], spectra[m.depth + k]
        slack = float(instance.spectra[0].error[k])  # as for κ: zero to working precision
        layers.append(
            LayerChange(
                layer=k + 1,
                shape=[m.widths[k + 1], m.widths[k]],
                delta=finite(m.delta[0, k]),
                rho=finite(m.rho[0, k]),
                kappa_w=finite(m.kappa_w[0, k]),
                kappa_dw=finite(m.kappa_dw[0, k]) if dw[0] > 0 else None,
                rank_w=int((w > slack * w[0]).sum()),
                rank_dw=int((dw > slack * dw[0]).sum()),
                stable_rank_w=finite(((w / w[0]) ** 2).sum()),
                stable_rank_dw=finite(((dw / dw[0]) ** 2).sum()) if dw[0] > 0 else None,
            )
        )
    return layers
