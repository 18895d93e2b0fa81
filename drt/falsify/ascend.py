"""Gradient ascent on log(actual/bound), many instances at once, by two parametrisations.

free: every matrix and x as scale·direction, both moved; κ measured.
spectral: W_l = U diag(s) Vᵀ with s in [1, κ]: the conditioning of the W_l holds by construction; ΔW_l and x as above.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from drt.falsify.layout import Flat, Layout, measurement, objective, usable
from drt.falsify.space import Space
from drt.theory.base import Claim


class Free:
    """θ → (log size, direction) of each segment, and back."""

    def __init__(self, layout: Layout, theta: Flat):
        segments = theta.split(layout.sizes, -1)
        norms = [s.norm(dim=-1, keepdim=True).clamp(min=1e-150) for s in segments]
        self.parameters = [s / n for s, n in zip(segments, norms, strict=True)] + [n.log() for n in norms]

    def theta(self, parameters: list[Tensor]) -> Flat:
        """The flat vectors that the parameters stand for."""
        half = len(parameters) // 2
        return torch.cat([d * torch.exp(n) for d, n in zip(parameters[:half], parameters[half:], strict=True)], -1)


class Spectral:
    """W_l = Q_U diag(s) Q_Vᵀ, s = κ^σ(t), Q the orthonormal factor of a free matrix; everything else as in `Free`."""

    def __init__(self, layout: Layout, theta: Flat, kappa: float):
        self.layout, self.log_kappa = layout, math.log(kappa)
        depth = len(layout.widths) - 1
        segments = theta.split(layout.sizes, -1)
        self.rest = Free(Layout(layout.widths, layout.activations, layout.biased), theta)
        self.parameters = []
        for layer in range(depth):
            shape = (layout.widths[layer + 1], layout.widths[layer])
            u, s, vt = torch.linalg.svd(segments[layer].reshape(-1, *shape), full_matrices=False)
            share = (s / s.amin(-1, keepdim=True).clamp(min=1e-12)).log() / max(self.log_kappa, 1e-12)
            self.parameters += [u, vt.mT.contiguous(), torch.logit(share.clamp(0.02, 0.98))]
        self.split = len(self.parameters)
        others = self.rest.parameters
        half = len(others) // 2
        self.parameters += [*others[depth:half], *others[half + depth :]]

    def theta(self, parameters: list[Tensor]) -> Flat:
        """The flat vectors that the parameters stand for."""
        matrices = []
        for k in range(0, self.split, 3):
            u, v, t = parameters[k : k + 3]
            s = torch.exp(self.log_kappa * torch.sigmoid(t))
            matrix = (torch.linalg.qr(u).Q * s.unsqueeze(-2)) @ torch.linalg.qr(v).Q.mT
            matrices.append(matrix.flatten(1))
        return torch.cat([*matrices, self.rest.theta(parameters[self.split :])], -1)


def ascend(
    claim: Claim,
    layout: Layout,
    space: Space,
    start: Free | Spectral,
    steps: int,
    rate: float = 0.05,
) -> tuple[Flat, Tensor, int]:
    """Adam with a rate that decays to a tenth; (best θ of each restart, its score, instances evaluated).

    Args:
        claim: whose log(actual/bound) is to grow.
        layout: of the flat vectors.
        space: outside of which an instance does not count.
        start: the parameters of each restart.
        steps: of Adam.
        rate: of the first step.
    """
    parameters = [p.clone().requires_grad_() for p in start.parameters]
    optimiser = torch.optim.Adam(parameters, lr=rate)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1 ** (1 / steps))
    best = start.theta(start.parameters).detach()
    best_score = torch.full(best.shape[:1], -torch.inf, dtype=torch.float64)
    sound = usable(best, layout)
    if not sound.any():
        return best, best_score, 0
    best = torch.where(sound[:, None], best, best[sound][0])
    done = 0
    for _ in range(steps):
        theta = start.theta(parameters)
        # A step that left the numbers (an exponent too far) goes back to the best known.
        theta = torch.where(usable(theta, layout)[:, None], theta, best)
        m = measurement(claim, layout.instance(theta))
        gap, counts = objective(claim, m, space)
        with torch.no_grad():
            better = counts & (gap > best_score)
            best_score = torch.where(better, gap, best_score)
            best = torch.where(better[:, None], theta, best)
        loss = -torch.where(torch.isfinite(gap), gap, 0.0).sum() + _penalty(m, space)
        optimiser.zero_grad()
        loss.backward()
        for p in parameters:
            if p.grad is not None:
                p.grad.nan_to_num_(0.0, 0.0, 0.0)
        optimiser.step()
        decay.step()
        done += len(theta)
    return best.detach(), best_score, done


def _penalty(m: object, space: Space) -> Tensor:
    """Pulls δ back into its range."""
    delta = m.delta.clamp(min=1e-300).log()  # type: ignore[attr-defined]
    above, below = delta - math.log(space.delta[1]), math.log(max(space.delta[0], 1e-300)) - delta
    return 10 * (above.clamp(min=0) + torch.where(m.delta > 0, below.clamp(min=0), 0.0)).sum()  # type: ignore[attr-defined]
