"""What every module of this folder runs as a script: its chains, step by step, on random, extremal, trained or saved networks.

Exit codes (`drt.errors.Exit`) speak of the bound at the end of a chain: HELD where every step holds, VIOLATED where a step
fails and the bound is certified to be violated, UNCONFIRMED where a step fails in floating point only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from rich.console import Console
from rich.table import Table

from drt.errors import Exit, InputError, Parser, run_as_script
from drt.exact.certify import certify
from drt.falsify.layout import layout_of
from drt.measurement.measurement import Measurement
from drt.theory.registry import claims
from drt.witness.witness import Witness
from proofs_checks.chain import Chain, Setup, Walk


def main(chains: Sequence[Chain], about: str | None) -> NoReturn:
    """Run as a script: parse the command line, print, exit."""
    run_as_script(lambda arguments: run(chains, about, arguments))


def run(chains: Sequence[Chain], about: str | None, arguments: Sequence[str]) -> int:
    """Walk the chains on the instances that the arguments ask for; the exit code.

    Raises:
        InputError: arguments that are none, or out of range.
    """
    options, setup = _parse(about, arguments)
    results, code = [], Exit.HELD
    for chain in chains:
        for label, instance in chain.draws(setup):
            walk = chain.walk(instance)
            certified = _certified(walk, instance) if walk.wrong else None
            results.append(WalkRecord.of(walk, label, certified))
            if certified is not None:
                code = Exit.VIOLATED if certified else code or Exit.UNCONFIRMED
    if options.json:
        found = {"seed": setup.seed, "chains": [result.as_dict() for result in results]}
        print(json.dumps(found, ensure_ascii=False, allow_nan=False))
    else:
        console = Console(width=None if sys.stdout.isatty() else 100)
        for result in results:
            console.print(walk_table(result))
    return code


def _parse(about: str | None, arguments: Sequence[str]) -> tuple[argparse.Namespace, Setup]:
    parser = Parser(None, about)
    plain = Setup()
    parser.add_argument("--depth", type=int, default=plain.depth, help="layers L")
    parser.add_argument("--width", type=int, default=plain.width, help="of every layer")
    parser.add_argument("--alpha", type=float, default=plain.alpha, help="slope α of leaky ReLU; 1 is linear")
    parser.add_argument("--kappa", type=float, default=plain.kappa, help="κ of every W_l and ΔW_l")
    parser.add_argument("--delta", type=float, default=plain.delta, help="‖ΔW_l‖_F/‖W_l‖_F")
    parser.add_argument("--batch", type=int, default=plain.batch, help="how many random instances")
    parser.add_argument("--seed", type=int, default=plain.seed)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--extremal", action="store_true", help="the extremal constructions instead")
    source.add_argument("--trained", action="store_true", help="a network of this depth, trained on digits")
    source.add_argument("--networks", nargs=2, type=Path, metavar=("BEFORE", "AFTER"), help="two saved networks")
    parser.add_argument("--activation", help="φ of saved networks that do not say theirs")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    for name, low, high in (("depth", 1, 64), ("width", 1, 128), ("batch", 1, 100_000), ("kappa", 1, 1e300)):
        value = getattr(options, name)
        if not low <= value <= high:
            raise InputError(f"--{name} {value} must be from {low} to {high:g}")
    if not 0 <= options.alpha <= 1:
        raise InputError(f"--alpha {options.alpha} must be from 0 to 1")
    if not 0 < options.delta < float("inf"):
        raise InputError(f"--delta {options.delta} must be > 0")
    chosen = "trained" if options.trained else "extremal" if options.extremal else "random"
    shared = ("depth", "width", "alpha", "kappa", "delta", "batch", "seed", "activation")
    networks = tuple(options.networks) if options.networks else None
    fields: dict[str, Any] = {name: getattr(options, name) for name in shared}
    return options, Setup(**fields, source="networks" if networks else chosen, networks=networks)  # type: ignore[arg-type]


@dataclass(frozen=True)
class StepRecord:
    """Step number `step` on a batch: how many instances have each outcome, and what it loses, log10(q_k/q_{k−1}).

    least, median, largest: over the instances where that is finite; None where there are none.
    """

    step: int
    reason: str
    part: str
    statement: str
    counts: dict[str, int]
    least: float | None
    median: float | None
    largest: float | None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON, every outcome a key."""
        fields = {name: value for name, value in vars(self).items() if name != "counts"}
        head = {name: fields.pop(name) for name in ("step", "reason", "part", "statement")}
        return head | self.counts | fields


