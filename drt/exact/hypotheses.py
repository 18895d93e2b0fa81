"""The hypotheses of `drt.hypotheses`, checked on one witness in exact or ball numbers, independently of the float path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from flint import arb, fmpq

from drt.exact.balls import Balls
from drt.exact.descent import ExactDescent
from drt.exact.measurement import ExactFunction, ExactJacobian, ExactWeights
from drt.exact.segment import trusted
from drt.exact.surds import Undecided, ball
from drt.measurement.quantity import DESCENT, FUNCTION, JACOBIAN, Quantity
from drt.theory.hypotheses import hypotheses


def unmet(names: Iterable[str], m: ExactWeights) -> str:
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


def _custom(name: str, m: ExactWeights) -> str:
    """A user's own hypothesis: their function, which asks about the architecture only."""
    condition = hypotheses[name].condition
    assert condition is not None  # every built-in hypothesis has its check here
    return "" if condition(m) else hypotheses[name].statement  # type: ignore[arg-type]  # has a Measurement's fields


def _conditioning(*which: str) -> Callable[[ExactWeights], str]:
    symbols = {"w": "W", "dw": "ΔW", "wt": "W̃"}

    def check(m: ExactWeights) -> str:
        for name in which:
            for k in range(m.layer, m.net.depth):
                matrix = m.net.spectra[name][k]
                if not matrix.full_rank and not (name == "dw" and matrix.is_zero):
                    return f"κ({symbols[name]}_{k + 1}) = ∞: rank-deficient"
        return ""

    return check


def _widths(m: ExactWeights) -> str:
    rule = m.quantity.width_rule
    assert rule is not None  # every quantity that has witnesses has one
    rising = [above >= below for below, above in zip(m.widths, m.widths[1:], strict=False)]
    falling = [above <= below for below, above in zip(m.widths, m.widths[1:], strict=False)]
    return "" if _WIDTHS[m.quantity](rising, falling) else rule.why(m.widths)


# Whether pairs of neighbouring widths that rise (or stay) and fall (or stay) are what each quantity asks for.
_WIDTHS: dict[Quantity, Callable[[list[bool], list[bool]], bool]] = {
    FUNCTION: lambda rising, falling: all(rising),
    JACOBIAN: lambda rising, falling: any(all(falling[:k]) and all(rising[k:]) for k in range(len(rising) + 1)),
    DESCENT: lambda rising, falling: all(rising[:-1]) and all(falling[1:]),
}


def _transmission(m: ExactWeights) -> str:
    return "" if m.alpha > 0 else "α = 0, which must be > 0"


def _biases(m: ExactWeights) -> str:
    return "the network has biases" if any(b is not None for b in m.net.biases) else ""


def _nonzero(m: ExactWeights) -> str:
    square = cast(ExactFunction | ExactJacobian, m).reference_squared
    if isinstance(square, arb) and square.contains(0) and not square.is_zero():
        raise Undecided("what is divided by is not told from zero")
    return "" if square > 0 else f"{m.quantity.divisor.format(l=m.layer)} is zero"


def _small(m: ExactWeights) -> str:
    for k, rho in enumerate(m.rho, start=m.layer + 1):
        if rho * m.depth > 1:
            return f"ρ_{k} > 1/L = 1/{m.depth}"
    return ""


def _lipschitz(m: ExactWeights) -> str:
    return "" if m.beta <= 1 else "β > 1, which must be ≤ 1"


def _scalars(m: ExactWeights) -> str:
    identity = all(spec == "identity" for spec in m.net.witness.activations)
    return "" if m.widths == (1, 1, 1) and identity else f"widths {'-'.join(map(str, m.widths))}, not two scalars"


def _differentiable(m: ExactWeights) -> str:
    for k in range(m.layer, m.net.depth):
        for z in m.net.states()[1][k].entries():
            kink = m.net.phis[k].at_kink(z)
            if kink is None:
                raise Undecided(f"a pre-activation of layer {k + 1} is not told from a kink")
            if kink:
                return f"a pre-activation of layer {k + 1} is at a kink of φ"
    return ""


