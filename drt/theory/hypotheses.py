"""The hypotheses of the claims, each checked on every instance before a bound is held against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any

import torch
from torch import Tensor

from drt.errors import InputError
from drt.measurement.measured import Measured
from drt.measurement.quantity import FUNCTION, Quantity, WidthRule
from drt.numeric.numbers import Number, finite


@dataclass(frozen=True)
class Hypothesis:
    """A condition on an instance.

    met: measurement → bool tensor that expands to its batch shape. A formula of its fields is evaluated on Coq terms as well.
    why: measurement and batch index → how it fails there.
    condition: for a user's own, the function they wrote, which the certifier calls too.
    certain: where `met` only says that nothing was found against it: whether it is known to hold. A violation needs that.
    allowed: of a condition on every t of the segment, measurement and t → the largest change of the gradient at t.
    """

    name: str
    statement: str
    met: Callable[[Any], Tensor]
    why: Callable[[Any, tuple[int, ...]], str]
    condition: Callable[[Measured], bool] | None = None
    certain: Callable[[Any], Tensor] | None = None
    allowed: Callable[[Any, Number], Number] | None = None


def _everywhere(m: Measured, truth: bool) -> Tensor:
    return torch.full(m.batch_shape, truth, device=m.device)


def _of_network(
    name: str, statement: str, met: Callable[[Measured], bool], why: Callable[[Measured], str]
) -> Hypothesis:
    """A hypothesis on the architecture, the same for a whole batch."""
    return Hypothesis(name, statement, lambda m: _everywhere(m, met(m)), lambda m, index: why(m))


def _conditioning(name: str, which: dict[str, str]) -> Hypothesis:
    """Full rank, to working precision, of the matrices whose κ are the measurement's fields `which`."""

    def met(m: Any) -> Tensor:
        return reduce(and_, (finite(getattr(m, field)).all(-1) for field in which))

    def why(m: Measured, index: tuple[int, ...]) -> str:
        for field, symbol in which.items():
            bad = torch.nonzero(~torch.isfinite(getattr(m, field)[index]))
            if len(bad):
                layer = m.layer + int(bad[0]) + 1
                return f"κ({symbol}_{layer}) = ∞: rank-deficient to working precision"
        raise AssertionError("asked why of an instance that meets the hypothesis")

    names = ", ".join(f"{symbol}_l" for symbol in which.values())
    return Hypothesis(name, f"κ(·) ≤ κ < ∞ for all {names}; a zero ΔW_l is exempt", met, why)


def _widths_met(m: Measured) -> bool:
    return _width_rule(m).met(m.widths)


def _width_rule(m: Measured) -> WidthRule:
    if m.quantity.width_rule is None:
        raise AttributeError(f"widths are not asked of the {m.quantity}")
    return m.quantity.width_rule


def _widths_why(m: Measured) -> str:
    return _width_rule(m).why(m.widths)


def _small_why(m: Measured, index: tuple[int, ...]) -> str:
    worst, layer = m.rho[index].max(-1)
    return f"ρ_{int(layer) + 1} = {worst:.3g} > 1/L = {1 / m.depth:.3g}"


def _differentiable(m: Measured) -> Tensor:
    """No pre-activation above the layer within its rounding error of a kink."""
    smooth = _everywhere(m, True)
    bounds, states = m.instance.error_bounds, m.instance.states
    for k in range(m.layer, m.net.depth):
        z, e_z = states.z[k], bounds.e_z[k].unsqueeze(-1)
        radius = torch.maximum(e_z, torch.finfo(z.dtype).tiny * torch.ones_like(z))
        at_kink = m.net.activations[k].has_kink_within(z, radius).any(-1)
        smooth = smooth & ~at_kink
    return smooth


def _relu_like(m: Measured) -> bool:
    names = [a.spec for a in m.net.activations]
    return all(n == "relu" for n in names[:-1]) and names[-1] in ("relu", "identity") and "relu" in names


