"""A witness's network in exact rational arithmetic, or in balls where a φ is transcendental.

Independent of the float path: nothing here uses `measure`, `propagate`, `spectra` or torch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz

from drt.errors import InputError
from drt.exact.singular import SingularValues
from drt.exact.surds import rational
from drt.network.activations import Negated, PiecewiseLinear, SoftplusBlend, TanhBlend, parse_activation
from drt.numeric.caching import cached_property
from drt.witness.witness import Witness

Vector = Any  # fmpq_mat or arb_mat with one column


class Piecewise:
    """φ(z) = ±∫₀ᶻ s, s the slopes between kinks; exact on rationals. At a kink, the slope on its left."""

    exact = True

    def __init__(self, kinks: list[fmpq], slopes: list[fmpq], sign: int):
        self.kinks, self.sign = kinks, sign
        self.slopes = [sign * s for s in slopes]
        self.alpha, self.beta = min(slopes), max(slopes)

    def value(self, z: Any) -> Any:
        """φ(z)."""
        zero = type(z)(0)
        total = zero
        for j, slope in enumerate(self.slopes):
            low = self.kinks[j - 1] if j else None
            high = self.kinks[j] if j < len(self.kinks) else None
            total += slope * (_clamp(z, low, high) - _clamp(zero, low, high))
        return total

    def slope(self, z: Any) -> Any:
        """φ'(z), rational; or, where a ball z may be on either side of a kink, an enclosure of its slopes there."""
        if isinstance(z, fmpq):
            return self.slopes[bisect_left(self.kinks, z)]
        first = sum(1 for k in self.kinks if z > k)
        last = len(self.kinks) - sum(1 for k in self.kinks if z <= k)
        if first == last:
            return self.slopes[first]
        result = arb(self.slopes[first])
        for slope in self.slopes[first + 1 : last + 1]:
            result = result.union(arb(slope))
        return result

    def at_kink(self, z: Any) -> bool | None:
        """Whether z is a kink; None where a ball cannot tell."""
        if isinstance(z, fmpq):
            return z in self.kinks
        return False if all(z < k or z > k for k in self.kinks) else None


class Smooth:
    """φ(z) = ±[a·z + (1 − a)·ψ(z)], in balls; ψ' in (0, 1]."""

    exact = False

    def __init__(self, a: fmpq, psi: Callable[[arb], arb], derivative: Callable[[arb], arb], sign: int):
        self.a, self.psi, self.derivative, self.sign = a, psi, derivative, sign
        self.alpha, self.beta = a, fmpq(1)

    def value(self, z: arb) -> arb:
        """φ(z)."""
        return self.sign * (self.a * z + (1 - self.a) * self.psi(z))

    def slope(self, z: arb) -> arb:
        """φ'(z)."""
        return self.sign * (self.a + (1 - self.a) * self.derivative(z))

    def at_kink(self, z: Any) -> bool:
        """There is none."""
        return False


def phi(spec: str) -> Piecewise | Smooth:
    """The φ of a spec, its parameters the doubles that it names, exactly.

    Raises:
        InputError: a kind of activation that has no exact form here.
    """
    activation, sign = parse_activation(spec), 1
    if isinstance(activation, Negated):
        activation, sign = activation.base, -1
    if isinstance(activation, PiecewiseLinear):
        return Piecewise([_exact(k) for k in activation.kinks], [_exact(s) for s in activation.slopes], sign)
    if isinstance(activation, TanhBlend):
        return Smooth(_exact(activation.a), lambda z: z.tanh(), _tanh_slope, sign)
    if isinstance(activation, SoftplusBlend):
        return Smooth(_exact(activation.a), _softplus, _sigmoid, sign)
    raise InputError(f"activation={spec!r} has no exact form: it cannot be certified")


