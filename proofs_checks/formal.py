"""Runs Coq: compiles the proofs in a temporary copy, holds what the code claims against the theorems that are said to be
about it, and compares the axioms they rest on with the whitelist.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

COQ = Path(__file__).parent / "coq"
OLDEST = (8, 16)
INSTALL = "apt-get install --no-install-recommends coq (or opam install coq), 8.16 or newer"
ROLES = ("proves", "refutes", "behind", "sharpens", "applies")
SECONDS = 600
SECONDS_A_GOAL = 60
# What the statements of `as_coded` are written in.
PREAMBLE = """From Coq Require Import Reals.
From DRT Require Import Sums Measured.
From DRT Require Claims.
Open Scope R_scope.
"""


@dataclass(frozen=True)
class Theorem:
    """A final theorem: the claim it is about, its name (Module.theorem), and one of ROLES."""

    claim: str
    name: str
    role: str


@dataclass(frozen=True)
class Build:
    """What came of it: "checked", "failed" or "not run", and why.

    differs: the goals, by their name, that the theorem named for them does not prove.
    """

    status: str
    reason: str = ""
    seconds: float = 0.0
    version: str | None = None
    differs: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Goal:
    """A statement and the theorem (Module.theorem) that must be a proof of exactly it."""

    statement: str
    theorem: str


def theorems(folder: Path = COQ) -> tuple[Theorem, ...]:
    """The final theorems, as theorems.txt lists them."""
    lines = (line.split("#")[0].split() for line in (folder / "theorems.txt").read_text().splitlines())
    return tuple(Theorem(*fields) for fields in lines if fields)


def coqc() -> tuple[str | None, str | None, str]:
    """(path, version, what is missing) of the Coq compiler; no path if there is none that is new enough."""
    path = shutil.which("coqc")
    if path is None:
        return None, None, f"coqc is not installed; {INSTALL}"
    printed = subprocess.run([path, "--print-version"], capture_output=True, text=True, check=False).stdout
    version = (printed.split() or ["0"])[0]
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        return None, version, f"coqc {version} is too old; {INSTALL}"
    return path, version, ""


def build(folder: Path = COQ, goals: Mapping[str, Goal] | None = None) -> Build:
    """Compile every file, check every theorem's axioms, then the goals. Nothing is written into `folder`."""
    if not (folder / "_CoqProject").is_file():
        return Build(
            "not run", "the Coq files (proofs_checks/coq) are not there: use a checkout or an editable install"
        )
    path, version, missing = coqc()
    if path is None:
        return Build("not run", missing)
    begin = time.perf_counter()

    def ended(status: str, reason: str, differs: frozenset[str] = frozenset()) -> Build:
        return Build(status, reason, time.perf_counter() - begin, version, differs)

    with compiled(folder, path) as (copy, error):
        if error:
            return ended("failed", error)
        unsound = wrong_axioms(folder, path, copy)
        if unsound:
            return ended("failed", unsound)
        return ended("checked", "", differs=unproved(goals or {}, path, copy))


def wrong_axioms(folder: Path, path: str, copy: Path) -> str:
    """What is wrong with the axioms that the theorems rest on; "" where all of them are in the whitelist.

    Args:
        folder: the project, with theorems.txt and whitelist.txt.
        path: of coqc.
        copy: of the project, compiled.
    """
    (copy / "Axioms.v").write_text(_question(theorems(folder)))
    done = _compile(path, "Axioms.v", copy)
    if done.returncode != 0:
        return f"Axioms.v: {_first_error(done)}"
    unknown = sorted(axioms(done.stdout) - set((folder / "whitelist.txt").read_text().split()))
    return f"axioms not allowed: {', '.join(unknown)}" if unknown else ""


@contextmanager
def compiled(folder: Path, path: str) -> Iterator[tuple[Path, str]]:
    """A temporary copy of the project, all of it compiled, and the first error if there is one."""
    with tempfile.TemporaryDirectory(prefix="drt-coq-") as name:
        copy = Path(name)
        files = [line for line in (folder / "_CoqProject").read_text().split() if line.endswith(".v")]
        for file in files:
            shutil.copy(folder / file, copy)
        for file in files:
            done = _compile(path, file, copy)
            if done.returncode != 0:
                yield copy, f"{file}: {_first_error(done)}"
                return
        yield copy, ""


def unproved(goals: Mapping[str, Goal], path: str, copy: Path) -> frozenset[str]:
    """The names of the goals that are not, up to computation, what their theorem says; one session for all of them."""
    if not goals:
        return frozenset()
    lines = [
        f"Timeout {SECONDS_A_GOAL} Definition goal_{i} : {goal.statement} := @DRT.{goal.theorem}.\n"
        for i, goal in enumerate(goals.values())
    ]
    modules = " ".join(dict.fromkeys(goal.theorem.split(".")[0] for goal in goals.values()))
    text = PREAMBLE + f"From DRT Require {modules}.\n" + "".join(lines)
    # coqtop, which lies beside coqc, goes on after a command that fails.
    command = [str(Path(path).with_name("coqtop")), "-q", "-Q", ".", "DRT"]
    done = subprocess.run(command, cwd=copy, input=text, capture_output=True, text=True, check=False, timeout=SECONDS)
    defined = set(re.findall(r"^(?:Coq < )*goal_(\d+) is defined$", done.stdout, re.MULTILINE))
    return frozenset(name for i, name in enumerate(goals) if str(i) not in defined)


def _compile(path: str, file: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [path, "-q", "-Q", ".", "DRT", file]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"Error: no end after {SECONDS} s")


def _question(listed: tuple[Theorem, ...]) -> str:
    """One question about all theorems: what a tuple of proofs rests on is what any of them rests on."""
    modules = " ".join(dict.fromkeys(t.name.split(".")[0] for t in listed))
    names = ", ".join(f"@DRT.{t.name}" for t in listed)
    return f"From DRT Require {modules}.\nDefinition all_theorems := ({names}).\nPrint Assumptions all_theorems.\n"


def axioms(printed: str) -> set[str]:
    """The names in what `Print Assumptions` prints. A line that is not understood is returned as if it were a name.

    Each axiom starts a line with its name, which its type follows, over several indented lines if it is long.
    """
    if printed.strip() == "Closed under the global context":
        return set()
    lines = [line for line in printed.splitlines() if line and not line.startswith(" ")]
    if not lines or lines[0] != "Axioms:":
        return {printed.strip() or "nothing printed"}
    return {re.split(r"\s*:|\s", line, maxsplit=1)[0] for line in lines[1:]}


def _first_error(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr or done.stdout).split())[:300]
