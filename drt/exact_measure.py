"""What `drt.measure.Measurement` holds, for one witness, in exact or ball numbers; and its hypotheses, checked exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from flint import arb, fmpq

from drt.balls import Balls, Undecided
from drt.exact import ExactNetwork, minus, squared_norm, times
from drt.hypotheses import hypotheses
from drt.surds import Surd


class ExactMeasurement:
    """The fields of `drt.measure.Measurement`, as unbatched `Balls`: scalars of shape (), layers of shape (n,).

    exact: entries are `Surd` wherever the true value is one; else all are balls of `bits` bits. To be used
    within `flint.ctx.workprec(bits)`: fields are computed when first read.
    """

    batch_shape: tuple[int, ...] = ()

    def __init__(self, net: ExactNetwork, quantity: str, layer: int, bits: int, exact: bool):
        self.net, self.quantity, self.layer, self.bits, self.exact = net, quantity, layer, bits, exact
        self.depth = net.depth - layer
        self.widths = net.widths[layer:]

    # Numbers: a square root of a rational is a Surd where exact numbers are asked for, a ball elsewhere.
    def _number(self, q: fmpq) -> Any:
        return Surd.of(q) if self.exact else arb(q)

    def _root(self, square: Any) -> Any:
        if isinstance(square, fmpq):
            return Surd.root(square) if self.exact else arb(square).sqrt()
        return square.nonnegative_part().sqrt()

    def _layers(self, field: Callable[[int], Any]) -> Balls:
        return Balls([field(k) for k in range(self.layer, self.net.depth)])

    def _extreme(self, which: str, k: int) -> tuple[Any, Any]:
        matrix = self.net.spectra[which][k]
        if matrix.is_zero:
            return self._number(fmpq(0)), self._number(fmpq(0))
        squares = matrix.exact_squares if self.exact else None
        return (self._root(squares[0]), self._root(squares[1])) if squares else matrix.enclosure(self.bits)

    def _norm(self, which: str, k: int) -> Any:
        return self._extreme(which, k)[0]

    def _condition(self, which: str, k: int) -> Any:
        matrix = self.net.spectra[which][k]
        if matrix.is_zero and which == "dw":
            return self._number(fmpq(1))
        if not matrix.full_rank:
            return arb("inf")
        largest, smallest = self._extreme(which, k)
        return largest / smallest

    @cached_property
    def alphas(self) -> Balls:
        return self._layers(lambda k: self._number(self.net.phis[k].alpha))

    @cached_property
    def betas(self) -> Balls:
        return self._layers(lambda k: self._number(self.net.phis[k].beta))

    @cached_property
    def alpha(self) -> Balls:
        return Balls(self._number(min(p.alpha for p in self.net.phis[self.layer :])))

    @cached_property
    def beta(self) -> Balls:
        return Balls(self._number(max(p.beta for p in self.net.phis[self.layer :])))

    @cached_property
    def delta(self) -> Balls:
        spectra = self.net.spectra
        pairs = list(zip(spectra["dw"], spectra["w"], strict=True))
        return self._layers(lambda k: self._root(pairs[k][0].frobenius_squared / pairs[k][1].frobenius_squared))

    @cached_property
    def rho(self) -> Balls:
        return self._layers(lambda k: self._norm("dw", k) / self._norm("w", k))

    @cached_property
    def kappa_w(self) -> Balls:
        return self._layers(lambda k: self._condition("w", k))

    @cached_property
    def kappa_dw(self) -> Balls:
        return self._layers(lambda k: self._condition("dw", k))

    @cached_property
    def kappa_wt(self) -> Balls:
        return self._layers(lambda k: self._condition("wt", k))

    @cached_property
    def kappa(self) -> Balls:
        return self.kappa_w.maximum(self.kappa_dw).maximum(self.kappa_wt).amax(-1)

    @cached_property
    def norm_w(self) -> Balls:
        return self._layers(lambda k: self._norm("w", k))

    @cached_property
    def norm_dw(self) -> Balls:
        return self._layers(lambda k: self._norm("dw", k))

    @cached_property
    def norm_wt(self) -> Balls:
        return self._layers(lambda k: self._norm("wt", k))

    @property
    def _states(self) -> list[Any]:
        if self.quantity != "function":
            raise AttributeError("hidden states are measured for the function only")
        return self.net.states()[0]

    @cached_property
    def norm_x(self) -> Balls:
        return Balls(self._root(squared_norm(self._states[0])))

    @cached_property
    def norm_f(self) -> Balls:
        return Balls(self._root(squared_norm(self._states[-1])))

    @cached_property
    def norm_df(self) -> Balls:
        return Balls(self._root(squared_norm(minus(self.net.states(True)[0][-1], self._states[-1]))))

    @cached_property
    def norm_dwh(self) -> Balls:
        states = self._states
        return self._layers(lambda k: self._root(squared_norm(times(self.net.dw[k], states[k]))))

    def __getattr__(self, name: str) -> Balls:
        """`log_norm_…`, the logarithm of a norm."""
        if name.startswith("log_norm_"):
            return getattr(self, name.removeprefix("log_")).log()
        raise AttributeError(f"a measurement of the {self.quantity} has no field {name!r}")

    @cached_property
    def _squares(self) -> tuple[Any, Any]:
        """‖f̃ − f‖² and ‖f‖², or ‖J̃_l − J_l‖_F² and ‖J_l‖_F²."""
        if self.quantity == "function":
            before, after = (self.net.states(moved)[0][-1] for moved in (False, True))
        else:
            before, after = (self.net.jacobian(self.layer, moved, self.exact) for moved in (False, True))
        return squared_norm(minus(after, before)), squared_norm(before)

    @property
    def reference_squared(self) -> Any:
        """‖f‖² or ‖J_l‖_F²."""
        return self._squares[1]

    @cached_property
    def change(self) -> Balls:
        moved, reference = self._squares
        if isinstance(reference, fmpq) and reference == 0:
            return Balls(arb("nan"))
        return Balls(self._root(moved / reference))

    @cached_property
    def log_change(self) -> Balls:
        return self.change.log()

    @cached_property
    def log_reference(self) -> Balls:
        return Balls(self._root(self.reference_squared)).log()


def unmet(names: Iterable[str], m: ExactMeasurement) -> str:
    """The first of these hypotheses that the instance misses, with the reason; "" where it meets them all.

    Raises:
        Undecided: the precision does not suffice to tell.
    """
    untold = None
    for name in names:
        try:
            reason = _CHECKS[name](m) if name in _CHECKS else _custom(name, m)
        except Undecided as error:  # another hypothesis may be missed for certain
            untold = error
            continue
        if reason:
            return f"{name}: {reason}"
    if untold:
        raise untold
    return ""


def _custom(name: str, m: ExactMeasurement) -> str:
    """A user's own hypothesis: their function, which asks about the architecture only."""
    condition = hypotheses[name].condition
    assert condition is not None  # every built-in hypothesis has its check here
    return "" if condition(m) else hypotheses[name].statement  # type: ignore[arg-type]  # has a Measurement's fields