@dataclass(frozen=True)
class WalkRecord:
    """A chain walked on a batch of instances, which the label `instances` names.

    wrong: the steps that some instance violates, in words. certified: whether the bound itself is certified to be violated;
    None where no step is wrong.
    """

    claim: str
    statement: str
    instances: str
    steps: list[StepRecord]
    wrong: str
    certified: bool | None

    @classmethod
    def of(cls, walk: Walk, label: str, certified: bool | None = None) -> WalkRecord:
        """From a walk."""
        steps = []
        for k, step in enumerate(walk.chain.steps, start=1):
            slack = walk.slack[..., k - 1].flatten()
            slack = slack[torch.isfinite(slack)]
            spread = [float(v) for v in (slack.min(), slack.median(), slack.max())] if len(slack) else [None] * 3
            steps.append(StepRecord(k, step.reason, step.part, step.statement, walk.counts(k), *spread))
        return cls(walk.chain.claim, walk.chain.statement, label, steps, walk.named(), certified)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON; `certified` only where a step is wrong."""
        fields = vars(self) | {"steps": [step.as_dict() for step in self.steps]}
        return {name: value for name, value in fields.items() if name != "certified" or value is not None}


def walk_table(result: WalkRecord) -> Table:
    """At most 100 columns: a row a step, what it says, where it stands, and how much it loses."""
    table = Table(
        title=f"{result.claim} on {result.instances}", title_justify="left", title_style="bold", box=None,
        padding=(0, 1, 0, 0), pad_edge=False, width=100,
    )  # fmt: skip
    table.add_column("#", justify="right")
    table.add_column("step", overflow="fold", ratio=1)
    table.add_column("holds (of these\nby rounding)", justify="right", no_wrap=True)
    table.add_column("fails", justify="right", no_wrap=True)
    table.add_column("log10 lost: least\nmedian   largest", justify="right", no_wrap=True)
    for s in result.steps:
        some, violated, inapplicable = (s.counts[o] for o in ("within rounding", "violated", "inapplicable"))
        held = f"{s.counts['holds'] + some:,}" + (f" ({some:,})" if some else "")
        if inapplicable:
            held += f"\n{inapplicable:,} inapplicable"
        lost = "" if s.median is None else f"{s.least:.3f} {s.median:9.3f} {s.largest:9.3f}"
        fails = f"[red]{violated:,}[/red]" if violated else ""
        table.add_row(str(s.step), f"{s.reason}: {s.statement}", held, fails, lost)
    if result.wrong:
        table.caption = f"WRONG: {result.wrong}"
    return table


def _certified(walk: Walk, instance: Any) -> bool:
    """Whether the bound at the chain's end is certified to be violated by one of the instances that a step fails on."""
    if not isinstance(instance, Measurement) or walk.chain.claim not in claims:
        return False
    layout = layout_of(instance.instance)
    theta = layout.flatten(instance.instance)
    return any(_is_violated(walk.chain.claim, layout.instance(theta[index])) for index in _first(walk.violated))


def _first(violated: torch.Tensor) -> Iterable[tuple[int, ...]]:
    return [tuple(index) for index in torch.nonzero(violated)[:3].tolist()]


def _is_violated(claim_id: str, one: Any) -> bool:
    witness = Witness.from_floats(claim_id, one.net, one.dweights, one.x)
    return certify(witness, max_bits=256).answer == "violated"
