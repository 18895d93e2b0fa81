"""Random matrices, networks and perturbations with exactly prescribed condition number, rank, size and width pattern.

Matrices come with their singular values where the construction knows them (to a few units in the last place of the
largest), so that measuring them costs no SVD. Every function takes a `torch.Generator`: the same seed, the same draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from drt.errors import InputError
from drt.measurement.instance import Instance
from drt.network.activations import Activation, as_activation
from drt.network.network import Network, default_device
from drt.numeric.spectra import norm

WIDTH_PATTERNS = ("constant", "expanding", "contracting", "valley", "bulge")
SPECTRA = ("extremes", "geometric", "uniform")
PERTURBATIONS = ("gaussian", "kappa", "rank-one", "aligned", "gradient", "zero")


class Matrix(NamedTuple):
    """A batch of matrices and, where known, their min(m, n) singular values, largest first."""

    values: Float[Tensor, "... m n"]
    singular: Float[Tensor, "... r"] | None = None


def generator(seed: int) -> Generator:
    """A generator for this seed, on the device where arrays are made.

    Raises:
        InputError: the seed is not an integer from 0 to 2⁶³ − 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed must be an integer from 0 to 2^63 - 1, got seed={seed!r}")
    return Generator(default_device()).manual_seed(seed)


def normal(shape: Sequence[int], rng: Generator) -> Tensor:
    """Independent standard normal numbers, float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=rng, device=rng.device)


def uniform(shape: Sequence[int], rng: Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Independent uniform numbers in [low, high), float64.

    Args:
        shape: of the result.
        rng: what draws them.
        low: the smallest number.
        high: what all numbers are below.
    """
    return low + (high - low) * torch.rand(*shape, dtype=torch.float64, generator=rng, device=rng.device)


def orthonormal(batch: Sequence[int], m: int, r: int, rng: Generator) -> Float[Tensor, "... m r"]:
    """Haar-distributed matrices with orthonormal columns: Q of a Gaussian's QR, signs fixed by R's diagonal.

    Args:
        batch: the leading dimensions.
        m: rows.
        r: columns, at most m.
        rng: what draws them.
    """
    q, upper = torch.linalg.qr(normal((*batch, m, r), rng))
    return q * torch.where(upper.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).unsqueeze(-2)


def with_singular_values(s: Float[Tensor, "... r"], m: int, n: int, rng: Generator) -> Matrix:
    """Matrices U diag(s) Vᵀ with Haar U (m, r) and V (n, r): singular values exactly s, the rest of the min(m, n) zero.

    Args:
        s: the singular values, ≥ 0, (…, r); their leading dimensions are the batch.
        m: rows.
        n: columns.
        rng: what draws U and V.

    Raises:
        InputError: more than min(m, n) singular values, or a negative one.
    """
    r, full = s.shape[-1], min(m, n)
    if r > full:
        raise InputError(f"s has {r} singular values, but a matrix of shape ({m}, {n}) has {full}")
    if not (s >= 0).all():
        raise InputError(f"s must be >= 0, got {s.min().item()}")
    batch = s.shape[:-1]
    u, v = orthonormal(batch, m, r, rng), orthonormal(batch, n, r, rng)
    padding = torch.zeros(*batch, full - r, dtype=s.dtype, device=s.device)
    return Matrix((u * s.unsqueeze(-2)) @ v.mT, torch.cat([s.sort(-1, descending=True).values, padding], -1))


def singular_values_with_kappa(
    batch: Sequence[int], r: int, kappa: Tensor | float, spectrum: str, rng: Generator
) -> Tensor:
    """Singular values from κ down to 1, r of them, both ends among them; one value alone is 1, whose κ is 1.

    Args:
        batch: the leading dimensions.
        r: how many.
        kappa: κ ≥ 1, a number or (…,).
        spectrum: "extremes", a random number of κ's and the rest 1; "geometric", evenly spaced logarithms; "uniform",
            uniform in between.
        rng: what draws them.

    Raises:
        InputError: κ < 1 or not finite, or an unknown spectrum.
    """
    kappa = torch.as_tensor(kappa, dtype=torch.float64, device=rng.device)
    if not ((kappa >= 1) & torch.isfinite(kappa)).all():
        raise InputError(f"kappa must be finite and >= 1, got kappa={kappa.min().item()}")
    if r == 1:
        return torch.ones(*batch, 1, dtype=torch.float64, device=rng.device)
    if spectrum == "extremes":
        count = torch.randint(1, r, (*batch, 1), generator=rng, device=rng.device)
        t = (torch.arange(r, device=rng.device) < count).to(torch.float64)
        return torch.where(t > 0, kappa.expand(*batch).unsqueeze(-1), 1.0)
    if spectrum == "geometric":
        t = torch.linspace(1, 0, r, dtype=torch.float64, device=rng.device).expand(*batch, r)
        return kappa.expand(*batch).unsqueeze(-1) ** t
    if spectrum == "uniform":
        t = uniform((*batch, r), rng)
        t[..., 0], t[..., -1] = 1.0, 0.0
        return 1 + (kappa.expand(*batch).unsqueeze(-1) - 1) * t.sort(-1, descending=True).values
    raise InputError(f"spectrum={spectrum!r} is not known; expected one of {', '.join(SPECTRA)}")