class ExactNetwork:
    """f and f̃ of a witness: matrices, singular values, hidden states and Jacobians.

    States of piecewise-linear networks are rationals, computed once; the others are balls, at each working precision.
    """

    def __init__(self, witness: Witness):
        self.witness = witness
        self.phis = [phi(spec) for spec in witness.activations]
        self.rational = all(p.exact for p in self.phis)
        self.depth = len(self.phis)
        self.w = [_matrix(m) for m in witness.weights]
        self.dw = [_matrix(m) for m in witness.dweights]
        self.wt = [w + dw for w, dw in zip(self.w, self.dw, strict=True)]
        none = (None,) * self.depth
        self.biases = [None if b is None else _column(b) for b in witness.biases or none]
        changes = [None if b is None else _column(b) for b in witness.dbiases or none]
        pairs = zip(self.biases, changes, strict=True)
        self.moved_biases = [b if b is None or db is None else b + db for b, db in pairs]
        self.x = _column(witness.x)
        self._cache: dict[tuple[str, int], Any] = {}

    @property
    def widths(self) -> tuple[int, ...]:
        """(n_0, …, n_L)."""
        return (self.x.nrows(), *(w.nrows() for w in self.w))

    @cached_property
    def spectra(self) -> dict[str, list[SingularValues]]:
        """Of the W_l ("w"), ΔW_l ("dw") and W̃_l ("wt")."""
        return {name: [SingularValues(m) for m in getattr(self, name)] for name in ("w", "dw", "wt")}

    def once(self, name: str, exact: bool, compute: Callable[[], Any]) -> Any:
        """What `compute` returns: asked once, or once for each working precision where it is not exact."""
        key = (name, 0 if exact else ctx.prec)
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def states(self, moved: bool = False) -> tuple[list[Vector], list[Vector]]:
        """(h_0 … h_L, z_1 … z_L) of f, or of f̃."""
        weights, biases = (self.wt, self.moved_biases) if moved else (self.w, self.biases)
        return self.once(f"states {moved}", self.rational, lambda: self._forward(self.x, weights, biases, 0))

    def _forward(self, h: Vector, weights: list, biases: list, start: int) -> tuple[list[Vector], list[Vector]]:
        hidden, pre = [h], []
        for layer in range(start, self.depth):
            z = times(weights[layer], hidden[-1])
            if biases[layer] is not None:
                z = _plus(z, biases[layer])
            activation = self.phis[layer]
            if not activation.exact and isinstance(z, fmpq_mat):
                z = arb_mat(z)
            pre.append(z)
            hidden.append(type(z)(z.nrows(), 1, [activation.value(v) for v in z.entries()]))
        return hidden, pre

    def change(self) -> Vector:
        """f̃(x) − f(x): exactly 0 where no pre-activation moved, though the two are balls."""
        before, after = self.states(False), self.states(True)
        if self.rational:
            return minus(after[0][-1], before[0][-1])
        moved: Vector = fmpq_mat(self.x.nrows(), 1)
        for k in range(self.depth):
            step = _plus(times(self.wt[k], moved), times(self.dw[k], before[0][k]))
            bias, moved_bias = self.biases[k], self.moved_biases[k]
            if bias is not None and moved_bias is not None:
                step = _plus(step, moved_bias - bias)
            gap = arb_mat(minus(after[0][k + 1], before[0][k + 1])).entries()
            still = [v == 0 for v in step.entries()]  # of a ball: certainly 0
            moved = arb_mat(len(still), 1, [0 if zero else g for zero, g in zip(still, gap, strict=True)])
        return moved

    def output_from(self, layer: int, h: Vector) -> tuple[list[Vector], list[Vector]]:
        """The states above layer l, of f, from any h_l."""
        return self._forward(h, self.w, self.biases, layer)

    def jacobian(self, layer: int, moved: bool = False, exact: bool = True) -> Any:
        """J_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1}, of f or of f̃; in balls where a slope is one or exact is not asked for."""
        name = f"jacobian {layer} {moved} {exact}"
        return self.once(name, exact and self.rational, lambda: self._product(layer, moved, exact))

    def _product(self, layer: int, moved: bool, exact: bool) -> Any:
        pre = self.states(moved)[1]
        weights = self.wt if moved else self.w
        slopes: list[list[Any]] = [[p.slope(v) for v in z.entries()] for p, z in zip(self.phis, pre, strict=True)]
        rational = all(isinstance(s, fmpq) for layers in slopes[layer:] for s in layers)
        kind = fmpq_mat if exact and rational else arb_mat
        product = None
        for k in range(layer, self.depth):
            product = kind(weights[k]) if product is None else kind(weights[k]) * product
            columns, entries = product.ncols(), product.entries()
            product = kind(len(slopes[k]), columns, [slopes[k][i // columns] * v for i, v in enumerate(entries)])
        return product


def squared_norm(matrix: Any) -> Any:
    """Σ of the squares of the entries, fmpq or arb."""
    if isinstance(matrix, fmpq_mat):
        numerators, denominator = matrix.numer_denom()
        return fmpq(sum((v * v for v in numerators.entries()), fmpz(0)), denominator * denominator)
    total = arb(0)
    for v in matrix.entries():
        total += v * v
    return total


def minus(a: Any, b: Any) -> Any:
    """A − b, in balls where one of them is."""
    return _plus(a, -1 * b)


def _tanh_slope(z: arb) -> arb:
    """1/cosh² z = 4e/(1 + e)², e = exp(−2|z|): neither overflows."""
    e = (-2 * abs(z)).exp()
    return 4 * e / (1 + e) ** 2


def _softplus(z: arb) -> arb:
    """log(1 + eᶻ) − log 2, exactly 0 at 0."""
    if z.is_zero():
        return arb(0)
    ramp = z if z > 0 else arb(0)  # its exponential would leave arb's range
    return ramp + (z - 2 * ramp).exp().log1p() - arb(2).log()


def _sigmoid(z: arb) -> arb:
    """1/(1 + e⁻ᶻ)."""
    return 1 / (1 + (-z).exp()) if z > 0 else z.exp() / (1 + z.exp())


def _clamp(z: Any, low: fmpq | None, high: fmpq | None) -> Any:
    if isinstance(z, arb):
        z = z if low is None else z.max(arb(low))
        return z if high is None else z.min(arb(high))
    z = z if low is None else max(z, low)
    return z if high is None else min(z, high)


def _exact(value: float) -> fmpq:
    result = rational(value)
    if result is None:
        raise InputError(f"activation parameter {value!r} must be finite")
    return result


def _matrix(rows: tuple[tuple[fmpq, ...], ...]) -> fmpq_mat:
    return fmpq_mat(len(rows), len(rows[0]), [v for row in rows for v in row])


def _column(vector: tuple[fmpq, ...]) -> fmpq_mat:
    return fmpq_mat(len(vector), 1, list(vector))


def times(a: fmpq_mat, b: Any) -> Any:
    """A·b, in balls where b is."""
    return a * b if isinstance(b, fmpq_mat) else arb_mat(a) * b


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, fmpq_mat) and isinstance(b, fmpq_mat):
        return a + b
    return arb_mat(a) + arb_mat(b)
