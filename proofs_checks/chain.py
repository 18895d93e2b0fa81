"""A proof as a chain q₀ ≤ q₁ ≤ … ≤ q_m from the actual change to the bound, each q a function of an instance.

Every q is evaluated in logarithms with a derived bound on its rounding error; a step is held against both: it is violated
where even the ends of the two enclosures are in the wrong order, it holds where they are in the right one, and in between
it is within rounding (a step that loses nothing is an equality).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from drt.errors import InputError
from proofs_checks.terms import Terms, by_layer

OUTCOMES = ("holds", "violated", "inapplicable", "within rounding")
# Where the looseness of a bound comes from; each step has one of them.
PARTS = ("alignment", "β/α", "κ", "norm swap", "induction", "linearisation", "mean value", "model", "identity")


@dataclass(frozen=True)
class Step:
    """q_{k−1} ≤ q_k. reason: the inequality used. statement: what it says here. part: one of PARTS.

    scalar: names of the scalar inequalities of `proofs_checks.symbolic` behind it. change: Σ of q_{k−1} → Σ of q_k.
    """

    reason: str
    statement: str
    part: str
    scalar: tuple[str, ...]
    change: Callable[[Terms], Terms]


@dataclass(frozen=True)
class Setup:
    """Which instances to walk a chain on: random ones of this size, or extremal, trained or saved networks instead."""

    depth: int = 4
    width: int = 8
    alpha: float = 0.1
    kappa: float = 2.0
    delta: float = 0.1
    batch: int = 64
    seed: int = 0
    source: str = "random"
    networks: tuple[Path, Path] | None = None
    activation: str | None = None


Ends = tuple[Tensor, Tensor, Tensor]  # the logarithm of q, its lower and its upper end


@dataclass(frozen=True)
class Chain:
    """The proof of a claim. instances are whatever `left`, `start` and `applicable` take: a measurement for most.

    left: q₀. start: the sum that q₁ transforms. applicable: where the claim's hypotheses are met.
    layered: whether columns of the sums are layers. draws: instances of a setup, each with a label.
    """

    claim: str
    statement: str
    left: Callable[[Any], Ends]
    start: Callable[[Any], Terms]
    applicable: Callable[[Any], Bool[Tensor, "..."]]
    steps: tuple[Step, ...]
    draws: Callable[[Setup], Iterable[tuple[str, Any]]]
    layered: bool = True

    def sums(self, instance: Any, last: int | None = None) -> list[Terms]:
        """q₁ … q_m on an instance or a batch; the first `last` of them if that is given."""
        sums = [self.start(instance)]
        for step in self.steps[:last]:
            sums.append(step.change(sums[-1]))
        return sums[1:]

    def walk(self, instance: Any) -> Walk:
        """Every q on an instance or a batch, and every step checked."""
        return Walk(self, self.left(instance), self.sums(instance), self.applicable(instance))

    def with_step(self, index: int, step: Step) -> Chain:
        """The same with step `index` (from 1) replaced: to plant an error, or to try a sharper one."""
        self.check_index(index)
        return replace(self, steps=(*self.steps[: index - 1], step, *self.steps[index:]))

    def check_index(self, index: int) -> None:
        """Raise InputError unless there is a step `index`, counted from 1."""
        if not 1 <= index <= len(self.steps):
            raise InputError(f"{self.claim} has steps #1 to #{len(self.steps)}, got #{index}")


class Walk:
    """A chain evaluated on a batch: logs, lower, upper (…, m+1) of q₀ … q_m; codes (…, m) index OUTCOMES."""

    def __init__(self, chain: Chain, left: Ends, sums: Sequence[Terms], applicable: Tensor):
        self.chain = chain
        self.sums = list(sums)
        self.applicable = applicable
        rights = [s.log_value for s in sums]
        batch = applicable.shape

        def stacked(first: Tensor, others: list[Tensor]) -> Tensor:
            return torch.stack([v.expand(batch) for v in (first, *others)], -1)

        self.logs: Float[Tensor, "... m1"] = stacked(left[0], [r.value for r in rights])
        lowers, uppers = zip(*(r.ends for r in rights), strict=True)
        self.lower, self.upper = stacked(left[1], list(lowers)), stacked(left[2], list(uppers))
        below, above = slice(None, -1), slice(1, None)
        nothing = (self.logs[..., below] == -torch.inf) & (self.upper[..., below] == -torch.inf)
        codes = torch.full(self.logs[..., above].shape, 3, dtype=torch.uint8)
        codes[(self.upper[..., below] <= self.lower[..., above]) | nothing] = 0
        codes[(self.lower[..., below] > self.upper[..., above]) & torch.isfinite(self.lower[..., below])] = 1
        codes[~applicable] = 2
        self.codes = codes

    @property
    def slack(self) -> Float[Tensor, "... m"]:
        """log10(q_k/q_{k−1}); NaN where the claim does not apply, 0 where both are 0."""
        before, after = self.logs[..., :-1], self.logs[..., 1:]
        added = torch.where(before == after, 0.0, after - before) / math.log(10)
        return torch.where(self.applicable.unsqueeze(-1), added, torch.nan)

    def layer_slack(self, index: int) -> Float[Tensor, "... n"] | None:
        """Step `index`'s slack layer by layer (from 1); None where it does not go layer by layer."""
        self.chain.check_index(index)
        if index == 1 or not self.chain.layered:
            return None
        return by_layer(self.sums[index - 2], self.sums[index - 1]) / math.log(10)

    def counts(self, index: int) -> dict[str, int]:
        """How many instances have each outcome of step `index`."""
        codes = self.codes[..., index - 1]
        return {name: int((codes == i).sum()) for i, name in enumerate(OUTCOMES)}

    @property
    def violated(self) -> Bool[Tensor, "..."]:
        """The instances on which some step is violated."""
        return (self.codes == 1).any(-1)

    @property
    def wrong(self) -> list[tuple[int, Step]]:
        """The steps that some instance violates, each with its number."""
        return [(k, step) for k, step in enumerate(self.chain.steps, start=1) if self.counts(k)["violated"]]

    def named(self) -> str:
        """The wrong steps in words, "" if there are none."""
        return "; ".join(f"{self.chain.claim}#{k}, {step.reason}: {step.statement}" for k, step in self.wrong)
