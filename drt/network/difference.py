"""What changed between two networks of one architecture."""

from __future__ import annotations

from torch import Tensor

from drt.errors import InputError
from drt.network.network import Network


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
