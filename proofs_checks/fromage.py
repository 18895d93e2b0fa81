"""The size of a Fromage step, step by step; p = 1/√(1+η²), ΔW = −η‖W‖/‖g‖·g, W⁺ = p(W + ΔW), norms Frobenius.

    fromage.relative-size  ‖W⁺ − W‖/‖W‖ ≤ η + (1−p)‖W + ΔW‖/‖W‖ ≤ η + (1−p)(1+η) ≤ η + η²(1+η)/2
    fromage.norm-growth    √(1+η²) ≤ ‖W + ΔW‖/‖W‖ ≤ √(1+η²) if ⟨g, W⟩ = 0: an equality
    fromage.fixed-point    p(1+η) − 1 ≤ ‖W⁺ − W‖/‖W‖: a step always moves W, so only 0 is a fixed point

`fromage.lars-equivalence` is an identity: see `symbolic`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from drt.measurement.sampling import generator, normal, uniform
from drt.numeric.spectra import UNIT
from proofs_checks.chain import Chain, Ends, Setup, Step
from proofs_checks.terms import Log, Terms, exact, log_of, plain


@dataclass(frozen=True)
class Update:
    """One layer before a step: weights W, gradient g (B, m, n), learning rate η (B,)."""

    weight: Float[Tensor, "B m n"]
    gradient: Float[Tensor, "B m n"]
    eta: Float[Tensor, " B"]

    @property
    def size(self) -> Float[Tensor, " B"]:
        """‖W‖_F."""
        return torch.linalg.matrix_norm(self.weight)

    @property
    def change(self) -> Float[Tensor, "B m n"]:
        """ΔW = −η‖W‖/‖g‖·g."""
        return -(self.eta * self.size / torch.linalg.matrix_norm(self.gradient))[:, None, None] * self.gradient

    @property
    def shrinkage(self) -> Float[Tensor, " B"]:
        """1 − p, without cancellation."""
        return -torch.expm1(-torch.log1p(self.eta**2) / 2)

    def relative(self, matrix: Tensor) -> Log:
        """The logarithm of ‖matrix‖/‖W‖, of a combination of W and ΔW whose entries are off by a few roundings of |W| + |ΔW|."""
        error = (matrix[0].numel() + 16) * UNIT * (1 + self.eta)
        return log_of(torch.linalg.matrix_norm(matrix) / self.size, error)

    @property
    def moved(self) -> Log:
        """The logarithm of ‖W⁺ − W‖/‖W‖."""
        p = (1 - self.shrinkage)[:, None, None]
        return self.relative(p * self.change - self.shrinkage[:, None, None] * self.weight)

    @property
    def grown(self) -> Log:
        """The logarithm of ‖W + ΔW‖/‖W‖."""
        return self.relative(self.weight + self.change)


def _ends(log: Log) -> Ends:
    return log.value, *log.ends


def _sum(*terms: Log) -> Log:
    """The logarithms of several terms side by side."""
    return Log(torch.stack([t.value for t in terms], -1), torch.stack([t.error for t in terms], -1))


def _sizes(u: Update) -> Terms:
    eta, shrink = exact(torch.log(u.eta)), exact(torch.log(u.shrinkage))
    half = exact(torch.log(u.eta**2 / 2))
    one_plus = exact(torch.log1p(u.eta))
    return plain(
        {
            "split": _sum(eta, shrink + u.grown),
            "grown": _sum(eta, shrink + one_plus),
            "second": _sum(eta, half + one_plus),
        }
    )


def _nonzero(u: Update) -> Tensor:
    return (u.size > 0) & (torch.linalg.matrix_norm(u.gradient) > 0) & (u.eta > 0)


def _orthogonal(u: Update) -> Tensor:
    product = (u.weight * u.gradient).sum((-1, -2)).abs()
    limit = u.weight[0].numel() * UNIT * u.size * torch.linalg.matrix_norm(u.gradient)
    return _nonzero(u) & (product <= limit)


def _pythagoras(u: Update) -> Log:
    return exact(torch.log1p(u.eta**2) / 2)


def _growth(u: Update) -> Terms:
    return plain({"grown": u.grown.column, "root": _pythagoras(u).column})


def _least_move(u: Update) -> Ends:
    """p(1+η) − 1 = p(η − η²/(1 + √(1+η²)))."""
    root = torch.sqrt(1 + u.eta**2)
    return _ends(exact(torch.log((u.eta - u.eta**2 / (1 + root)) / root)))


def draw(batch: int, width: int, seed: int, orthogonal: bool = False) -> Update:
    """Gaussian W and g, η from 10⁻⁴ to 1, log-uniform.

    Args:
        batch: how many.
        width: rows and columns of W.
        seed: of everything random.
        orthogonal: whether g is made orthogonal to W.
    """
    rng = generator(seed)
    weight, gradient = normal((batch, width, width), rng), normal((batch, width, width), rng)
    if orthogonal:
        for _ in range(2):  # once leaves a rounding error
            share = (weight * gradient).sum((-1, -2)) / (weight**2).sum((-1, -2))
            gradient = gradient - share[:, None, None] * weight
    return Update(weight, gradient, 10 ** uniform((batch,), rng, -4, 0))


def _draws(setup: Setup) -> Iterator[tuple[str, Update]]:
    yield "random", draw(setup.batch, setup.width, setup.seed)
    yield "orthogonal", draw(setup.batch, setup.width, setup.seed, orthogonal=True)


RELATIVE_SIZE = Chain(
    "fromage.relative-size",
    "‖W⁺ − W‖/‖W‖ ≤ η + η²(1+η)/2",
    lambda u: _ends(u.moved),
    _sizes,
    _nonzero,
    (
        Step(
            "triangle inequality",
            "W⁺ − W = ΔW − (1−p)(W + ΔW), and ‖ΔW‖ = η‖W‖",
            "alignment",
            ("triangle",),
            lambda t: t.picked("split"),
        ),
        Step("triangle inequality", "‖W + ΔW‖ ≤ (1+η)‖W‖", "alignment", ("triangle",), lambda t: t.picked("grown")),
        Step("prefactor", "1 − p ≤ η²/2", "linearisation", ("prefactor",), lambda t: t.picked("second")),
    ),
    _draws,
    layered=False,
)
NORM_GROWTH = Chain(
    "fromage.norm-growth",
    "⟨g, W⟩ = 0 ⇒ ‖W + ΔW‖ = √(1+η²)‖W‖",
    lambda u: _ends(_pythagoras(u)),
    _growth,
    _orthogonal,
    (
        Step("Pythagoras", "√(1+η²) ≤ ‖W + ΔW‖/‖W‖", "identity", ("pythagoras",), lambda t: t.picked("grown")),
        Step("Pythagoras", "‖W + ΔW‖/‖W‖ ≤ √(1+η²)", "identity", ("pythagoras",), lambda t: t.picked("root")),
    ),
    _draws,
    layered=False,
)
FIXED_POINT = Chain(
    "fromage.fixed-point",
    "‖W⁺ − W‖ ≥ (p(1+η) − 1)‖W‖ > 0",
    _least_move,
    lambda u: plain({"moved": u.moved.column}),
    _nonzero,
    (
        Step(
            "triangle inequality",
            "pη‖W‖ = ‖pΔW‖ ≤ ‖W⁺ − W‖ + (1−p)‖W‖",
            "alignment",
            ("triangle", "fixed-point"),
            lambda t: t.picked("moved"),
        ),
    ),
    _draws,
    layered=False,
)
CHAINS = (RELATIVE_SIZE, NORM_GROWTH, FIXED_POINT)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
