"""Two saved networks: what changed, layer by layer, and every claim's verdict on it over a batch of inputs.

The result is JSON-ready: an infinite or overflowing number is None, and so is one that does not exist.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

import drt
from drt.certify import certify
from drt.check_tables import tables
from drt.claims import of_network
from drt.data import load_digits
from drt.errors import InputError
from drt.measure import Instance, Measurement, measure_all
from drt.network import ArrayLike, Network
from drt.sampling import generator, normal
from drt.spectra import singular_values
from drt.tally import Tally, claim_record, exponential, finite
from drt.verdict import Verdicts
from drt.witness import Witness

__all__ = ["certified_violations", "check_networks", "difference", "inputs_for", "tables"]

INPUTS = 256  # taken of digits, or drawn; also how many are measured at a time


def inputs_for(net: Network, data: str | None, seed: int = 0) -> Float[Tensor, "N n_0"]:
    """Inputs to check a network at: the first 256 digits of a source, every row of a .npy file, or normal numbers.

    Args:
        net: the network, for its n_0.
        data: as `load_digits` takes it; None: "mnist5k" if n_0 is 784, else 256 standard normal inputs.
        seed: of the digits' order, and of the normal numbers.

    Raises:
        InputError: no such source, or inputs that are not n_0 wide.
    """
    if data is None and net.widths[0] != 784:
        return normal((INPUTS, net.widths[0]), generator(seed)).to(net.weights[0])
    digits = load_digits(data or "mnist5k", seed)
    if digits.images.shape[1] != net.widths[0]:
        raise InputError(
            f"data={data!r} has inputs of {digits.images.shape[1]} numbers; expected n_0 = {net.widths[0]}"
        )
    rows = digits.images if digits.labels is None else digits.images[:INPUTS]
    return rows.to(net.weights[0])


def difference(before: Network, after: Network) -> tuple[Network, list[Tensor], list[Tensor | None]]:
    """`before`, ΔW_l and Δb_l. A bias that only one of the two has is 0 in the other: then `before` gets it.

    Raises:
        InputError: a batch of networks, or networks that differ in depth, shapes or activations.
    """
    for name, net in (("before", before), ("after", after)):
        if net.batch_shape:
            raise InputError(f"{name} must be a single network, got batch shape {net.batch_shape}")
    if before.depth != after.depth:
        raise InputError(f"before has {before.depth} layers, after has {after.depth}; expected the same architecture")
    for i, (w, v) in enumerate(zip(before.weights, after.weights, strict=True), start=1):
        if w.shape != v.shape:
            raise InputError(f"layer {i}: before has weights of shape {tuple(w.shape)}, after of {tuple(v.shape)}")
    for i, (phi, psi) in enumerate(zip(before.activations, after.activations, strict=True), start=1):
        if phi != psi:
            raise InputError(f"layer {i}: before has activation {phi.spec}, after {psi.spec}; expected the same")
    dweights = [v - w for w, v in zip(before.weights, after.weights, strict=True)]
    biases: list[Tensor | None] = []
    dbiases: list[Tensor | None] = []
    for w, b, c in zip(before.weights, before.biases, after.biases, strict=True):
        if b is None and c is None:
            old = new = None
        else:
            zero = w.new_zeros(len(w))
            old, new = (zero if b is None else b), (zero if c is None else c)
        biases.append(old)
        dbiases.append(None if old is None or new is None else new - old)
    return Network(before.weights, before.activations, biases), dweights, dbiases


def check_networks(before: Network, after: Network, inputs: ArrayLike) -> dict:
    """What changed from `before` to `after`, and every claim's verdict at the inputs.

    Returns a dict of: `layers`, one record each (δ, ρ, κ, rank, stable rank); `claims`, one record each with its
    `outcome` (violated, else undecided, else holds, else inapplicable) and, for each l of a Jacobian or for the function
    (layer None), counts, `median` and `worst` (at the input with the largest actual/bound) of actual, bound and
    looseness = log10(bound/actual), and `failed`, the hypotheses that fail; `violations`, worst first.

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
        for start in range(0, len(x), INPUTS):
            instance = Instance(net, dweights, x[start : start + INPUTS], dbiases)
            function, jacobians = measure_all(instance)
            changes.append(function.log_change)
            for claim in of_network():
                for m in [function] if claim.quantity == "function" else jacobians:
                    layer = None if claim.quantity == "function" else m.layer
                    tallies[claim.id, layer].add(Verdicts(claim, m), start)
            if start == 0:
                layers = _layers(instance, function)
        change = torch.cat(changes)
    records = [claim_record(claim, {k: t for (i, k), t in tallies.items() if i == claim.id}) for claim in of_network()]
    violations = [v for (claim_id, layer), tally in tallies.items() for v in tally.violations(claim_id, layer)]
    return {
        "schema": 1,
        "version": drt.__version__,
        "widths": list(net.widths),
        "activations": [phi.spec for phi in net.activations],
        "biases": net.has_biases,
        "inputs": len(x),
        "change": {"median": exponential(float(change.median())), "worst": exponential(float(change.max()))},
        "layers": layers,
        "claims": records,
        "violations": sorted(
            violations, key=lambda v: -v["log10_ratio"] if v["log10_ratio"] is not None else -math.inf
        ),
    }


def certified_violations(before: Network, after: Network, inputs: ArrayLike, violations: Sequence[dict]) -> list[str]:
    """The claims whose worst violation stands in exact or ball arithmetic.

    `violations` are those that `check_networks` found for the same networks and inputs, worst first.
    """
    net, dweights, dbiases = difference(before, after)
    worst: dict[str, dict] = {}
    for violation in violations:
        worst.setdefault(violation["claim"], violation)
    certified = []
    for claim_id, v in worst.items():
        x = net.check_input(inputs)[v["input"]]
        changed = dbiases if net.has_biases else None
        witness = Witness.from_floats(claim_id, net, dweights, x, layer=v["layer"] or 0, dbiases=changed)
        if certify(witness, max_bits=256, max_seconds=30).answer == "violated":
            certified.append(claim_id)
    return certified


def _layers(instance: Instance, m: Measurement) -> list[dict]:
    matrices = [layer.w for layer in instance.layers] + [layer.dw for layer in instance.layers]
    spectra = singular_values(matrices)  # scaled: rank and stable rank don't change
    records = []
    for k in range(m.depth):
        w, dw = spectra[k], spectra[m.depth + k]
        slack = float(instance.spectra[0].error[k])  # as for κ: zero to working precision
        records.append(
            {
                "layer": k + 1,
                "shape": [m.widths[k + 1], m.widths[k]],
                "delta": finite(m.delta[0, k]),
                "rho": finite(m.rho[0, k]),
                "kappa_w": finite(m.kappa_w[0, k]),
                "kappa_dw": finite(m.kappa_dw[0, k]) if dw[0] > 0 else None,
                "rank_w": int((w > slack * w[0]).sum()),
                "rank_dw": int((dw > slack * dw[0]).sum()),
                "stable_rank_w": finite(((w / w[0]) ** 2).sum()),
                "stable_rank_dw": finite(((dw / dw[0]) ** 2).sum()) if dw[0] > 0 else None,
            }
        )
    return records
