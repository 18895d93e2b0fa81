"""Breakpoints of the segment W + tΔW: the t ∈ (0, 1) at which a pre-activation of some input passes a kink of φ.

Sign changes between the points of a grid are narrowed down to the last digits. That finds no pair of breakpoints between two
points of the grid; what must not miss any (`drt.descent.enclosure`) verifies the pieces in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from drt.network.activations import Activation, Negated, PiecewiseLinear

if TYPE_CHECKING:
    from drt.descent.measurement import Descent

GRID, STEPS = 33, 60  # points of [0, 1]; steps towards a root: a simple one takes eight, one that z leaves flat all
MOST = 2**22  # entries of pre-activations on the grid, beyond which none are looked for


def kinks_of(phi: Activation) -> tuple[float, ...]:
    """The kinks of a φ."""
    base = phi.base if isinstance(phi, Negated) else phi
    return base.kinks if isinstance(base, PiecewiseLinear) else ()


def breakpoints(m: Descent) -> Float[Tensor, "K ..."]:
    """All that were found, of each instance in rising order, then ones; none where φ is smooth or the network too large."""
    net, batch = m.instance.net, m.batch_shape
    count = max(1, torch.Size(batch).numel())
    none = m.norm_g.new_empty(0, *batch)
    if GRID * count * m.x.shape[-2] * sum(net.widths[1:]) > MOST or not any(map(kinks_of, net.activations)):
        return none
    grid = torch.linspace(0, 1, GRID, dtype=torch.float64, device=m.device)
    h = m.x.expand(GRID, *batch, *m.x.shape[-2:])
    found: list[tuple[Tensor, Tensor]] = []
    for layer, phi in enumerate(net.activations):
        t = grid.reshape(GRID, *[1] * (len(batch) + 2))
        bias = net.biases[layer]
        z = h @ (net.weights[layer] + t * m.instance.dweights[layer]).mT + (0.0 if bias is None else bias.unsqueeze(-2))
        for kink in kinks_of(phi):
            above = (z > kink).reshape(GRID, count, *z.shape[-2:])
            start, owner, row, unit = torch.nonzero(above[1:] != above[:-1], as_tuple=True)
            if len(start):
                at = _Paths(m, layer, owner, row, unit, kink)
                found.append((owner, at.roots(grid[start], grid[start + 1])))
        h = phi(z)
    if not found:
        return none
    owners, roots = (torch.cat(group) for group in zip(*found, strict=True))
    order = torch.argsort(owners * 2.0 + roots)
    owners, roots = owners[order], roots[order]
    sizes = torch.bincount(owners, minlength=count)
    rank = torch.arange(len(owners), device=m.device) - (sizes.cumsum(0) - sizes)[owners]
    table = torch.ones(int(sizes.max()), count, dtype=torch.float64, device=m.device)
    table[rank, owners] = roots
    return table.reshape(-1, *batch)


class _Paths:
    """z − kink of single units on single inputs, each with a t of its own."""

    def __init__(self, m: Descent, layer: int, owner: Tensor, row: Tensor, unit: Tensor, kink: float):
        batch, net = m.batch_shape, m.instance.net
        self.unit, self.kink, self.phis = unit, kink, net.activations[: layer + 1]

        def own(t: Tensor) -> Tensor:
            """Of each path; or one for all, where there is no batch."""
            return t.expand(*batch, *t.shape[-2:]).reshape(-1, *t.shape[-2:])[owner] if batch else t

        self.weights = [own(w).mT for w in net.weights[: layer + 1]]
        self.steps = [own(dw).mT for dw in m.instance.dweights[: layer + 1]]
        self.biases = [None if b is None else own(b.unsqueeze(-2)).squeeze(-2) for b in net.biases[: layer + 1]]
        x = m.x.expand(*batch, *m.x.shape[-2:]).reshape(-1, *m.x.shape[-2:])
        self.x = x[owner, row].unsqueeze(-2) if batch else x[0, row]

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
        for _ in range(STEPS):
            t = torch.where(fa * fb < 0, b - fb * (b - a) / (fb - fa), (a + b) / 2)
            f, moved = self(t), (t - b).abs()
            beyond = (f > 0) != (fb > 0)
            a, fa = torch.where(beyond, b, a), torch.where(beyond, fb, fa / 2)
            b, fb = t, f
            if bool((moved <= 2.0**-52).all()):
                break
        return b
