"""Nonlinearities φ with their transmission constants.

Transmission (Theorem 1 of the paper):  α|u| ≤ |φ(u)| ≤ β|u|  and  α|u − v| ≤ |φ(u) − φ(v)| ≤ β|u − v|.

Every φ here is continuous, monotone, zero at zero, with |φ'| in [α, β]. A φ also knows its *differences*
φ(z + dz) − φ(z) and φ'(z + dz) − φ'(z) without cancellation: subtraction would lose every digit when dz is small.
At a kink the slope is the one on the left, as in torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from drt.errors import InputError
from drt.numeric.caching import cached_property
from drt.numeric.spectra import UNIT


class Activation:
    """An elementwise φ: R → R with φ(0) = 0 and α ≤ |φ'| ≤ β.

    `spec` is its name as text (`leaky_relu:0.1`); `parse` reads it back. `homogeneous` says φ(cz) = cφ(z) for c > 0.
    """

    spec: str
    alpha: float
    beta: float
    homogeneous: bool = False
    ulps: int = 8  # units roundoff that an evaluation may cost: of φ(z), β|dz| and β (see `drt.measurement.rounding`)

    def __call__(self, z: Tensor) -> Tensor:
        """φ(z)."""
        raise NotImplementedError

    def slope(self, z: Tensor) -> Tensor:
        """φ'(z); at a kink the slope on its left."""
        raise NotImplementedError

    def difference(self, z: Tensor, dz: Tensor) -> Tensor:
        """φ(z + dz) − φ(z), to a few units in the last place of β|dz|."""
        raise NotImplementedError

    def slope_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        """φ'(z + dz) − φ'(z)."""
        raise NotImplementedError

    def slope_variation(self, z: Tensor, radius: Tensor) -> Tensor:
        """A bound on |φ'(u) − φ'(v)| over u, v in [z − radius, z + radius]; zero where radius is zero."""
        raise NotImplementedError

    def second_slope(self, z: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """φ''(z), and a bound on how far φ'' is from it in [z − radius, z + radius] where there is no kink."""
        return torch.zeros_like(z), torch.zeros_like(z)

    def has_kink_within(self, z: Tensor, radius: Tensor) -> Tensor:
        """Whether φ has a kink in [z − radius, z + radius]."""
        return torch.zeros_like(z, dtype=torch.bool)

    def slope_difference_error(self, z: Tensor, dz: Tensor, e_z: Tensor, e_dz: Tensor) -> Tensor:
        """A bound on the error of `slope_difference(z, dz)`.

        Args:
            z: pre-activations as computed.
            dz: their changes as computed.
            e_z: bounds on the errors of z, ≥ 0.
            e_dz: bounds on the errors of dz, ≥ 0.
        """
        return self.slope_variation(z, e_z) + self.slope_variation(z + dz, e_z + e_dz)

    def module(self) -> torch.nn.Module:
        """The same φ as a torch module."""
        return ActivationModule(self)

    def __repr__(self) -> str:
        return f"drt.parse_activation({self.spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and other.spec == self.spec

    def __hash__(self) -> int:
        return hash(self.spec)


class ActivationModule(torch.nn.Module):
    """A torch module that applies φ."""

    def __init__(self, activation: Activation):
        super().__init__()
        self.activation = activation

    def forward(self, z: Tensor) -> Tensor:
        """φ(z)."""
        return self.activation(z)

    def extra_repr(self) -> str:
        """The φ's spec, shown when a model is printed."""
        return self.activation.spec


@dataclass(frozen=True, eq=False, repr=False)
class PiecewiseLinear(Activation):
    """φ(z) = ∫₀ᶻ s, where s = slopes[j] between kinks[j−1] and kinks[j]; slopes all ≥ 0, one more than kinks.

    α and β are the smallest and the largest slope, so both are attained.
    """

    kinks: tuple[float, ...]
    slopes: tuple[float, ...]
    name: str = ""

    @property
    def spec(self) -> str:  # type: ignore[override]
        return self.name or "piecewise_linear:" + "/".join(",".join(map(repr, v)) for v in (self.kinks, self.slopes))

    @cached_property
    def alpha(self) -> float:  # type: ignore[override]
        return min(self.slopes)

    @cached_property
    def beta(self) -> float:  # type: ignore[override]
        return max(self.slopes)

    @property
    def homogeneous(self) -> bool:  # type: ignore[override]
        return all(k == 0 for k in self.kinks)

    @property
    def ulps(self) -> int:  # type: ignore[override]
        # Each piece: an edge, a length, a product; then a sum over the pieces.
        return max(8, 2 * len(self.slopes) + 2)

    def __call__(self, z: Tensor) -> Tensor:
        return self.difference(torch.zeros_like(z), z)

    def difference(self, z: Tensor, dz: Tensor) -> Tensor:
        # Σ_j s_j · |piece_j ∩ [z, z + dz]|, measured from z so that only kinks in between are ever subtracted from dz.
        if not self.kinks:
            return self.slopes[0] * dz
        total = None
        edges = [kink - z for kink in self.kinks]
        for j, slope in enumerate(self.slopes):
            upper = edges[j] if j < len(edges) else None
            lower = edges[j - 1] if j > 0 else None
            zero = torch.zeros_like(z)
            part = slope * (torch.clamp(dz, lower, upper) - torch.clamp(zero, lower, upper))
            total = part if total is None else total + part
        assert total is not None  # there is always at least one slope
        return total

    def slope(self, z: Tensor) -> Tensor:
        found = torch.full_like(z, self.slopes[0])
        for kink, slope in zip(self.kinks, self.slopes[1:], strict=True):
            found = torch.where(z > kink, slope, found)
        return found

    def slope_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        return self.slope(z + dz) - self.slope(z)

    def has_kink_within(self, z: Tensor, radius: Tensor) -> Tensor:
        near = torch.zeros_like(z, dtype=torch.bool)
        for kink in self.kinks:
            near = near | ((z - kink).abs() <= radius)
        return near

    def slope_variation(self, z: Tensor, radius: Tensor) -> Tensor:
        return (self.has_kink_within(z, radius) & (radius > 0)).to(z.dtype) * (self.beta - self.alpha)

    def module(self) -> torch.nn.Module:
        if not self.kinks and self.slopes == (1.0,):
            return torch.nn.Identity()
        if self.kinks == (0.0,) and self.slopes[1] == 1 and self.slopes[0] <= 1:
            return torch.nn.LeakyReLU(self.slopes[0]) if self.slopes[0] else torch.nn.ReLU()
        return ActivationModule(self)


@dataclass(frozen=True, eq=False, repr=False)
class _Blend(Activation):
    """φ(z) = a·z + (1 − a)·ψ(z), ψ increasing with ψ' in (0, 1]: α = a, β = 1."""

    a: float
    beta = 1.0
    # Bounds on |ψ''| and |ψ'''|.
    curvature: float = 0.0
    third: float = 0.0

    @property
    def alpha(self) -> float:  # type: ignore[override]
        return self.a

    def second(self, z: Tensor) -> Tensor:
        """ψ''(z)."""
        raise NotImplementedError

    def second_slope(self, z: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        return (1 - self.a) * self.second(z), (1 - self.a) * (self.third * radius + self.ulps * UNIT)

    def slope_variation(self, z: Tensor, radius: Tensor) -> Tensor:
        return (1 - self.a) * torch.clamp(2 * self.curvature * radius, max=1.0).expand(z.shape)

    def slope_difference_error(self, z: Tensor, dz: Tensor, e_z: Tensor, e_dz: Tensor) -> Tensor:
        slack = self.curvature * e_dz + self.third * (dz.abs() + e_dz) * e_z
        # Evaluating it costs at most 16 units roundoff of |dz|: tanh p·tanh q, tanh p + tanh q, |ψ''| ≤ 1, all rounded.
        return (1 - self.a) * (slack + 16 * UNIT * dz.abs())


class TanhBlend(_Blend):
    """φ(z) = a·z + (1 − a)·tanh z, 0 < a ≤ 1; α = a, β = 1."""

    def __init__(self, a: float):
        # max |tanh''| = 4/(3√3), max |tanh'''| = 2
        super().__init__(a, 4 / (3 * math.sqrt(3)), 2.0)

    @property
    def spec(self) -> str:  # type: ignore[override]
        return f"tanh_blend:{self.a!r}"

    def __call__(self, z: Tensor) -> Tensor:
        return self.a * z + (1 - self.a) * torch.tanh(z)

    def slope(self, z: Tensor) -> Tensor:
        return self.a + (1 - self.a) / torch.cosh(z) ** 2

    def second(self, z: Tensor) -> Tensor:
        return -2 * torch.tanh(z) / torch.cosh(z) ** 2

    def _tanh_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        # tanh p − tanh q = tanh(p − q)·(1 − tanh p·tanh q)
        return torch.tanh(dz) * (1 - torch.tanh(z) * torch.tanh(z + dz))

    def difference(self, z: Tensor, dz: Tensor) -> Tensor:
        return self.a * dz + (1 - self.a) * self._tanh_difference(z, dz)

    def slope_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        # tanh' = 1 − tanh², a difference of squares
        return -(1 - self.a) * self._tanh_difference(z, dz) * (torch.tanh(z) + torch.tanh(z + dz))


class SoftplusBlend(_Blend):
    """φ(z) = a·z + (1 − a)·[log(1 + eᶻ) − log 2], a smooth leaky ReLU, 0 < a ≤ 1; α = a, β = 1 (both limits)."""

    def __init__(self, a: float):
        # max |σ'| = 1/4, max |σ''| = 1/(6√3)
        super().__init__(a, 0.25, 1 / (6 * math.sqrt(3)))

    @property
    def spec(self) -> str:  # type: ignore[override]
        return f"softplus_blend:{self.a!r}"

    def __call__(self, z: Tensor) -> Tensor:
        return self.difference(torch.zeros_like(z), z)

    def slope(self, z: Tensor) -> Tensor:
        return self.a + (1 - self.a) * torch.sigmoid(z)

    def second(self, z: Tensor) -> Tensor:
        return torch.sigmoid(z) * torch.sigmoid(-z)

    def difference(self, z: Tensor, dz: Tensor) -> Tensor:
        # small |dz|: log1p(σ(z)·expm1(dz)). Large: softplus z = max(z, 0) + log1p(exp −|z|), whose second term is < 1.
        small = torch.log1p(torch.sigmoid(z) * torch.expm1(torch.clamp(dz, -1, 1)))
        ramp = torch.clamp(dz, min=-z) - torch.clamp(-z, min=0)
        tail = torch.log1p(torch.exp(-(z + dz).abs())) - torch.log1p(torch.exp(-z.abs()))
        return self.a * dz + (1 - self.a) * torch.where(dz.abs() <= 1, small, ramp + tail)

    def slope_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        # σ(p) − σ(q) = σ(p)·σ(−q)·(1 − e^{q − p}); the roles are swapped for dz < 0 so that the exponential stays ≤ 1.
        low, high = torch.minimum(z, z + dz), torch.maximum(z, z + dz)
        rise = torch.sigmoid(high) * torch.sigmoid(-low) * -torch.expm1(-dz.abs())
        return (1 - self.a) * torch.sign(dz) * rise


class Negated(Activation):
    """−φ: the same constants, the other sign."""

    def __init__(self, base: Activation):
        self.base = base
        self.spec = f"negated:{base.spec}"
        self.alpha, self.beta, self.homogeneous, self.ulps = base.alpha, base.beta, base.homogeneous, base.ulps

    def __call__(self, z: Tensor) -> Tensor:
        return -self.base(z)

    def slope(self, z: Tensor) -> Tensor:
        return -self.base.slope(z)

    def difference(self, z: Tensor, dz: Tensor) -> Tensor:
        return -self.base.difference(z, dz)

    def slope_difference(self, z: Tensor, dz: Tensor) -> Tensor:
        return -self.base.slope_difference(z, dz)

    def has_kink_within(self, z: Tensor, radius: Tensor) -> Tensor:
        return self.base.has_kink_within(z, radius)

    def slope_variation(self, z: Tensor, radius: Tensor) -> Tensor:
        return self.base.slope_variation(z, radius)

    def second_slope(self, z: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        value, off = self.base.second_slope(z, radius)
        return -value, off

    def slope_difference_error(self, z: Tensor, dz: Tensor, e_z: Tensor, e_dz: Tensor) -> Tensor:
        return self.base.slope_difference_error(z, dz, e_z, e_dz)


def _slope(name: str, a: float) -> float:
    if not (isinstance(a, (int, float)) and 0 < a <= 1):
        raise InputError(f"{name} needs a slope 0 < a <= 1, got a={a!r}")
    return float(a)


def identity() -> Activation:
    """φ(z) = z; α = β = 1."""
    return PiecewiseLinear((), (1.0,), "identity")


def relu() -> Activation:
    """φ(z) = max(z, 0); α = 0, β = 1: outside Theorem 1, which asks α > 0."""
    return PiecewiseLinear((0.0,), (0.0, 1.0), "relu")


def leaky_relu(a: float) -> Activation:
    """φ(z) = z for z > 0, a·z otherwise; α = a, β = 1."""
    return PiecewiseLinear((0.0,), (_slope("leaky_relu", a), 1.0), f"leaky_relu:{float(a)!r}")


def tanh_blend(a: float) -> Activation:
    """φ(z) = a·z + (1 − a)·tanh z; α = a, β = 1."""
    return TanhBlend(_slope("tanh_blend", a))


def softplus_blend(a: float) -> Activation:
    """φ(z) = a·z + (1 − a)·[log(1 + eᶻ) − log 2]; α = a, β = 1."""
    return SoftplusBlend(_slope("softplus_blend", a))


def piecewise_linear(kinks: list[float] | tuple[float, ...], slopes: list[float] | tuple[float, ...]) -> Activation:
    """Increasing, piecewise linear, through 0: slopes[j] between kinks[j−1] and kinks[j]; α = min, β = max slope.

    Raises:
        InputError: kinks not strictly increasing and finite, a slope not positive, or not one more slope than kinks.
    """
    try:
        kinks, slopes = tuple(map(float, kinks)), tuple(map(float, slopes))
    except (TypeError, ValueError):
        raise InputError(
            f"piecewise_linear needs lists of numbers, got kinks={kinks!r} and slopes={slopes!r}"
        ) from None
    if not all(math.isfinite(k) for k in kinks) or any(p >= q for p, q in zip(kinks, kinks[1:], strict=False)):
        raise InputError(f"piecewise_linear needs strictly increasing finite kinks, got kinks={kinks}")
    if len(slopes) != len(kinks) + 1:
        raise InputError(f"piecewise_linear needs {len(kinks) + 1} slopes for {len(kinks)} kinks, got slopes={slopes}")
    if not all(0 < s < math.inf for s in slopes):
        raise InputError(f"piecewise_linear needs slopes > 0 (transmission needs alpha > 0), got slopes={slopes}")
    return PiecewiseLinear(kinks, slopes)


def negated(base: Activation) -> Activation:
    """−φ, decreasing: transmission allows it."""
    base = as_activation(base)
    return base.base if isinstance(base, Negated) else Negated(base)


_PLAIN: dict[str, Callable[[], Activation]] = {"identity": identity, "relu": relu}
_WITH_SLOPE: dict[str, Callable[[float], Activation]] = {
    "leaky_relu": leaky_relu,
    "tanh_blend": tanh_blend,
    "softplus_blend": softplus_blend,
}


def parse_activation(spec: str) -> Activation:
    """The activation that a text names: `identity`, `relu`, `leaky_relu:0.1`, `tanh_blend:0.5`, `softplus_blend:0.5`,
    `piecewise_linear:KINK,…/SLOPE,…`, and `negated:` before any of them.

    Raises:
        InputError: the text names none of them.
    """
    name, _, rest = spec.strip().partition(":")
    try:
        if name == "negated":
            return negated(parse_activation(rest))
        if name in _PLAIN and not rest:
            return _PLAIN[name]()
        if name in _WITH_SLOPE:
            return _WITH_SLOPE[name](float(rest))
        if name == "piecewise_linear":
            kinks, slopes = rest.split("/")
            return piecewise_linear([float(k) for k in kinks.split(",") if k], [float(s) for s in slopes.split(",")])
    except InputError:
        raise
    except ValueError:
        pass
    known = ", ".join([*_PLAIN, *(f"{n}:A" for n in _WITH_SLOPE), "piecewise_linear:KINKS/SLOPES", "negated:..."])
    raise InputError(f"activation={spec!r} is not known; expected one of {known}")


def as_activation(value: Activation | str | Callable[[], Activation]) -> Activation:
    """An activation from itself, from its text, or from a function without arguments such as `drt.identity`."""
    if isinstance(value, Activation):
        return value
    if isinstance(value, str):
        return parse_activation(value)
    for plain in _PLAIN.values():
        if value is plain:
            return plain()
    raise InputError(
        f"activation={value!r} is not an activation; expected e.g. drt.leaky_relu(0.1) or 'leaky_relu:0.1'"
    )
