"""Counterexamples to descent claims in exact arithmetic: piecewise-linear scalar or small networks, rational, squared loss.

    𝓛 = ½·Σ_i ‖f(x_i) − y_i‖²/N;  loss, gradients and their squared norms at W and W + ΔW are rational numbers. Roots and
    products of roots are balls of 256 bits: an inequality is claimed only where the balls are apart.

Independent of `drt.descent`: its own forward and backward pass, in fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, ctx, fmpq, fmpq_mat

from drt.caching import cached_property
from drt.certify import Certificate
from drt.errors import InputError

BITS = 256
Rows = Sequence[Sequence[int | str | fmpq]]


@dataclass(frozen=True)
class ExactDescent:
    """A rational network with leaky slope `a` in its hidden layers (the last is linear), a perturbation, inputs, targets.

    weights, dweights: rows of rationals ("1/2") a layer; x, y: one row an input.
    """

    weights: Sequence[Rows]
    dweights: Sequence[Rows]
    x: Rows
    y: Rows
    a: str = "1"

    @property
    def slope(self) -> fmpq:
        """The slope a."""
        return _rational(self.a)

    def __str__(self) -> str:
        layers = zip(self.weights, self.dweights, strict=True)
        parts = [f"W_{k} = {_text(w)}, ΔW_{k} = {_text(dw)}" for k, (w, dw) in enumerate(layers, start=1)]
        return "; ".join(
            [f"φ: slope {self.a} below 0, last layer linear", *parts, f"x = {_text(self.x)}, y = {_text(self.y)}"]
        )

    @cached_property
    def _matrices(self) -> tuple[list[fmpq_mat], list[fmpq_mat]]:
        return [_matrix(w) for w in self.weights], [_matrix(dw) for dw in self.dweights]

    def at(self, moved: bool) -> tuple[fmpq, list[fmpq_mat]]:
        """(𝓛, g_1 … g_L) at W, or at W + ΔW.

        Raises:
            InputError: a pre-activation is 0: there is no gradient at a kink.
        """
        ws, dws = self._matrices
        weights = [w + dw for w, dw in zip(ws, dws, strict=True)] if moved else ws
        slope, x, y = self.slope, _matrix(self.x).transpose(), _matrix(self.y).transpose()
        hidden, slopes = [x], []
        for layer, w in enumerate(weights):
            z = w * hidden[-1]
            last = layer == len(weights) - 1
            if not last and slope != 1 and any(v == 0 for v in z.entries()):
                raise InputError("a pre-activation is 0: a kink, where there is no gradient")
            slopes.append(_map(z, lambda v, last=last: fmpq(1) if last or v > 0 else slope))
            hidden.append(_hadamard(slopes[-1], z))
        error = hidden[-1] - y
        n = fmpq(x.ncols())
        loss = _square(error) / (2 * n)
        back = error * (1 / n)
        gradients: list[fmpq_mat] = []
        for layer in range(len(weights) - 1, -1, -1):
            e = _hadamard(slopes[layer], back)
            gradients.insert(0, e * hidden[layer].transpose())
            back = weights[layer].transpose() * e
        return loss, gradients

    def certify(self, claim_id: str) -> Certificate:
        """Whether this is a counterexample to the claim: `violated`, `inapplicable`, or `holds` (it is none).

        Raises:
            InputError: a claim that this cannot decide.
        """
        with ctx.workprec(BITS):
            if claim_id == "lemma2.unconditional":
                return self._lemma2(claim_id)
            if claim_id in ("deep-relative-trust", "spectral-relative-trust"):
                return self._trust(claim_id)
        raise InputError(
            f"claim {claim_id!r} has no exact counterexample; expected one of {', '.join(COUNTEREXAMPLES)}"
        )

    def _lemma2(self, claim_id: str) -> Certificate:
        before, gradients = self.at(False)
        after, _ = self.at(True)
        deltas = self._relative(spectral=False)
        depth = len(deltas)
        for g, dw, (_, eta) in zip(gradients, self._matrices[1], deltas, strict=True):
            sizes = (arb(_square(g)) * arb(_square(dw))).sqrt()
            cosine = -arb(_inner(g, dw)) / sizes
            for _, delta in deltas:
                if not (1 + delta) ** depth < 1 + cosine:
                    return Certificate(claim_id, "inapplicable", f"η = {float(eta.mid())} is not allowed", bits=BITS)
        return _decided(claim_id, arb(after), arb(before), strict=False)

    def _trust(self, claim_id: str) -> Certificate:
        (_, before), (_, after) = self.at(False), self.at(True)
        if any(_square(g) == 0 for g in before):
            return Certificate(claim_id, "inapplicable", "a gradient is zero", bits=BITS)
        changes = [(arb(_square(b - a)) / arb(_square(a))).sqrt() for a, b in zip(before, after, strict=True)]
        product = arb(1)
        for _, ratio in self._relative(spectral=claim_id.startswith("spectral")):
            product *= 1 + ratio
        largest = changes[0]
        for change in changes[1:]:
            largest = largest.max(change)
        return _decided(claim_id, largest, product - 1, strict=True)

    def _relative(self, spectral: bool) -> list[tuple[int, arb]]:
        """Layer and δ_l, or an upper bound on ρ_l: ‖ΔW‖₂ ≤ ‖ΔW‖_F, and ‖W‖₂² ≥ ‖W‖_F²/rank; equal for scalars."""
        found = []
        for layer, (w, dw) in enumerate(zip(*self._matrices, strict=True)):
            square = arb(_square(dw)) / arb(_square(w))
            found.append((layer, (square * min(w.nrows(), w.ncols()) if spectral else square).sqrt()))
        return found


def _decided(claim_id: str, lhs: arb, rhs: arb, strict: bool) -> Certificate:
    violated = lhs > rhs if strict else lhs >= rhs
    answer = "violated" if violated else "holds" if lhs <= rhs else "undecided"
    left, right, ratio = ((float(v.lower()), float(v.upper())) for v in (lhs, rhs, lhs / rhs))
    return Certificate(claim_id, answer, lhs=left, rhs=right, ratio=ratio, bits=BITS)


def _text(rows: Rows) -> str:
    return "[" + "; ".join(" ".join(map(str, row)) for row in rows) + "]"


def _rational(value: int | str | fmpq) -> fmpq:
    if isinstance(value, str):
        top, _, bottom = value.partition("/")
        return fmpq(int(top), int(bottom or 1))
    return fmpq(value)


def _matrix(rows: Rows) -> fmpq_mat:
    return fmpq_mat(len(rows), len(rows[0]), [_rational(v) for row in rows for v in row])


def _map(matrix: fmpq_mat, function) -> fmpq_mat:
    return fmpq_mat(matrix.nrows(), matrix.ncols(), [function(v) for v in matrix.entries()])


def _hadamard(a: fmpq_mat, b: fmpq_mat) -> fmpq_mat:
    return fmpq_mat(a.nrows(), a.ncols(), [p * q for p, q in zip(a.entries(), b.entries(), strict=True)])


def _inner(a: fmpq_mat, b: fmpq_mat) -> fmpq:
    return sum((p * q for p, q in zip(a.entries(), b.entries(), strict=True)), fmpq(0))


def _square(a: fmpq_mat) -> fmpq:
    return _inner(a, a)


# f(x) = w₂·φ(w₁x), φ leaky with slope ½, on the side where z > 0: at w = (1, 1), x = 1, y = 9/10 both gradients are 1/10.
_SCALARS = {"weights": ([[1]], [[1]]), "x": [[1]], "y": [["9/10"]], "a": "1/2"}
_STEP = ([["-1/5"]], [["-1/5"]])  # against the gradient, η = 1/5 < √2 − 1; the output goes from 1 past 9/10 to 16/25
COUNTEREXAMPLES = {
    # 𝓛: 1/200 → 169/5000
    "lemma2.unconditional": ExactDescent(dweights=_STEP, **_SCALARS),  # type: ignore[arg-type]
    # g: (1/10, 1/10) → −(26/125, 26/125): changed by 308 %, where (1 + 1/5)² − 1 allows 44 %
    "deep-relative-trust": ExactDescent(dweights=_STEP, **_SCALARS),  # type: ignore[arg-type]
    "spectral-relative-trust": ExactDescent(dweights=_STEP, **_SCALARS),  # type: ignore[arg-type]
}
