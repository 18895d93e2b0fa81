"""The attack: openings, then units of work in waves, until a violation is certified or the budget is spent.

A unit is a pure function of (claim, space, seed, index, what was found in the waves before), and results are taken in the order
in which they were planned. So the same seed gives the same attack, whatever the number of processes and whatever else the machine
does: the budget buys units.
"""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Hashable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from drt.exact.certify import Certificate
from drt.falsify.descents import Descents
from drt.falsify.engine import TIE, Engine, Find, Found, WitnessedFind
from drt.falsify.networks import Networks
from drt.falsify.space import Space
from drt.falsify.steps import RealSteps
from drt.falsify.target import Target
from drt.measurement.quantity import DESCENT, FUNCTION, JACOBIAN, STEP, Quantity
from drt.numeric.pool import Progress
from drt.numeric.results import shown_ratio
from drt.witness.witness import Witness

ENGINES: dict[Quantity, Engine] = {
    FUNCTION: Networks(),
    JACOBIAN: Networks(),
    DESCENT: Descents(),
    STEP: RealSteps(),
}
UNITS_PER_WAVE = 4
SEARCH_FROM = 1.0  # units of budget below which only the openings are tried
CERTIFIED_AT_ONCE = 3  # finds, after a unit
COMFORTABLE = 1e-6  # log(actual/bound) below which rounding to simple numbers may undo a violation


@dataclass
class Attack:
    """What an attack on a claim has found so far; an interrupt leaves it whole.

    certificate: of a violation. refuted: its witness, if a file can hold it. doubtful: a violation in floating point on which
    the certifier is undecided. unconfirmed: whether there is one in floating point that rounding does not explain.
    """

    target: Target
    space: Space
    instances: int = 0
    units: int = 0
    certificate: Certificate | None = None
    refuted: Witness | None = None
    doubtful: Witness | None = None
    unconfirmed: bool = False
    log_ratio: float = -math.inf
    best: dict[Hashable, Find] = field(default_factory=dict)
    _tried: set[tuple[Hashable, float]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.claim = self.target.claim
        self.engine = ENGINES[self.claim.quantity]

    @property
    def finds(self) -> list[Find]:
        """The best of every kind."""
        return list(self.best.values())

    @property
    def largest(self) -> float:
        """The largest log(actual/bound), in floating point."""
        return max([self.log_ratio, *(find.log_ratio for find in self.finds)])

    def add(self, found: Found) -> None:
        """Take in the result of a unit."""
        self.instances += found.instances
        self.log_ratio = max(self.log_ratio, found.log_ratio)
        for find in found.finds:
            known = self.best.get(find.kind)
            if known is None or known.log_ratio < find.log_ratio:
                self.best[find.kind] = find

    def refute(self) -> bool:
        """Certify the simplest of the finds that exceed the bound; whether there is a certified violation now."""
        above = sorted((find for find in self.finds if find.exceeds), key=_simplicity)
        self.unconfirmed |= any(find.violates for find in above)
        for find in [find for find in above if find.exact][:CERTIFIED_AT_ONCE]:
            if (key := (find.kind, find.log_ratio)) in self._tried:
                continue
            self._tried.add(key)
            certificate, witness = find.certify(self.claim, self.target.source)
            if certificate.answer == "violated":
                self.certificate, self.refuted = certificate, witness
                return True
            if certificate.answer == "undecided" and self.doubtful is None:
                self.doubtful = witness
        return False

    def closest(self) -> Witness | None:
        """The find that comes closest to the bound without exceeding it; of equals, the smallest."""
        genuine = [
            find for find in self.finds if isinstance(find, WitnessedFind) and find.exact and find.log_ratio <= TIE
        ]
        if not genuine:
            return None
        best = max(genuine, key=lambda find: (round(find.log_ratio, 9), -find.numbers))
        return best.witness(self.claim, self.target.source)


def _simplicity(find: Find) -> tuple[bool, int, float]:
    """Small networks first, then large margins; a margin too small for comfort counts against."""
    return find.log_ratio < COMFORTABLE, find.numbers, -find.log_ratio


def work(order: bytes) -> bytes:
    """A unit of work for another process, which loads the claim by name: a pickled (target, unit) becomes a pickled `Found`.

    Bytes, as tensors would else go from process to process by a thread that complains when an interrupt ends the other one.
    """
    target, unit = pickle.loads(order)
    claim = target.claim
    return pickle.dumps(ENGINES[claim.quantity].run(claim, unit))


def attack(state: Attack, budget: float, seed: int, pool: Executor | None, progress: Progress) -> None:
    """Attack until a violation is certified or the units that the budget buys are used up.

    Args:
        state: what is attacked; what is found is added to it.
        budget: units of work, each about a second of one core.
        seed: of everything random.
        pool: processes that do the units; None for this one.
        progress: told (units done, units in all, the largest ratio), after the openings and after every unit.
    """
    claim, engine, dice = state.claim, state.engine, random.Random(seed)
    total = min(math.ceil(budget), engine.most_units(claim)) if budget >= SEARCH_FROM else 0

    def done() -> bool:
        ratio = state.largest
        text = "nothing applicable yet" if ratio == -math.inf else f"largest actual/bound {shown_ratio(ratio):.6g}"
        progress(state.units, int(total), text)
        return state.refute()

    for found, at_once in engine.openings(claim, state.space, seed):
        state.add(found)
        if at_once and any(find.exceeds for find in found.finds) and state.refute():
            return
    if done():
        return
    while state.units < total:
        count = min(UNITS_PER_WAVE, int(total) - state.units)
        units = engine.plan(claim, state.space, state.finds, dice, state.units, count)
        for found in _results(state, units, pool):
            state.add(found)
            state.units += 1
            if done():
                return


def _results(state: Attack, units: list[Any], pool: Executor | None) -> Iterator[Found]:
    """Of each unit, in their order, as it is needed."""
    if pool is None:
        for unit in units:
            yield state.engine.run(state.claim, unit)
        return
    for future in [pool.submit(work, pickle.dumps((state.target, unit))) for unit in units]:
        yield pickle.loads(future.result())
