"""A loss along the segment from W to W + ΔW: what Lemmas 1 and 2 are about, on small networks, by automatic differentiation.

    𝓛(W) = ½Σ‖f(x) − y‖² ("squared") or Σ⟨y, f(x)⟩ ("linear"),   g_l(t) = ∂𝓛/∂W_l at W + tΔW

This is a second opinion on `drt.descent`, by automatic differentiation of the plain network, and shares no code with it.
The integral over [0, 1] is a Gauss–Legendre sum. For a linear network the integrand is a polynomial in t of degree below
2L and the sum exact; for a smooth φ its error is estimated by the sum with half the nodes, and that is all it is: an estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.sampling import gaussian, generator, normal, scaled_to, uniform
from drt.network.activations import as_activation
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT

QUADRATURE_NODES = 24


@dataclass(frozen=True)
class Segment:
    """weights W_l and dweights ΔW_l (B, n_l, n_{l−1}); inputs x (B, N, n_0) and targets y (B, N, n_L); φ by name; eta (B,)."""

    weights: list[Tensor]
    dweights: list[Tensor]
    x: Float[Tensor, "B N n_0"]
    y: Float[Tensor, "B N n_L"]
    activation: str = "identity"
    loss_name: str = "squared"
    eta: Float[Tensor, " B"] | None = None

    def loss(self, weights: list[Tensor]) -> Float[Tensor, "..."]:
        """𝓛 at weights (…, B, n, m)."""
        phi, h = as_activation(self.activation), self.x
        for w in weights:
            h = phi(h @ w.mT)
        return ((h - self.y) ** 2 / 2 if self.loss_name == "squared" else h * self.y).sum((-1, -2))

    def gradients(self, t: Float[Tensor, " T"]) -> list[Tensor]:
        """g_l at W + tΔW, each (T, B, n, m)."""
        moved = [
            (w + t[:, None, None, None] * dw).requires_grad_()
            for w, dw in zip(self.weights, self.dweights, strict=True)
        ]
        with torch.enable_grad():
            return list(torch.autograd.grad(self.loss(moved).sum(), moved))

    @cached_property
    def at_start(self) -> list[Tensor]:
        """g_l (B, n, m)."""
        return [g[0] for g in self.gradients(torch.zeros(1, dtype=torch.float64))]

    def along(self, nodes: int = QUADRATURE_NODES) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(t, weights of the sum, g_l(t) − g_l each (T, B, n, m)) at the Gauss–Legendre nodes of [0, 1]."""
        t, w = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(nodes))
        t, w = (t + 1) / 2, w / 2
        return t, w, [g - g0 for g, g0 in zip(self.gradients(t), self.at_start, strict=True)]

    @cached_property
    def fall(self) -> Float[Tensor, " B"]:
        """𝓛(W) − 𝓛(W + ΔW)."""
        moved = [w + dw for w, dw in zip(self.weights, self.dweights, strict=True)]
        return self.loss(self.weights) - self.loss(moved)

    @cached_property
    def slope(self) -> Float[Tensor, " B"]:
        """Σ⟨g_l, ΔW_l⟩."""
        products = [(g * dw).sum((-1, -2)) for g, dw in zip(self.at_start, self.dweights, strict=True)]
        return torch.stack(products).sum(0)

    @cached_property
    def norms(self) -> tuple[Tensor, Tensor, Tensor]:
        """‖g_l‖_F, ‖ΔW_l‖_F, ‖W_l‖_F, each (B, L)."""
        groups = (self.at_start, self.dweights, self.weights)
        g, dw, w = (torch.stack([torch.linalg.matrix_norm(v) for v in group], -1) for group in groups)
        return g, dw, w

    @cached_property
    def cosines(self) -> Float[Tensor, "B L"]:
        """Cosine of the angle between ΔW_l and −g_l."""
        products = [-(g * dw).sum((-1, -2)) for g, dw in zip(self.at_start, self.dweights, strict=True)]
        return torch.stack(products, -1) / (self.norms[0] * self.norms[1])

    @cached_property
    def breakdown(self) -> Float[Tensor, "T B L"]:
        """‖g_l(t) − g_l‖_F/‖g_l‖_F at the nodes."""
        _, _, change = self.along()
        return torch.stack([torch.linalg.matrix_norm(c) for c in change], -1) / self.norms[0]

    @cached_property
    def rounding(self) -> Float[Tensor, " B"]:
        """A bound on the rounding error of any sum of losses and ⟨g, ΔW⟩: γ times the sum of absolute values.

        Every one of them is a sum of products of entries; with all of them replaced by their absolute values, and φ by
        its largest slope, the sum is at most that of the network of |W| + |ΔW|, squared.
        """
        phi = as_activation(self.activation)
        h = self.x.abs()
        for w, dw in zip(self.weights, self.dweights, strict=True):
            h = phi.beta * (h @ (w.abs() + dw.abs()).mT)
        operations = (
            3 * sum(w.shape[-1] + phi.ulps for w in self.weights) + 4 * self.x.shape[-2] * self.y.shape[-1] + 32
        )
        total = ((h + self.y.abs()) * (h + self.y.abs())).sum((-1, -2))
        # For curved φ an error of z moves φ' too: at most 4/(3√3) < 1 per unit of z, once a layer.
        curved = 1.0 if phi.homogeneous else (1.0 + len(self.weights)) * (1 + h.amax((-1, -2)))
        return operations * UNIT * total * curved


