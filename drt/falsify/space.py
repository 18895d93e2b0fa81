"""Where the attack looks: ranges of depth, width, α, β, κ and δ, and the architectures inside them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from drt.errors import InputError
from drt.measurement.quantity import FUNCTION
from drt.theory.base import Claim

MAX_DEPTH, MAX_WIDTH = 64, 128
Range = tuple[float, float]


@dataclass(frozen=True)
class Space:
    """Closed ranges. κ limits the condition numbers of the W_l, δ the relative sizes of the non-zero ΔW_l.

    widths fixes (n_0, …, n_L) where given; then depth and width follow from it.
    """

    depth: tuple[int, int] = (1, 8)
    width: tuple[int, int] = (1, 128)
    alpha: Range = (0.05, 1.0)
    beta: Range = (1.0, 1.0)
    kappa: Range = (1.0, 1e3)
    delta: Range = (1e-8, 1e4)
    widths: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("depth", 1, MAX_DEPTH),
            ("width", 1, MAX_WIDTH),
            ("alpha", 0.0, math.inf),
            ("beta", 0.0, math.inf),
            ("kappa", 1.0, math.inf),
            ("delta", 0.0, math.inf),
        ):
            first, last = getattr(self, name)
            if not (low <= first <= last <= high and math.isfinite(last)):
                raise InputError(
                    f"{name}={first:g}:{last:g} must be a range LOW:HIGH with {low:g} <= LOW <= HIGH <= {high:g}"
                )
        if self.alpha[0] > self.beta[1]:
            raise InputError(f"alpha={self.alpha[0]:g} must not exceed beta={self.beta[1]:g}")
        if self.delta[1] == 0:
            raise InputError("delta=0:0 leaves nothing to perturb; expected a range with HIGH > 0")
        if self.widths is not None and (len(self.widths) < 2 or not all(1 <= n <= MAX_WIDTH for n in self.widths)):
            raise InputError(f"widths={self.widths} must be at least two numbers from 1 to {MAX_WIDTH}")

    def draw_widths(self, claim: Claim, rng: random.Random) -> tuple[int, ...]:
        """An architecture inside the ranges that meets the claim's hypothesis on widths, small ones more often."""
        if self.widths is not None:
            return self.widths
        if "scalars" in claim.hypotheses:
            return (1, 1, 1)
        depth = _skewed(self.depth, rng)
        widths = [_skewed(self.width, rng) for _ in range(depth + 1)]
        if rng.random() < 0.5:
            widths = [max(widths)] * (depth + 1)
        elif "widths" in claim.hypotheses:
            if claim.quantity is FUNCTION:
                widths.sort()
            else:
                floor = rng.randrange(depth + 1)
                widths = [*sorted(widths[:floor], reverse=True), min(widths), *sorted(widths[floor + 1 :])]
        return tuple(widths)

    def admits(self, claim: Claim, widths: tuple[int, ...]) -> bool:
        """Whether an architecture lies in the ranges and meets the claim's hypothesis on widths."""
        if self.widths is not None and widths != self.widths:
            return False
        rule = claim.quantity.width_rule
        if "widths" in claim.hypotheses and rule is not None and not rule.met(widths):
            return False
        inside = self.depth[0] <= len(widths) - 1 <= self.depth[1]
        return self.widths is not None or (inside and all(self.width[0] <= n <= self.width[1] for n in widths))

    def admits_slopes(self, claim: Claim, alpha: float, beta: float) -> bool:
        """Whether α and β lie in the ranges; α = 0 too where the claim does not ask for transmission."""
        low = 0.0 if "transmission" not in claim.hypotheses else self.alpha[0]
        return low <= alpha <= self.alpha[1] and self.beta[0] <= beta <= self.beta[1]

    def draw_activations(self, claim: Claim, depth: int, rng: random.Random) -> tuple[str, ...]:
        """The φ of each layer, as text: one family for all layers mostly, sometimes a linear last layer."""
        if "relu" in claim.hypotheses:
            return ("relu",) * depth
        if "scalars" in claim.hypotheses:
            return ("identity",) * depth
        spec = self._draw_activation(claim, rng)
        last = "identity" if rng.random() < 0.15 and self.beta[0] <= 1 <= self.beta[1] else spec
        return (spec,) * (depth - 1) + (last,)

    def _draw_activation(self, claim: Claim, rng: random.Random) -> str:
        high = self.beta[0] + (self.beta[1] - self.beta[0]) * rng.random()
        low = (
            min(self.alpha[0], high)
            if rng.random() < 0.5
            else _log_uniform((self.alpha[0], min(self.alpha[1], high)), rng)
        )
        if low == 0:
            if "transmission" not in claim.hypotheses and high == 1:
                return "relu"
            low = min(0.05, high)
        a = low / high
        family = rng.random()
        if high != 1 or 0.55 < family < 0.7:
            if family < 0.3:
                return f"piecewise_linear:/{high!r}"
            kinks = [0.0] if family < 0.62 else sorted({round(rng.gauss(0, 1), 3), round(rng.gauss(0, 1), 3)})
            slopes = [low, high] if rng.random() < 0.5 else [high, low]
            return (
                "piecewise_linear:"
                + ",".join(map(repr, kinks))
                + "/"
                + ",".join(repr(slopes[i % 2]) for i in range(len(kinks) + 1))
            )
        if family < 0.15 and self.alpha[1] >= 1:
            return "identity"
        if family < 0.55:
            return f"leaky_relu:{a!r}"
        if family < 0.8:
            return f"negated:leaky_relu:{a!r}"
        return f"{'tanh' if family < 0.9 else 'softplus'}_blend:{a!r}"


def _skewed(limits: tuple[int, int], rng: random.Random) -> int:
    """An integer of the range; each next one a little less likely."""
    return min(limits[0] + int(rng.expovariate(0.6)), limits[1])


def _log_uniform(limits: Range, rng: random.Random) -> float:
    low, high = max(limits[0], 1e-3), max(limits[1], 1e-3)
    return min(max(round(math.exp(rng.uniform(math.log(low), math.log(high))), 3), low), high)


def parse_range(name: str, text: str, whole: bool = False) -> tuple:
    """`LOW:HIGH`, or one number for both.

    Raises:
        InputError: not one or two numbers.
    """
    parts = text.split(":")
    try:
        low, high = (parts * 2)[:2] if len(parts) == 1 else parts
        numbers = (int(low), int(high)) if whole else (float(low), float(high))
    except ValueError:
        kind = "whole numbers" if whole else "numbers"
        raise InputError(f"--{name} {text!r} must be LOW:HIGH or one value, in {kind}") from None
    return numbers


def space_from_text(widths: str | None = None, **ranges: str | None) -> Space:
    """A space from texts such as depth="1:8", alpha="0.05:1", widths="2,1"; what is None keeps its default.

    Raises:
        InputError: a range that is not LOW:HIGH, or is empty or out of bounds.
    """
    chosen: dict = {name: parse_range(name, text, name in ("depth", "width")) for name, text in ranges.items() if text}
    if widths is not None:
        try:
            chosen["widths"] = tuple(int(n) for n in widths.replace("-", ",").split(","))
        except ValueError:
            raise InputError(f"--widths {widths!r} must be whole numbers n_0,...,n_L") from None
    return Space(**chosen)
