"""Instances as flat vectors: what evolution mutates and gradient ascent moves."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from jaxtyping import Float
from torch import Tensor

from drt.falsify.space import Space
from drt.measurement.instance import Instance
from drt.measurement.measurement import Measurement
from drt.network.activations import parse_activation
from drt.network.network import Network
from drt.numeric.caching import cached_property
from drt.theory.base import Claim, evaluate, logarithm
from drt.theory.hypotheses import hypotheses

Flat = Float[Tensor, "B D"]
# Hypotheses that an architecture meets or misses as a whole: the layout is chosen to meet them.
ARCHITECTURAL = {"transmission", "widths", "biases", "lipschitz", "scalars", "relu"}


@dataclass(frozen=True)
class Layout:
    """Widths, the φ of each layer as text, and whether there are biases: all that a flat vector leaves open."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    biased: bool = False

    @cached_property
    def shapes(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """(kind, layer, shape) of each segment: w and dw of every layer, x, then b of every layer if biased."""
        pairs = list(zip(self.widths[1:], self.widths, strict=False))
        shapes: list[tuple[str, int, tuple[int, ...]]] = [("w", k, p) for k, p in enumerate(pairs)]
        shapes += [("dw", k, p) for k, p in enumerate(pairs)]
        shapes.append(("x", 0, (self.widths[0],)))
        return shapes + ([("b", k, (n,)) for k, n in enumerate(self.widths[1:])] if self.biased else [])

    @cached_property
    def sizes(self) -> list[int]:
        """Length of each segment."""
        return [prod(shape) for _, _, shape in self.shapes]

    @cached_property
    def masks(self) -> Tensor:
        """(segments, D) bool: which entries belong to each segment."""
        owner = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))
        return owner == torch.arange(len(self.sizes))[:, None]

    def split(self, theta: Flat) -> dict[str, list[Tensor]]:
        """Segments by kind, in their shapes."""
        parts: dict[str, list[Tensor]] = {"w": [], "dw": [], "x": [], "b": []}
        for (kind, _, shape), part in zip(self.shapes, theta.split(self.sizes, -1), strict=True):
            parts[kind].append(part.reshape(*theta.shape[:-1], *shape))
        return parts

    def instance(self, theta: Flat) -> Instance:
        """The batch of instances that flat vectors stand for."""
        parts = self.split(theta)
        activations = [parse_activation(spec) for spec in self.activations]
        net = Network(parts["w"], activations, parts["b"] or None)
        return Instance(net, parts["dw"], parts["x"][0])

    def flatten(self, instance: Instance) -> Flat:
        """The flat vectors of a batch of instances with this layout."""
        net, batch = instance.net, instance.batch_shape
        parts = [*net.weights, *instance.dweights, instance.x]
        if self.biased:
            zeros = [torch.zeros(n, dtype=torch.float64) for n in self.widths[1:]]
            parts += [z if b is None else b for b, z in zip(net.biases, zeros, strict=True)]
        flat = [
            p.expand(*batch, *shape).reshape(*batch, -1) for p, (_, _, shape) in zip(parts, self.shapes, strict=True)
        ]
        return torch.cat(flat, -1)


def layout_of(instance: Instance) -> Layout:
    """The layout of a batch of instances."""
    net = instance.net
    return Layout(net.widths, tuple(a.spec for a in net.activations), net.has_biases)


def usable(theta: Flat, layout: Layout) -> Tensor:
    """Where a flat vector is an instance: finite, no weight matrix zero, x not zero."""
    ok = torch.isfinite(theta).all(-1)
    for (kind, _, _), part in zip(layout.shapes, theta.split(layout.sizes, -1), strict=True):
        if kind in ("w", "x"):
            ok = ok & (part != 0).any(-1)
    return ok


def measurement(claim: Claim, instance: Instance) -> Measurement:
    """The measurement that a claim is about; for Jacobians that of the whole network, l = 0."""
    return Measurement.of(instance, claim.quantity)


def objective(claim: Claim, m: Measurement, space: Space) -> tuple[Tensor, Tensor]:
    """log(actual/bound), and where the instance counts: the claim's hypotheses and the space's ranges are met."""
    counts = torch.ones(m.batch_shape, dtype=torch.bool)
    for name in claim.hypotheses:
        if name not in ARCHITECTURAL:
            counts = counts & hypotheses[name].met(m)
    delta = m.delta.detach()
    counts = counts & ((delta == 0) | ((delta >= space.delta[0]) & (delta <= space.delta[1]))).all(-1)
    if any(name.startswith("conditioning") for name in claim.hypotheses):
        kappa = m.kappa_w.detach().amax(-1)
        counts = counts & (kappa <= space.kappa[1] * (1 + 1e-9)) & (kappa >= space.kappa[0] * (1 - 1e-9))
    if callable(claim.left):
        left = logarithm(evaluate(claim.left, m))
    else:
        left = m.log_change if claim.left == "relative" else m.log_norm_df
    gap = left - claim.log_value(m)
    return gap, counts & torch.isfinite(gap)