def draw(
    batch: int, depth: int, width: int, delta: float, seed: int, activation: str = "identity", samples: int = 3
) -> Segment:
    """Gaussian networks, targets and inputs, squared loss; ΔW_l half along −g_l, half Gaussian, ‖ΔW_l‖_F = δ‖W_l‖_F.

    Args:
        batch: how many.
        depth: L.
        width: of every layer.
        delta: δ.
        seed: of everything random.
        activation: φ of every layer, by name.
        samples: inputs of each network, N.
    """
    rng = generator(seed)
    weights = [gaussian((batch,), width, width, rng) for _ in range(depth)]
    x, y = normal((batch, samples, width), rng), normal((batch, samples, width), rng)
    start = Segment([w.values for w in weights], [w.values for w in weights], x, y, activation)
    dweights = []
    for w, g in zip(weights, start.at_start, strict=True):
        noise, gradient = gaussian((batch,), width, width, rng), gaussian((batch,), width, width, rng)
        gradient = gradient._replace(values=-g)
        mixed = scaled_to(noise, w, delta / 2).values + scaled_to(gradient, w, delta / 2).values
        dweights.append(scaled_to(noise._replace(values=mixed), w, delta).values)
    return Segment([w.values for w in weights], dweights, x, y, activation, eta=torch.full((batch,), delta).double())


def draw_trusting(batch: int, depth: int, eta: float, seed: int, activation: str = "identity") -> Segment:
    """Products of scalars with a linear loss, where deep relative trust holds by Equation 3; ΔW_l = −δ_l|W_l|·sign g_l.

    All numbers are positive, so that a leaky φ acts as the identity; its α still bounds η, as Lemma 2 with C = α^{−L} does.

    Args:
        batch: how many.
        depth: L.
        eta: η, or less where the activation's α asks for less.
        seed: of everything random.
        activation: φ of every layer, by name.
    """
    rng = generator(seed)
    weights = [uniform((batch, 1, 1), rng, 0.5, 2.0) for _ in range(depth)]
    x, y = torch.ones(batch, 1, 1, dtype=torch.float64), uniform((batch, 1, 1), rng, 0.5, 2.0)
    limit = min(eta, 0.999 * math.expm1(math.log1p(as_activation(activation).alpha ** depth) / depth))
    assert math.isfinite(limit)
    dweights = [-uniform((batch, 1, 1), rng, 0.1, 1.0) * limit * w for w in weights]
    etas = torch.full((batch,), limit, dtype=torch.float64)
    return Segment(weights, dweights, x, y, activation, "linear", etas)