def with_kappa(
    batch: Sequence[int], m: int, n: int, kappa: Tensor | float, rng: Generator, spectrum: str = "extremes"
) -> Matrix:
    """m×n matrices with condition number exactly κ (1 if min(m, n) = 1) and smallest singular value 1.

    Args:
        batch: the leading dimensions.
        m: rows.
        n: columns.
        kappa: κ ≥ 1, a number or (…,).
        rng: what draws them.
        spectrum: the singular values between, as for `singular_values_with_kappa`.

    Raises:
        InputError: κ < 1 or not finite, or an unknown spectrum.
    """
    return with_singular_values(singular_values_with_kappa(batch, min(m, n), kappa, spectrum, rng), m, n, rng)


def with_rank(batch: Sequence[int], m: int, n: int, rank: int, rng: Generator) -> Matrix:
    """m×n matrices of exactly this rank, non-zero singular values uniform in [1, 2).

    Args:
        batch: the leading dimensions.
        m: rows.
        n: columns.
        rank: from 1 to min(m, n).
        rng: what draws them.

    Raises:
        InputError: rank not in 1 … min(m, n).
    """
    if not 1 <= rank <= min(m, n):
        raise InputError(f"rank must be from 1 to {min(m, n)} for shape ({m}, {n}), got rank={rank}")
    return with_singular_values(uniform((*batch, rank), rng, 1, 2).sort(-1, descending=True).values, m, n, rng)


def gaussian(batch: Sequence[int], m: int, n: int, rng: Generator) -> Matrix:
    """m×n matrices of independent N(0, 1/n) entries; their singular values are not known.

    Args:
        batch: the leading dimensions.
        m: rows.
        n: columns.
        rng: what draws them.
    """
    return Matrix(normal((*batch, m, n), rng) / math.sqrt(n))


def scaled_to(matrix: Matrix, w: Matrix, size: Tensor | float, norm: str = "delta") -> Matrix:
    """The matrix scaled so that ‖ΔW‖_F/‖W‖_F = size ("delta") or ‖ΔW‖₂/‖W‖₂ = size ("rho").

    Args:
        matrix: the direction of ΔW, (…, m, n); zero stays zero.
        w: W, of the same shape.
        size: δ or ρ, ≥ 0, a number or (…,).
        norm: "delta" or "rho".

    Raises:
        InputError: a negative size, or an unknown norm.
    """
    size = torch.as_tensor(size, dtype=torch.float64, device=w.values.device)
    if not (size >= 0).all():
        raise InputError(f"{norm} must be >= 0, got {size.min().item()}")
    if norm not in ("delta", "rho"):
        raise InputError(f"norm={norm!r} must be delta or rho")
    order = "fro" if norm == "delta" else 2
    own = torch.linalg.matrix_norm(matrix.values, order)
    factor = torch.where(own > 0, size * torch.linalg.matrix_norm(w.values, order) / own, 0.0)  # zero stays zero
    singular = None if matrix.singular is None else matrix.singular * factor.unsqueeze(-1)
    return Matrix(matrix.values * factor[..., None, None], singular)


