"""Largest and smallest singular values of a rational matrix, enclosed rigorously or exact.

Three routes, cheapest first:

1.  AᵀA diagonal: the squares are its diagonal, exactly. (Columns, rows, multiples of orthogonal matrices.)
2.  Floating-point U, σ, V (numpy), made rigorous in integers: with a = ‖UᵀU − I‖_F, b = ‖VᵀV − I‖_F, V square and
    e = ‖AV − Uσ‖_F,   s_i(A) ∈ [(σ_i√(1−a) − e)/√(1+b), (σ_i√(1+a) + e)/√(1−b)]   (Weyl; Ostrowski).
3.  Eigenvalues of AᵀA in balls (FLINT's certified solver), at a precision that rises until s_min is told from zero.

s_min is the smallest of the min(m, n) singular values; it is exactly 0 where the exact rank is less.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
from flint import acb_mat, arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz, fmpz_mat

from drt.numeric.caching import cached_property

try:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
except ImportError:
    _one_thread: Any = nullcontext
else:
    # Threads that wait for each other make a small SVD up to 100 times slower.
    _one_thread = partial(ThreadpoolController().limit, limits=1, user_api="blas")

FIXED = 54  # fractional bits of U, σ and V
POOR = 2.0**-30  # a relative error of s_min beyond which the float route is given up
MAX_BITS = 4096  # κ to 1e600


class SingularValues:
    """The extreme singular values of one exact matrix, and its exact rank and Frobenius norm."""

    def __init__(self, matrix: fmpq_mat):
        tall = matrix.nrows() >= matrix.ncols()
        self.tall = matrix if tall else matrix.transpose()
        self.size = self.tall.ncols()

    @cached_property
    def frobenius_squared(self) -> fmpq:
        numerators, denominator = self.tall.numer_denom()
        return fmpq(sum((v * v for v in numerators.entries()), fmpz(0)), denominator**2)

    @property
    def is_zero(self) -> bool:
        return self.frobenius_squared == 0

    @cached_property
    def full_rank(self) -> bool:
        return self.tall.rank() == self.size

    @cached_property
    def gram(self) -> fmpq_mat:
        return self.tall.transpose() * self.tall

    @cached_property
    def diagonal_squares(self) -> tuple[fmpq, fmpq] | None:
        """(s_max², s_min²) where AᵀA is diagonal."""
        if self.size > 1 and not self._first_columns_orthogonal():
            return None
        rows = self.gram.tolist()
        if any(rows[i][j] for i in range(self.size) for j in range(i)):
            return None
        diagonal = [rows[i][i] for i in range(self.size)]
        return max(diagonal), min(diagonal)

    def _first_columns_orthogonal(self) -> bool:
        # Spares the whole of AᵀA where it is not diagonal.
        pairs = ((self.tall[i, 0], self.tall[i, 1]) for i in range(self.tall.nrows()))
        return sum((p * q for p, q in pairs), fmpq(0)) == 0

    @cached_property
    def exact_squares(self) -> tuple[fmpq, fmpq] | None:
        """(s_max², s_min²) where they are found to be rational: AᵀA diagonal, or small with rational eigenvalues only."""
        if self.diagonal_squares is not None or self.size > 8:
            return self.diagonal_squares
        numerators, denominator = self.gram.numer_denom()
        _, factors = numerators.charpoly().factor()
        if any(factor.degree() > 1 for factor, _ in factors):
            return None
        roots = [fmpq(-factor[0], factor[1] * denominator) for factor, _ in factors]
        return max(roots), min(roots)

    def enclosure(self, bits: int) -> tuple[arb, arb]:
        """(s_max, s_min) in balls, of `bits` bits or, where 128 are asked, at least as good as double precision gives."""
        squares = self.diagonal_squares
        if squares is not None:
            return arb(squares[0]).sqrt(), arb(squares[1]).sqrt()
        largest, smallest = self._by_residuals if bits <= 128 else self._by_eigenvalues(bits)
        return largest, smallest if self.full_rank else arb(0)

    @cached_property
    def _by_residuals(self) -> tuple[arb, arb]:
        numerators, denominator = self.tall.numer_denom()
        entries = numerators.entries()
        exponent = max(abs(v) for v in entries).bit_length()
        # A = (scaled + rounding)·2^(exponent − 60)/denominator, rounding in [0, 1] entrywise
        scaled = (
            [v * 2 ** (60 - exponent) for v in entries] if exponent <= 60 else [v >> (exponent - 60) for v in entries]
        )
        shape = self.tall.nrows(), self.size
        floats = np.array([int(v) for v in scaled], dtype=np.float64).reshape(shape) / 2.0**60
        try:
            with _one_thread():
                u, s, vt = np.linalg.svd(floats, full_matrices=False)
        except np.linalg.LinAlgError:
            return self._by_eigenvalues(128)
        u_fixed, v_fixed = _fixed(u), _fixed(vt.T)
        sigma = [int(v) for v in np.rint(s * 2.0**FIXED).tolist()]
        a, b = _defect(u_fixed), _defect(v_fixed)
        if not (a < 0.5 and b < 0.5):
            return self._by_eigenvalues(128)
        diagonal = fmpz_mat(self.size, self.size, _diagonal([v * 2 ** (60 - FIXED) for v in sigma]))
        e = _frobenius(fmpz_mat(self.tall.nrows(), self.size, scaled) * v_fixed - u_fixed * diagonal) / arb(2) ** (
            60 + FIXED
        )
        if exponent > 60:
            e += arb(shape[0] * shape[1]).sqrt() * (1 + b).sqrt() / arb(2) ** 60
        high, low = fmpq(sigma[0], 2**FIXED), fmpq(sigma[-1], 2**FIXED)
        unit = arb(fmpq(1, denominator)) * arb(2) ** exponent
        lowers, uppers = zip(*(_ends(v, a, b, e) for v in (high, low)), strict=True)
        if self.full_rank and not uppers[1] - lowers[1] < lowers[1] * POOR:
            return self._by_eigenvalues(128)
        return lowers[0].union(uppers[0]) * unit, lowers[1].union(uppers[1]) * unit

    def _by_eigenvalues(self, bits: int) -> tuple[arb, arb]:
        precision = 2 * bits
        while True:
            with ctx.workprec(precision):
                values = _eigenvalues(self.gram)
                if values is not None:
                    largest, smallest = values[0], values[0]
                    for value in values[1:]:
                        largest, smallest = largest.max(value), smallest.min(value)
                    if smallest > 0 or not self.full_rank:
                        return largest.sqrt(), smallest.nonnegative_part().sqrt()
                if precision >= MAX_BITS:
                    norm = arb(self.frobenius_squared).sqrt()
                    return (norm / arb(self.size).sqrt()).union(norm), arb(0).union(norm)
            precision *= 2


def _fixed(matrix: np.ndarray) -> fmpz_mat:
    rows, columns = matrix.shape
    return fmpz_mat(rows, columns, np.rint(matrix * 2.0**FIXED).astype(np.int64).ravel().tolist())


def _diagonal(values: list[int]) -> list[int]:
    n = len(values)
    return [values[i] if i == j else 0 for i in range(n) for j in range(n)]


def _frobenius(matrix: fmpz_mat) -> arb:
    return arb(sum((v * v for v in matrix.entries()), fmpz(0))).sqrt()


def _defect(fixed: fmpz_mat) -> arb:
    """‖XᵀX − I‖_F."""
    n = fixed.ncols()
    return _frobenius(fixed.transpose() * fixed - fmpz_mat(n, n, _diagonal([4**FIXED] * n))) / arb(4) ** FIXED


def _ends(sigma: fmpq, a: arb, b: arb, e: arb) -> tuple[arb, arb]:
    lower = ((1 - a).sqrt() * sigma - e).nonnegative_part() / (1 + b).sqrt()
    return lower, ((1 + a).sqrt() * sigma + e) / (1 - b).sqrt()


def _eigenvalues(gram: fmpq_mat) -> list[arb] | None:
    try:
        values = acb_mat(arb_mat(gram)).eig(multiple=True)
    except ValueError:  # clusters not isolated at this precision
        return None
    return [value.real for value in values]  # a symmetric matrix has real ones