def _relu(m: ExactWeights) -> str:
    specs = m.net.witness.activations
    met = "relu" in specs and all(s == "relu" for s in specs[:-1]) and specs[-1] in ("relu", "identity")
    return "" if met else f"φ is {specs[0]}, not relu"


def _gradients(m: ExactWeights) -> str:
    step = cast(ExactDescent, m)
    for moved in (False, True):
        for k, z in enumerate(m.net.states(moved)[1]):
            kinks = [m.net.phis[k].at_kink(v) for v in z.entries()]
            if any(kinks):
                return f"a pre-activation of layer {k + 1} is at a kink of φ, where there is no gradient"
            if None in kinks:
                raise Undecided(f"a pre-activation of layer {k + 1} is not told from a kink")
    if not any(any(dw.entries()) for dw in m.net.dw):
        return "nothing moves"
    for k, size in enumerate(step.norm_g, start=1):
        if not size > 0:
            return f"g_{k} is zero"
    return ""


def _moving(m: ExactWeights) -> Iterator[tuple[int, Balls]]:
    """(l, cos θ_l) of every layer that moves."""
    for k, (dw, cosine) in enumerate(zip(m.net.dw, cast(ExactDescent, m).cosines, strict=True)):
        if any(dw.entries()):
            yield k, cosine


def _one_input(m: ExactWeights) -> str:
    return ""  # a witness has one


def _bracket(m: ExactWeights) -> str:
    breakdown = cast(ExactDescent, m).breakdown
    for k, cosine in _moving(m):
        if not cosine > breakdown[k]:
            return f"layer {k + 1}: cos θ is not above the change in gradient"
    return ""


def _step_size(m: ExactWeights, constant: Balls | int = 1) -> str:
    size = ((1 + cast(ExactDescent, m).eta) ** m.depth - 1) * constant
    for k, cosine in _moving(m):
        if not size < cosine:
            return f"layer {k + 1}: η is not allowed by its cos θ"
    return ""


def _step_size_mean(m: ExactWeights) -> str:
    eta, length = cast(ExactDescent, m).eta, m.depth
    mean = sum((eta**k * fmpq(math.comb(length, k), k + 1) for k in range(1, length + 1)), Balls(0))
    for k, cosine in _moving(m):
        if not mean < cosine:
            return f"layer {k + 1}: the mean change that η allows is not below its cos θ"
    return ""


def _constant(m: ExactWeights) -> Balls:
    return (m.beta / m.alpha * m.kappa_w.amax(-1) ** 2) ** m.depth


def _trust(m: ExactWeights, constant: Balls = Balls(1)) -> str:  # noqa: B008  (never changed)
    step = cast(ExactDescent, m)
    if step.pieces is None:
        raise Undecided(
            "trust is asked of every t ∈ [0, 1]: it is certified where φ is piecewise linear and the network small"
        )
    norms, delta, (c,) = ([ball(v) for v in numbers.entries.flat] for numbers in (step.norm_g, step.delta, constant))
    return "" if trusted(step.pieces, norms, delta, c) else "deep relative trust fails on the segment"


def _orthogonal(s: Any) -> str:
    return "" if abs(s.cosine) <= s.zero_cosine else "⟨g, W⟩ is not 0"


_CHECKS: dict[str, Callable[[Any], str]] = {
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
    "gradients": _gradients,
    "one-input": _one_input,
    "orthogonal": _orthogonal,
    "bracket": _bracket,
    "step-size": _step_size,
    "step-size-constant": lambda m: _step_size(m, _constant(m)),
    "step-size-mean": _step_size_mean,
    "trust": _trust,
    "trust-constant": lambda m: _trust(m, _constant(m)),
}