def widths_of(pattern: str, depth: int, n: int) -> tuple[int, ...]:
    """(n_0, …, n_L) of a width pattern whose largest width is n; steps as even as integers allow.

    constant: n throughout; expanding: from 1 or so up to n; contracting: the reverse; valley: n, down, up to n; bulge: the
    reverse.

    Raises:
        InputError: depth < 1, n < 1, or an unknown pattern.
    """
    if depth < 1:
        raise InputError(f"depth must be >= 1, got depth={depth}")
    if n < 1:
        raise InputError(f"width must be >= 1, got width={n}")
    if pattern not in WIDTH_PATTERNS:
        raise InputError(f"pattern={pattern!r} is not known; expected one of {', '.join(WIDTH_PATTERNS)}")
    low = max(1, n // 2)
    t = [i / depth for i in range(depth + 1)]
    height = {
        "constant": [1.0] * (depth + 1),
        "expanding": t,
        "contracting": [1 - s for s in t],
        "valley": [abs(2 * s - 1) for s in t],
        "bulge": [1 - abs(2 * s - 1) for s in t],
    }[pattern]
    return tuple(low + round((n - low) * h) for h in height)


@dataclass(frozen=True)
class Recipe:
    """How to draw a batch of instances: one architecture, one φ, everything else drawn.

    Attributes:
        widths: (n_0, …, n_L).
        activation: one φ for all layers.
        kappa: κ ≥ 1 of every W_l, and of every ΔW_l where `perturbation` is "kappa".
        delta: the relative size of each ΔW_l.
        norm: in which norm that size is: "delta", Frobenius, or "rho", spectral.
        weights: "kappa", "gaussian" or "orthogonal".
        perturbation: one of PERTURBATIONS.
        spectrum: one of SPECTRA, of the matrices with a κ.
    """

    widths: tuple[int, ...]
    activation: Activation | str
    kappa: float = 2.0
    delta: float = 0.1
    norm: str = "delta"
    weights: str = "kappa"
    perturbation: str = "kappa"
    spectrum: str = "extremes"

    def draw(self, batch: int, rng: Generator) -> Instance:
        """A batch of instances.

        Raises:
            InputError: an unknown name, κ < 1, δ < 0.
        """
        w = [self._weight(batch, m, n, rng) for n, m in zip(self.widths, self.widths[1:], strict=False)]
        net = Network([v.values for v in w], as_activation(self.activation))
        x = normal((batch, self.widths[0]), rng)
        dw = [self._perturbation(net, layer, v, x, rng) for layer, v in enumerate(w, start=1)]
        known: dict[str, Sequence[Tensor]] = {}
        for key, matrices in (("w", w), ("dw", dw)):
            values = [v.singular for v in matrices]
            if all(v is not None for v in values):
                known[key] = [v for v in values if v is not None]
        return Instance(net, [v.values for v in dw], x, known=known)

    def _weight(self, batch: int, m: int, n: int, rng: Generator) -> Matrix:
        if self.weights == "gaussian":
            return gaussian((batch,), m, n, rng)
        if self.weights in ("kappa", "orthogonal"):
            return with_kappa((batch,), m, n, self.kappa if self.weights == "kappa" else 1.0, rng, self.spectrum)
        raise InputError(f"weights={self.weights!r} is not known; expected kappa, gaussian or orthogonal")

    def _perturbation(self, net: Network, layer: int, w: Matrix, x: Tensor, rng: Generator) -> Matrix:
        batch, (m, n) = w.values.shape[0], w.values.shape[-2:]
        if self.perturbation == "zero":
            return Matrix(
                torch.zeros_like(w.values), torch.zeros(batch, min(m, n), dtype=torch.float64, device=rng.device)
            )
        if self.perturbation == "aligned":  # parallel to W itself, either sign
            sign = torch.where(uniform((batch,), rng) < 0.5, -1.0, 1.0)
            shape = Matrix(w.values * sign[:, None, None], w.singular)
        elif self.perturbation == "gradient":
            shape = Matrix(-gradient_direction(net, layer, x, normal((batch, net.widths[-1]), rng)))
        elif self.perturbation == "gaussian":
            shape = gaussian((batch,), m, n, rng)
        elif self.perturbation == "rank-one":
            shape = with_rank((batch,), m, n, 1, rng)
        elif self.perturbation == "kappa":
            shape = with_kappa((batch,), m, n, self.kappa, rng, self.spectrum)
        else:
            expected = ", ".join(PERTURBATIONS)
            raise InputError(f"perturbation={self.perturbation!r} is not known; expected one of {expected}")
        return scaled_to(shape, w, self.delta, self.norm)


def gradient_direction(net: Network, layer: int, x: Tensor, target: Tensor) -> Float[Tensor, "... n m"]:
    """∂/∂W_l of ½‖f(x) − target‖² at each x, up to a factor: Φ'_l J_lᵀ (f − target) h_{l−1}ᵀ, a rank-one matrix.

    Its factors are brought to norm 1, or stay 0: they overflow where κ is large in every layer.

    Args:
        net: f.
        layer: l, from 1 to L.
        x: inputs, (…, n_0).
        target: what the outputs are compared with, (…, n_L).
    """

    def unit(vector: Tensor) -> Tensor:
        size = norm(vector).unsqueeze(-1)
        return torch.where(size > 0, vector / size, 0.0)

    states = net.hidden_states(x)
    error = (net.jacobians(x)[layer].mT @ unit(states[-1] - target).unsqueeze(-1)).squeeze(-1)
    error = error * net.activations[layer - 1].slope(net.pre_activation(layer, states[layer - 1]))
    return unit(error).unsqueeze(-1) * unit(states[layer - 1]).unsqueeze(-2)
