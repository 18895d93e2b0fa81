"""What an attack came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drt.numeric.results import shown_ratio


class Status(StrEnum):
    """How a claim came out of an attack; the text of a member is the word that users see.

    REFUTED      a counterexample is certified
    SURVIVED     nothing exceeds the bound
    UNCONFIRMED  something exceeds it in floating point, and could not be certified
    """

    REFUTED = "refuted"
    SURVIVED = "survived"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """The outcome of an attack on a claim; as it stands without further fields, that of an attack that never began.

    answer: what the certifier says of the witness (violated, attained, holds, undecided), None without one.
    log_ratio: of the witness, log(actual/bound); of a descent that survived, the largest measured. None if nothing applied.
    depth, widths, alpha, beta, kappa: of the witness; kappa is None where it is infinite.
    seconds: wall time. instances: evaluated. witness, script: paths of the files written. counterexample: in mathematics.
    interrupted, cut: by the user, or by the timeout.
    """

    claim: str
    statement: str
    status: Status = Status.SURVIVED
    answer: str | None = None
    log_ratio: float | None = None
    depth: int | None = None
    widths: tuple[int, ...] | None = None
    alpha: float | None = None
    beta: float | None = None
    kappa: float | None = None
    seconds: float = 0.0
    instances: int = 0
    witness: str | None = None
    script: str | None = None
    counterexample: str | None = None
    interrupted: bool = False
    cut: bool = False

    @property
    def certified(self) -> bool:
        """Whether there is a certified counterexample."""
        return self.status is Status.REFUTED

    @property
    def ratio(self) -> float | None:
        """actual/bound."""
        return None if self.log_ratio is None else shown_ratio(self.log_ratio)

    def as_dict(self) -> dict:
        """What `drt falsify --json` prints."""
        return {
            "claim": self.claim,
            "statement": self.statement,
            "status": self.status.value,
            "certified": self.certified,
            "answer": self.answer,
            "ratio": self.ratio,
            "log_ratio": self.log_ratio,
            "depth": self.depth,
            "widths": None if self.widths is None else list(self.widths),
            "alpha": self.alpha,
            "beta": self.beta,
            "kappa": self.kappa,
            "seconds": self.seconds,
            "instances": self.instances,
            "witness": self.witness,
            "script": self.script,
            "counterexample": self.counterexample,
            "interrupted": self.interrupted,
            "cut": self.cut,
        }

    def __str__(self) -> str:
        """For people."""
        head = {
            Status.REFUTED: "refuted (certified)",
            Status.SURVIVED: "survived: attained, never exceeded" if self.answer == "attained" else "survived",
            Status.UNCONFIRMED: "unconfirmed: exceeded in floating point, which could not be certified",
        }[self.status]
        cut = "cut short by the timeout: " if self.cut else ""
        lines = [f"{cut}{self.claim}: {head}", self.statement]
        if self.ratio is not None:
            after = f"after {self.instances:,} instances in {self.seconds:.1f} s"
            lines.append(f"largest actual/bound {self.ratio:.6g}, {after}")
        if self.counterexample:
            lines += ["", self.counterexample]
        files = [path for path in (self.witness, self.script) if path]
        return "\n".join(lines + (["", "wrote " + " and ".join(files)] if files else []))
