"""What an attack asks of a quantity: one interface, with one implementation each; `drt.falsify.attack` has the table.

An engine knows what claims about its quantity are attacked with. It offers openings, which are tried whatever the budget, plans
units of work from what has been found so far, and does them; a find is one of their results, on its way to becoming a witness.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from drt.exact.certify import Certificate, certify
from drt.falsify.space import Space
from drt.measurement.measured import Measured
from drt.theory.base import Claim
from drt.witness.witness import Witness

FIND_BITS = 512  # precision in which finds are certified
TIE = 1e-9  # |log(actual/bound)| below which a bound counts as attained
Source = dict[str, str] | None  # the file and function of a user's bound


class Find(ABC):
    """An instance that comes close to the bound or exceeds it, or a few of one kind."""

    @property
    @abstractmethod
    def log_ratio(self) -> float:
        """log(actual/bound) of the best of them, in floating point."""

    @property
    @abstractmethod
    def exceeds(self) -> bool:
        """Whether it is above the bound, in floating point: to be certified."""

    @property
    @abstractmethod
    def violates(self) -> bool:
        """Whether it is above the bound by more than rounding explains: where no certificate can be had, that is news, too."""

    @property
    @abstractmethod
    def numbers(self) -> int:
        """How many numbers a reader would have to read."""

    @property
    @abstractmethod
    def kind(self) -> Hashable:
        """Of finds of one kind the best is kept."""

    @property
    @abstractmethod
    def exact(self) -> bool:
        """Whether it can be certified."""

    @abstractmethod
    def certify(self, claim: Claim, source: Source) -> tuple[Certificate, Witness | None]:
        """What exact arithmetic says of it, and the witness that shows it, if a file can hold it."""


class WitnessedFind(Find):
    """One that a witness file can hold."""

    @abstractmethod
    def witness(self, claim: Claim, source: Source) -> Witness:
        """The instance with exact entries, of those in the find the one that reads best."""

    def certify(self, claim: Claim, source: Source) -> tuple[Certificate, Witness]:
        witness = self.witness(claim, source)
        return certify(witness, claim, max_bits=FIND_BITS), witness


@dataclass(frozen=True)
class Found:
    """The result of a unit of work: what it found, and from how many instances.

    log_ratio: the largest of log(actual/bound), where finds leave out what no witness can hold; else −∞.
    """

    finds: tuple[Find, ...]
    instances: int
    log_ratio: float = -math.inf


class Engine(ABC):
    """How claims about one quantity are attacked.

    section: the part of `drt/falsify/template.py` that measures a counterexample.
    """

    section: str

    def most_units(self, claim: Claim) -> float:
        """Beyond which more of them show nothing new."""
        return math.inf

    @abstractmethod
    def probes(self, claim: Claim) -> tuple[Callable[[], Measured], Callable[[int], Witness]]:
        """A fresh measurement of ordinary instances at each call, and the witness of one of them."""

    @abstractmethod
    def openings(self, claim: Claim, space: Space, seed: int) -> Iterator[tuple[Found, bool]]:
        """What is tried first, whatever the budget; and whether what it finds is to be certified at once."""

    @abstractmethod
    def plan(
        self, claim: Claim, space: Space, finds: Sequence[Find], dice: random.Random, first: int, count: int
    ) -> list[Any]:
        """The next units of work, each a pure function of what `run` is given.

        Args:
            claim: what is attacked.
            space: the ranges it is attacked in.
            finds: the best of every kind so far.
            dice: of the attack as a whole.
            first: the number of units planned before.
            count: how many to plan.
        """

    @abstractmethod
    def run(self, claim: Claim, unit: Any) -> Found:
        """Do one unit of work."""

    @abstractmethod
    def measure(self, claim: Claim, witness: Witness) -> Measured:
        """A witness in floating point."""

    @abstractmethod
    def inside(self, claim: Claim, space: Space, m: Measured) -> bool:
        """Whether one measured instance lies in the space: what is shrunk must not leave it."""
