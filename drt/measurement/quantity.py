"""Quantities: what a claim may be about, one object each.

    function   ‖f̃ − f‖/‖f‖, or ‖f̃ − f‖: how far the output moves
    jacobian   ‖J̃_l − J_l‖_F/‖J_l‖_F: how far the layer-l-to-output Jacobian moves
    descent    what a loss and its gradients do along the segment from W to W + ΔW
    step       how far a step of a real optimiser moves the weights

Here is what every wing needs to know of a quantity. Each wing above adds one table, from the quantity to its own part: the
exact twin (`drt.exact.certify`), the attack (`drt.falsify`), the formal twin (`proofs_checks`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Widths = tuple[int, ...]


def never_contracts(widths: Widths) -> bool:
    """n_0 ≤ n_1 ≤ … ≤ n_L."""
    return all(below <= above for below, above in zip(widths, widths[1:], strict=False))


def is_valley(widths: Widths) -> bool:
    """Never rising, then never falling."""
    floor = widths.index(min(widths))
    return never_contracts(widths[: floor + 1][::-1]) and never_contracts(widths[floor:])


def spares_gradients(widths: Widths) -> bool:
    """n_0 ≤ n_1 = … = n_{L−1} ≥ n_L: for every l, the layers before it never contract, those after it never expand."""
    return never_contracts(widths[:-1]) and never_contracts(widths[:0:-1])


@dataclass(frozen=True)
class WidthRule:
    """What the hypothesis "widths" asks of (n_0, …, n_L), and what widths do that do not meet it."""

    met: Callable[[Widths], bool]
    broken: str

    def why(self, widths: Widths) -> str:
        """How these widths do not meet it."""
        return f"widths {'-'.join(map(str, widths))} {self.broken}"


class Quantity(StrEnum):
    """What a claim is about; the text of a member is its name.

    lefts: how the left side may be taken, the usual way first, each in the paper's letters. implied: the hypotheses that a
    user's bound has without naming them. width_rule: what the hypothesis "widths" means. of_network: whether an instance is a
    network, its perturbation and one input. of_layer: whether it is about one layer l of them. of_loss: whether a loss belongs
    to an instance. divisor: what a relative change is divided by.
    """

    lefts: dict[str, str]
    implied: tuple[str, ...]
    width_rule: WidthRule | None
    of_network: bool
    of_layer: bool
    of_loss: bool
    divisor: str

    def __new__(
        cls,
        name: str,
        lefts: dict[str, str],
        implied: tuple[str, ...],
        width_rule: WidthRule | None,
        of_network: bool,
        of_layer: bool,
        of_loss: bool,
        divisor: str,
    ) -> Quantity:
        member = str.__new__(cls, name)
        member._value_ = name
        member.lefts, member.implied, member.width_rule = lefts, implied, width_rule
        member.of_network, member.of_layer, member.of_loss, member.divisor = of_network, of_layer, of_loss, divisor
        return member

    FUNCTION = (
        "function",
        {"relative": "‖f̃ − f‖/‖f‖", "absolute": "‖f̃ − f‖"},
        ("biases", "nonzero"),
        WidthRule(never_contracts, "contract, but n_0 ≤ n_1 ≤ … ≤ n_L is asked"),
        True,
        False,
        False,
        "f(x)",
    )
    JACOBIAN = (
        "jacobian",
        {"relative": "‖J̃_{l} − J_{l}‖_F/‖J_{l}‖_F"},
        ("biases", "nonzero"),
        WidthRule(is_valley, "do not form a valley: never rising, then never falling"),
        True,
        True,
        False,
        "J_{l}",
    )
    DESCENT = (
        "descent",
        {"change": "max_l ‖g_l(W+ΔW) − g_l‖_F/‖g_l‖_F", "excess": "𝓛(W+ΔW) − 𝓛(W) − Σ⟨g_l, ΔW_l⟩"},
        ("gradients",),
        WidthRule(spares_gradients, "are not n_0 ≤ n_1 = … = n_{L−1} ≥ n_L"),
        False,
        False,
        True,
        "g_l",
    )
    STEP = ("step", {"deviation": "|‖W⁺ − W‖/‖W‖ − η|"}, (), None, False, False, False, "W")


FUNCTION, JACOBIAN, DESCENT, STEP = Quantity.FUNCTION, Quantity.JACOBIAN, Quantity.DESCENT, Quantity.STEP
OF_NETWORKS = tuple(q for q in Quantity if q.of_network)
# Those that a user's bound may be about: a step is no network's, so nothing could be drawn for it.
OF_BOUNDS = (*OF_NETWORKS, DESCENT)
