"""Whether the verdict means what it says: held against the certifier, which shares no arithmetic with it, on a few instances.

A claim that a machine has proved is of no use if `drt.theory.verdict` calls a violated instance "holds". So for every claim:

    verdict and certificate never contradict each other, on the claim and on its formula scaled below what an instance attains;
    the scaled formula is violated there, and the verdict says so.

Steps of optimisers have no exact certificate: there the optimisers of the project must not violate a claim, and one that
stands still must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from drt.errors import InputError
from drt.exact.certify import Certificate, certify
from drt.falsify.descents import measured
from drt.measurement.measurement import measure, measure_jacobian
from drt.optimisers.steps import Steps, measure_steps
from drt.theory.base import Claim
from drt.theory.outcome import Outcome
from drt.theory.verdict import Verdict, Verdicts
from drt.witness.witness import Witness

# What a verdict excludes that a certificate says; "undecided" excludes nothing.
EXCLUDES = {
    Outcome.HOLDS: {"violated", "inapplicable"},
    Outcome.VIOLATED: {"holds", "attained", "inapplicable"},
    Outcome.INAPPLICABLE: {"holds", "attained", "violated"},
    Outcome.UNDECIDED: set(),
}
BITS = 128  # enough for instances this small; more would only take longer to say "undecided"
Rows = list[list[float]]


def _instance(activation: str, weights: list[Rows], steps: list[Rows], x: list[float], **more: Any) -> dict[str, Any]:
    specs = tuple(activation.split()) if " " in activation else (activation,) * len(weights)
    return {"activations": specs, "weights": weights, "dweights": steps, "x": x, **more}


ONE: Rows = [[1]]
EYE: Rows = [[1, 0], [0, 1]]
# Widths that fit and that do not, linear φ and leaky ones, biases, deficient ranks, zeros, kinks; small numbers, exactly.
BATTERY = (
    _instance("identity", [ONE, ONE], [[[0.5]], [[0.25]]], [1], target=[3]),
    _instance("identity", [[[2]], [[-1]]], [[[0.5]], [[0.25]]], [1], target=[1]),
    _instance("leaky_relu:0.5", [[[1]], [[-1]]], [[[0.5]], [[-0.25]]], [1], target=[0]),
    _instance("identity", [ONE], [[[-0.5]]], [1], target=[-1]),
    _instance("identity", [[[2]]], [[[-1]]], [1], target=[1.875]),
    _instance("identity", [ONE], [[[0.25]]], [1], target=[0]),
    _instance("relu identity", [EYE, EYE], [[[0.5, 0], [0, 0.5]], [[0.25, 0], [0, 0.25]]], [1, 2], target=[4, 4]),
    _instance("relu", [EYE], [[[0, 0.5], [-0.5, 0]]], [0.0625, -1], target=[1, 1]),
    _instance("leaky_relu:0.25", [[[1], [2]], [[1, 2], [-1, 1]]], [[[0.125], [0.25]], [[0.25, 0], [0, 0.125]]], [1],
              target=[1, 1]),
    _instance("identity", [[[1, 0]]], [[[0, 0.5]]], [0.001, 1], target=[1]),
    _instance("identity", [[[1], [0]], [[1, 0]]], [[[0], [0.5]], [[0, 0.5]]], [1], target=[3]),
    _instance("identity", [EYE], [[[1, 0], [0, 0]]], [1, 1], target=[3, 2]),
    _instance("identity", [[[1, 1], [1, 1]]], [[[0.5, 0], [0, 0.5]]], [1, 0], target=[3, 3]),
    _instance("identity", [EYE], [[[0.5, 0], [0, 0.5]]], [0, 1], biases=[[0, -1]], target=[1, 1]),
    _instance("identity", [EYE], [[[0, 0], [0, 0]]], [1, 1], target=[0, 0]),
    _instance("relu", [[[1]], [[1]]], [[[1]], [[1]]], [-1], target=[1]),
)  # fmt: skip


def witnesses(claim: Claim) -> Iterator[Witness]:
    """The battery as instances of a claim: of the Jacobian, for every layer."""
    for fields in BATTERY:
        kept = {k: v for k, v in fields.items() if k != "target" or claim.quantity == "descent"}
        for layer in range(len(fields["weights"]) if claim.quantity == "jacobian" else 1):
            yield Witness(claim.id, claim.statement, claim.quantity, layer, **kept)


def verdict_of(claim: Claim, witness: Witness) -> Verdict | None:
    """What the library says of the instance in floating point; None where it refuses to measure it."""
    try:
        if claim.quantity == "descent":
            return Verdicts(claim, measured(witness))[()]
        net, dweights, x = witness.network()
        m = (
            measure(net, dweights, x)
            if claim.quantity == "function"
            else measure_jacobian(net, dweights, x, witness.layer)
        )
        return Verdicts(claim, m)[()]
    except InputError:
        return None


def scaled(claim: Claim, factor: float) -> Claim:
    """The claim with its formula made smaller."""
    return replace(claim, formula=lambda m: claim.formula(m) * factor)


def fault(claim: Claim) -> str:
    """What is wrong with the verdict on this claim; "" if nothing is found.

    Raises:
        InputError: a claim of a quantity that has no battery.
    """
    if claim.quantity == "step":
        return _fault_of_steps(claim)
    certificates: list[tuple[Witness, Certificate]] = []
    for witness in witnesses(claim):
        verdict, certificate = verdict_of(claim, witness), certify(witness, claim, max_bits=BITS)
        if verdict is None:
            continue
        if certificate.answer in EXCLUDES[Outcome(str(verdict.outcome))]:
            return f"the verdict is {verdict.outcome}, the certificate says {certificate.answer}"
        certificates.append((witness, certificate))
    answers = {certificate.answer for _, certificate in certificates}
    if not answers & {"holds", "attained", "violated"} or "inapplicable" not in answers:
        return "the battery tells nothing of this claim"
    if callable(claim.left):  # a discrepancy that is 0: nothing is below it
        return ""
    decided = [(w, c) for w, c in certificates if c.answer in ("holds", "attained", "violated") and c.rhs[0] > 0]
    witness, nearest = max(decided, key=lambda pair: pair[1].ratio[0])
    smaller = scaled(claim, nearest.ratio[0] / 2)
    verdict, certificate = verdict_of(smaller, witness), certify(witness, smaller, max_bits=BITS)
    if verdict is None or verdict.outcome != "violated" or certificate.answer != "violated":
        said = "nothing" if verdict is None else verdict.outcome
        return f"with half of what an instance attains the verdict is {said}, the certificate says {certificate.answer}"
    return ""


class _Still(torch.optim.Optimizer):
    """An optimiser that leaves every weight where it is."""

    def __init__(self, params: list[torch.nn.Parameter], etas: Any):
        super().__init__([{"params": [p]} for p in params], {"lr": 1.0})

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        return None


def _fault_of_steps(claim: Claim) -> str:
    def steps(**optimisers: Any) -> Steps:
        weight = torch.tensor([[3.0, 4.0]], dtype=torch.float64).expand(1, 2, 1, 2)
        gradient = torch.tensor([[[[-4.0, 3.0]], [[-4.0, 3.0]]]], dtype=torch.float64)
        return measure_steps(weight, gradient, torch.tensor([0.0625, 0.5], dtype=torch.float64), **optimisers)

    outcomes = [Outcome(str(v.outcome)) for v in Verdicts(claim, steps())]
    if outcomes != ["holds", "holds"]:
        return f"the verdicts on the project's own optimisers are {', '.join(outcomes)}"
    outcomes = [Outcome(str(v.outcome)) for v in Verdicts(claim, steps(fromage=_Still))]
    if claim.id == "fromage.norm-growth":
        outcomes = [Outcome(str(v.outcome)) for v in Verdicts(claim, steps(lars=_Still))]
    if outcomes[0] != "violated":
        return f"the verdict on an optimiser that stands still is {outcomes[0]}"
    return ""