hypotheses: dict[str, Hypothesis] = {
    h.name: h
    for h in (
        Hypothesis(
            "transmission",
            "α|u| ≤ |φ(u)| ≤ β|u| and α|u−v| ≤ |φ(u)−φ(v)| ≤ β|u−v| with α > 0",
            lambda m: (m.alphas > 0).all(-1),
            lambda m, index: f"α = {m.alpha}, which must be > 0",
        ),
        _conditioning("conditioning", {"kappa_w": "W", "kappa_wt": "W̃", "kappa_dw": "ΔW"}),
        _conditioning("conditioning-w-dw", {"kappa_w": "W", "kappa_dw": "ΔW"}),
        _conditioning("conditioning-w", {"kappa_w": "W"}),
        _of_network(
            "widths",
            "n_0 ≤ … ≤ n_L for the function; n_l, …, n_L never rising, then never falling, for a Jacobian; "
            "n_0 ≤ n_1 = … = n_{L−1} ≥ n_L for gradients",
            _widths_met,
            _widths_why,
        ),
        _of_network(
            "biases", "no layer has a bias", lambda m: not m.net.has_biases, lambda m: "the network has biases"
        ),
        Hypothesis(
            "nonzero",
            "f(x) ≠ 0, or J_l ≠ 0: what is divided by",
            lambda m: torch.isfinite(m.log_reference),
            lambda m, index: f"{m.quantity.divisor.format(l=m.layer)} is zero or out of range",
        ),
        Hypothesis("small", "ρ_l ≤ 1/L in every layer", lambda m: (m.rho * m.depth <= 1).all(-1), _small_why),
        Hypothesis(
            "lipschitz",
            "β ≤ 1",
            lambda m: (m.betas <= 1).all(-1),
            lambda m, index: f"β = {m.beta}, which must be ≤ 1",
        ),
        _of_network(
            "scalars",
            "two scalars: widths 1-1-1 and φ the identity",
            lambda m: m.widths == (1, 1, 1) and all(a.spec == "identity" for a in m.net.activations),
            lambda m: f"widths {'-'.join(map(str, m.widths))} with {m.net.activations[0].spec}, not two scalars",
        ),
        Hypothesis(
            "differentiable",
            "no pre-activation within its rounding error of a kink of φ",
            _differentiable,
            lambda m, index: "a pre-activation is within its rounding error of a kink of φ",
        ),
        _of_network(
            "relu",
            "φ is ReLU in every layer (the last may be linear)",
            _relu_like,
            lambda m: f"φ is {m.net.activations[0].spec}, not relu",
        ),
    )
}


def hypothesis(condition: Callable[[Measured], bool]) -> Callable[[Measured], bool]:
    """Decorator: a function of the architecture (m.widths, m.depth, m.alpha, m.beta) becomes a hypothesis of its name.

        @drt.hypothesis
        def square_first_layer(m):
            "n_0 = n_1."
            return m.widths[0] == m.widths[1]

    Raises:
        InputError: the name of one of the built-in hypotheses.
    """
    name = condition.__name__
    if name in hypotheses and hypotheses[name].condition is None:
        raise InputError(f"hypothesis {name!r} is built in; choose another name")
    text = (condition.__doc__ or name).strip().splitlines()[0]
    custom = _of_network(name, text, condition, lambda m: f"widths {'-'.join(map(str, m.widths))}, depth {m.depth}")
    hypotheses[name] = replace(custom, condition=condition)
    return condition


def resolve(names: Sequence[str], quantity: Quantity = FUNCTION) -> tuple[str, ...]:
    """The hypotheses that a list of names stands for: those that the quantity implies come first, `-name` drops one.

    Raises:
        InputError: a name that is not a hypothesis.
    """
    chosen = list(quantity.implied)
    for name in names:
        bare = name.removeprefix("-")
        if bare not in hypotheses:
            raise InputError(f"hypothesis {name!r} is not known; expected some of {', '.join(hypotheses)}, or -NAME")
        if name.startswith("-"):
            chosen = [c for c in chosen if c != bare]
        elif bare not in chosen:
            chosen.append(bare)
    return tuple(chosen)
