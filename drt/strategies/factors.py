"""Matrices kept as A = P diag(s) Qᵀ in exact rationals, so that rank, κ and singular values are what was asked for.

P and Q are products of Householder reflectors I − 2vvᵀ/vᵀv of whole-number vectors v; rounding happens once, entry by
entry, when A becomes a tensor. That moves a singular value by at most u·‖A‖_F, well inside `Spectrum.error`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from flint import fmpq, fmpq_mat
from torch import Tensor

from drt.measurement.sampling import Matrix
from drt.network.activations import Activation

# A layer's output must exceed this share of ‖W‖·‖h‖, far above rounding; so must the distance to a kink.
CLEARLY_NON_ZERO = 1e-9


def reflector(v: Sequence[int]) -> fmpq_mat:
    """The reflector I − 2vvᵀ/vᵀv; the identity for v = 0."""
    n, square = len(v), sum(i * i for i in v)
    return fmpq_mat(
        n, n, [fmpq(i == j) - (fmpq(2 * v[i] * v[j], square) if square else 0) for i in range(n) for j in range(n)]
    )


def frame(n: int, vectors: Iterable[Sequence[int]] = ()) -> fmpq_mat:
    """The orthogonal n×n product of these reflectors; the identity where there are none."""
    product = reflector([0] * n)
    for v in vectors:
        product = product * reflector(v)
    return product


@dataclass(frozen=True)
class Factors:
    """A = P diag(s) Qᵀ: P is m×m, Q is n×n, s the min(m, n) singular values in any order."""

    left: fmpq_mat
    singular: tuple[fmpq, ...]
    right: fmpq_mat

    def matrix(self) -> Matrix:
        """A and its singular values, each number rounded once."""
        m, n = self.left.nrows(), self.right.nrows()
        middle = fmpq_mat(m, n, [self.singular[i] if i == j else fmpq(0) for i in range(m) for j in range(n)])
        product = self.left * middle * self.right.transpose()
        rows = [[_float(product[i, j]) for j in range(n)] for i in range(m)]
        values = sorted(map(_float, self.singular), reverse=True)
        return Matrix(torch.tensor(rows, dtype=torch.float64), torch.tensor(values, dtype=torch.float64))

    @property
    def s_max(self) -> float:
        """‖A‖₂."""
        return _float(max(self.singular))

    @property
    def frobenius(self) -> float:
        """‖A‖_F."""
        return math.sqrt(_float(sum((s * s for s in self.singular), fmpq(0))))

    def scaled(self, by: float) -> Factors:
        """c·A for c ≥ 0."""
        return replace(self, singular=tuple(exact(by) * s for s in self.singular))

    def negated(self) -> Factors:
        """−A."""
        return replace(self, left=-1 * self.left)

    def _aimed(self, j: int) -> Factors:
        """A with the same singular values and P, but e_j as the right singular vector of the largest one."""
        top = self.singular.index(max(self.singular))
        v = [0] * self.right.nrows()
        if j != top:
            v[j], v[top] = 1, -1  # the reflector that swaps the two
        return replace(self, right=reflector(v))

    def _turned(self, t: int) -> Factors:
        """The product of t·A with a reflector on either side, both without a zero entry and different for each t."""
        left = [1 + (t + i * i) % 7 for i in range(self.left.nrows())]
        right = [1 + (2 * t + 3 * i) % 5 for i in range(self.right.nrows())]
        return replace(self.scaled(t), left=reflector(left) * self.left, right=reflector(right) * self.right)

    def variants(self, direction: int) -> Iterator[Factors]:
        """Candidates with A's rank and condition number, to be tried in turn.

        First ±A. Then ±A turned so that its largest singular direction is e_direction, hence A·e_direction ≠ 0. Then 99 pairs
        of ever more generic rotations of it.
        """
        aimed = self._aimed(direction)
        for a in (self, aimed):
            yield from (a, a.negated())
        for t in range(1, 100):
            yield from (aimed._turned(t), aimed._turned(t).negated())


def lets_through(
    w: Tensor, bias: Tensor | None, phi: Activation, h: Tensor, jacobian: Tensor, off_kinks: bool
) -> tuple[Tensor, Tensor] | None:
    """The layer's output φ(z), z = Wh + b, and its Jacobian Φ'(z)·W·∂h/∂x; None where one of them vanishes.

    Args:
        w: W, (m, n).
        bias: b, (m,), or None.
        phi: φ.
        h: what comes from the layer below, (n,).
        jacobian: ∂h/∂x, (n, n_0).
        off_kinks: whether to return None where an entry of z is at a kink of φ, too.
    """
    z = w @ h if bias is None else w @ h + bias
    size = CLEARLY_NON_ZERO * torch.linalg.matrix_norm(w, 2)
    if off_kinks and phi.has_kink_within(z, size * torch.linalg.vector_norm(h)).any():
        return None
    state, image = phi(z), phi.slope(z).unsqueeze(-1) * (w @ jacobian)
    alive = torch.linalg.vector_norm(state) > size * torch.linalg.vector_norm(h)
    alive &= torch.linalg.matrix_norm(image) > size * torch.linalg.matrix_norm(jacobian)
    return (state, image) if alive else None


def exact(value: float) -> fmpq:
    """The float as a rational."""
    return fmpq(*float(value).as_integer_ratio())


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)
