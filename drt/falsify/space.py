"""Where the attack looks: ranges of depth, width, α, β, κ and δ, and the architectures inside them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from drt.errors import InputError
from drt.measurement.measured import WeightFields
from drt.theory.base import Claim

MAX_DEPTH, MAX_WIDTH = 64, 128
Range = tuple[float, float]
# Odds in what is sampled: of φ by family (where β = 1 there are more of them), of widths all alike, of α at its lower end,
# of a linear last layer.
FAMILIES = {"linear": 0.30, "one kink": 0.32, "two kinks": 0.38}
FAMILIES_OF_BETA_1 = {
    "identity": 0.15,
    "leaky_relu": 0.40,
    "one kink": 0.07,
    "two kinks": 0.08,
    "negated:leaky_relu": 0.10,
    "tanh_blend": 0.10,
    "softplus_blend": 0.10,
}
CONSTANT, LEAST_ALPHA, LINEAR_LAST = 0.5, 0.5, 0.15
SKEW = 0.6  # of depths and widths: the next one's odds are e^−0.6 of its
ALPHA_FOR_ZERO = 0.05  # where α = 0 is in the range, but not allowed


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

    def sample_widths(self, claim: Claim, dice: random.Random) -> tuple[int, ...]:
        """An architecture inside the ranges that meets the claim's hypothesis on widths, small ones more often."""
        if self.widths is not None:
            return self.widths
        if "scalars" in claim.hypotheses:
            return (1, 1, 1)
        depth = _skewed(self.depth, dice)
        widths = [_skewed(self.width, dice) for _ in range(depth + 1)]
        constant = (max(widths),) * (depth + 1)
        if dice.random() < CONSTANT:
            return constant
        rule = claim.quantity.width_rule
        if "widths" not in claim.hypotheses or rule is None:
            return tuple(widths)
        floor = dice.randrange(depth + 1)
        valley = (*sorted(widths[:floor], reverse=True), min(widths), *sorted(widths[floor + 1 :]))
        return next(shape for shape in (valley, tuple(sorted(widths)), constant) if rule.met(shape))

    def admits(self, claim: Claim, widths: tuple[int, ...]) -> bool:
        """Whether an architecture lies in the ranges and meets the claim's hypothesis on widths."""
        if self.widths is not None and widths != self.widths:
            return False
        rule = claim.quantity.width_rule
        if "widths" in claim.hypotheses and rule is not None and not rule.met(widths):
            return False
        inside = self.depth[0] <= len(widths) - 1 <= self.depth[1]
        return self.widths is not None or (inside and all(self.width[0] <= n <= self.width[1] for n in widths))

    def admits_shape(self, claim: Claim, m: WeightFields) -> bool:
        """Whether widths, α and β of what was measured lie in the ranges; α = 0 too where the claim asks for no transmission."""
        low = 0.0 if "transmission" not in claim.hypotheses else self.alpha[0]
        slopes = low <= m.alpha <= self.alpha[1] and self.beta[0] <= m.beta <= self.beta[1]
        return slopes and self.admits(claim, m.widths)

    def sample_activations(self, claim: Claim, depth: int, dice: random.Random) -> tuple[str, ...]:
        """The φ of each layer, as text: one family for all layers mostly, sometimes a linear last layer."""
        if "relu" in claim.hypotheses:
            return ("relu",) * depth
        if "scalars" in claim.hypotheses:
            return ("identity",) * depth
        spec = self._sample_activation(claim, dice)
        last = "identity" if dice.random() < LINEAR_LAST and self.beta[0] <= 1 <= self.beta[1] else spec
        return (spec,) * (depth - 1) + (last,)

    def _sample_activation(self, claim: Claim, dice: random.Random) -> str:
        high = self.beta[0] + (self.beta[1] - self.beta[0]) * dice.random()
        least = dice.random() < LEAST_ALPHA
        low = min(self.alpha[0], high) if least else _log_uniform((self.alpha[0], min(self.alpha[1], high)), dice)
        if low == 0:
            if "transmission" not in claim.hypotheses and high == 1:
                return "relu"
            low = min(ALPHA_FOR_ZERO, high)
        odds = FAMILIES_OF_BETA_1 if high == 1 else FAMILIES
        if self.alpha[1] < 1:
            odds = {family: odds[family] for family in odds if family != "identity"}
        (family,) = dice.choices(list(odds), list(odds.values()))
        kinks = {
            "linear": [],
            "one kink": [0.0],
            "two kinks": sorted({round(dice.gauss(0, 1), 3), round(dice.gauss(0, 1), 3)}),
        }
        if family in kinks:
            slopes = [high] if family == "linear" else [low, high] if dice.random() < 0.5 else [high, low]
            pieces = (slopes[i % len(slopes)] for i in range(len(kinks[family]) + 1))
            return f"piecewise_linear:{','.join(map(repr, kinks[family]))}/{','.join(map(repr, pieces))}"
        return family if family == "identity" else f"{family}:{low / high!r}"


def _skewed(limits: tuple[int, int], dice: random.Random) -> int:
    """An integer of the range; each next one a little less likely."""
    return min(limits[0] + int(dice.expovariate(SKEW)), limits[1])


def _log_uniform(limits: Range, dice: random.Random) -> float:
    low, high = max(limits[0], 1e-3), max(limits[1], 1e-3)
    return min(max(round(math.exp(dice.uniform(math.log(low), math.log(high))), 3), low), high)


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