def _conditioning(*which: str) -> Callable[[ExactMeasurement], str]:
    symbols = {"w": "W", "dw": "ΔW", "wt": "W̃"}

    def check(m: ExactMeasurement) -> str:
        for name in which:
            for k in range(m.layer, m.net.depth):
                matrix = m.net.spectra[name][k]
                if not matrix.full_rank and not (name == "dw" and matrix.is_zero):
                    return f"κ({symbols[name]}_{k + 1}) = ∞: rank-deficient"
        return ""

    return check


def _widths(m: ExactMeasurement) -> str:
    rising = [above >= below for below, above in zip(m.widths, m.widths[1:], strict=False)]
    falling = [above <= below for below, above in zip(m.widths, m.widths[1:], strict=False)]
    floors = [0] if m.quantity == "function" else range(len(rising) + 1)
    met = any(all(falling[:floor]) and all(rising[floor:]) for floor in floors)
    wanted = "never contract" if m.quantity == "function" else "form a valley"
    return "" if met else f"widths {'-'.join(map(str, m.widths))} do not {wanted}"


def _transmission(m: ExactMeasurement) -> str:
    return "" if m.alpha > 0 else "α = 0, which must be > 0"


def _biases(m: ExactMeasurement) -> str:
    return "the network has biases" if any(b is not None for b in m.net.biases) else ""


def _nonzero(m: ExactMeasurement) -> str:
    square = m.reference_squared
    if isinstance(square, arb) and square.contains(0) and not square.is_zero():
        raise Undecided("what is divided by is not told from zero")
    return "" if square > 0 else f"{'f(x)' if m.quantity == 'function' else f'J_{m.layer}'} is zero"


def _small(m: ExactMeasurement) -> str:
    for k, rho in enumerate(m.rho, start=m.layer + 1):
        if rho * m.depth > 1:
            return f"ρ_{k} > 1/L = 1/{m.depth}"
    return ""


def _lipschitz(m: ExactMeasurement) -> str:
    return "" if m.beta <= 1 else "β > 1, which must be ≤ 1"


def _scalars(m: ExactMeasurement) -> str:
    identity = all(spec == "identity" for spec in m.net.witness.activations)
    return "" if m.widths == (1, 1, 1) and identity else f"widths {'-'.join(map(str, m.widths))}, not two scalars"


def _differentiable(m: ExactMeasurement) -> str:
    for k in range(m.layer, m.net.depth):
        for z in m.net.states()[1][k].entries():
            kink = m.net.phis[k].at_kink(z)
            if kink is None:
                raise Undecided(f"a pre-activation of layer {k + 1} is not told from a kink")
            if kink:
                return f"a pre-activation of layer {k + 1} is at a kink of φ"
    return ""


def _relu(m: ExactMeasurement) -> str:
    specs = m.net.witness.activations
    met = "relu" in specs and all(s == "relu" for s in specs[:-1]) and specs[-1] in ("relu", "identity")
    return "" if met else f"φ is {specs[0]}, not relu"


_CHECKS: dict[str, Callable[[ExactMeasurement], str]] = {
    "transmission": _transmission,
    "conditioning": _conditioning("w", "wt", "dw"),
    "conditioning-w-dw": _conditioning("w", "dw"),
    "conditioning-w": _conditioning("w"),
    "widths": _widths,
    "biases": _biases,
    "nonzero": _nonzero,
    "small": _small,
    "lipschitz": _lipschitz,
    "scalars": _scalars,
    "differentiable": _differentiable,
    "relu": _relu,
}
