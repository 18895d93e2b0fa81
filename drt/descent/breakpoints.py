"""Breakpoints of the segment W + tΔW: the t ∈ (0, 1) at which a pre-activation of some input passes a kink of φ.

Sign changes between the points of a grid are narrowed down to the last digits. That finds no pair of breakpoints between two
points of the grid; what must not miss any (`drt.descent.enclosure`) verifies the pieces in between.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from drt.descent.segment import Segment
from drt.network.activations import Activation, Negated, PiecewiseLinear

GRID_POINTS = 33  # of [0, 1]
ROOT_STEPS = 60  # towards a root: a simple one takes eight, one that z leaves flat all
MOST_GRID_ENTRIES = 2**22  # pre-activations on the grid, beyond which no breakpoints are looked for
LAST_DIGIT = 2.0**-52  # a step this small moves t by one unit in its last place at most: the root is found


def kinks_of(phi: Activation) -> tuple[float, ...]:
    """The kinks of a φ."""
    base = phi.base if isinstance(phi, Negated) else phi
    return base.kinks if isinstance(base, PiecewiseLinear) else ()


def breakpoints(s: Segment) -> Float[Tensor, "K ..."]:
    """All that were found, of each instance in rising order, then ones; none where φ is smooth or the network too large."""
    net, batch = s.net, s.batch_shape
    count = max(1, torch.Size(batch).numel())
    none = s.zeros.new_empty(0, *batch)
    entries = GRID_POINTS * count * s.x.shape[-2] * sum(net.widths[1:])
    if entries > MOST_GRID_ENTRIES or not any(map(kinks_of, net.activations)):
        return none
    grid = torch.linspace(0, 1, GRID_POINTS, dtype=torch.float64, device=s.device)
    h = s.x.expand(GRID_POINTS, *batch, *s.x.shape[-2:])
    found: list[tuple[Tensor, Tensor]] = []
    for layer, phi in enumerate(net.activations):
        t = grid.reshape(GRID_POINTS, *[1] * (len(batch) + 2))
        bias = net.biases[layer]
        z = h @ (net.weights[layer] + t * s.dweights[layer]).mT + (0.0 if bias is None else bias.unsqueeze(-2))
        for kink in kinks_of(phi):
            above = (z > kink).reshape(GRID_POINTS, count, *z.shape[-2:])
            before, member, row, unit = torch.nonzero(above[1:] != above[:-1], as_tuple=True)
            if len(before):
                paths = _Paths(s, layer, member, row, unit, kink)
                found.append((member, paths.roots(grid[before], grid[before + 1])))
        h = phi(z)
    if not found:
        return none
    members, roots = (torch.cat(group) for group in zip(*found, strict=True))
    order = torch.argsort(members * 2.0 + roots)
    members, roots = members[order], roots[order]
    sizes = torch.bincount(members, minlength=count)
    rank = torch.arange(len(members), device=s.device) - (sizes.cumsum(0) - sizes)[members]
    table = torch.ones(int(sizes.max()), count, dtype=torch.float64, device=s.device)
    table[rank, members] = roots
    return table.reshape(-1, *batch)


class _Paths:
    """z − kink of single units on single inputs, each with a t of its own.

    Args:
        s: the segment.
        layer: that of all units, from 0.
        member: the instance of each, as its place in the batch.
        row: its input.
        unit: its unit.
        kink: the kink that all are to pass.
    """

    def __init__(self, s: Segment, layer: int, member: Tensor, row: Tensor, unit: Tensor, kink: float):
        batch, net = s.batch_shape, s.net
        self.unit, self.kink, self.phis = unit, kink, net.activations[: layer + 1]

        def of_members(t: Tensor) -> Tensor:
            """One for each path; or one for all, where there is no batch."""
            return t.expand(*batch, *t.shape[-2:]).reshape(-1, *t.shape[-2:])[member] if batch else t

        self.weights = [of_members(w).mT for w in net.weights[: layer + 1]]
        self.steps = [of_members(dw).mT for dw in s.dweights[: layer + 1]]
        self.biases = [None if b is None else of_members(b.unsqueeze(-2)).squeeze(-2) for b in net.biases[: layer + 1]]
        x = s.x.expand(*batch, *s.x.shape[-2:]).reshape(-1, *s.x.shape[-2:])
        self.x = x[member, row].unsqueeze(-2) if batch else x[0, row]

    def __call__(self, t: Tensor) -> Tensor:
        h, size = self.x, t.reshape(-1, *[1] * (self.x.ndim - 1))
        for w, dw, b, phi in zip(self.weights, self.steps, self.biases, self.phis, strict=True):
            z = h @ w + size * (h @ dw)
            if b is not None:
                z = z + (b.unsqueeze(-2) if z.ndim == 3 else b)
            h = phi(z)
        z = z.squeeze(-2) if z.ndim == 3 else z
        return z.gather(-1, self.unit.unsqueeze(-1)).squeeze(-1) - self.kink

    def roots(self, low: Tensor, high: Tensor) -> Tensor:
        """Where each becomes positive or ceases to be: secant steps (Illinois), and halving where one end is 0."""
        (a, fa), (b, fb) = ((t, self(t)) for t in (low, high))
        for _ in range(ROOT_STEPS):
            t = torch.where(fa * fb < 0, b - fb * (b - a) / (fb - fa), (a + b) / 2)
            f, step = self(t), (t - b).abs()
            beyond = (f > 0) != (fb > 0)
            a, fa = torch.where(beyond, b, a), torch.where(beyond, fb, fa / 2)
            b, fb = t, f
            if bool((step <= LAST_DIGIT).all()):
                break
        return b
