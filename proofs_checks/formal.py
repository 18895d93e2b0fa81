"""Runs Coq: compiles the proofs in a temporary copy, and compares the axioms they rest on with the whitelist."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

COQ = Path(__file__).parent / "coq"
OLDEST = (8, 16)
INSTALL = "apt-get install --no-install-recommends coq (or opam install coq), 8.16 or newer"
ROLES = ("proves", "refutes", "behind", "sharpens", "applies")
SECONDS = 600


@dataclass(frozen=True)
class Theorem:
    """A final theorem: the claim it is about, its name (Module.theorem), and one of ROLES."""

    claim: str
    name: str
    role: str


@dataclass(frozen=True)
class Build:
    """What came of it: "checked", "failed" or "not run", and why."""

    status: str
    reason: str = ""
    seconds: float = 0.0
    version: str | None = None


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


def build(folder: Path = COQ) -> Build:
    """Compile every file and check every theorem's axioms. Nothing is written into `folder`."""
    if not (folder / "_CoqProject").is_file():
        return Build(
            "not run", "the Coq files (proofs_checks/coq) are not there: use a checkout or an editable install"
        )
    path, version, missing = coqc()
    if path is None:
        return Build("not run", missing)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="drt-coq-") as name:
        copy = Path(name)
        files = [line for line in (folder / "_CoqProject").read_text().split() if line.endswith(".v")]
        for file in files:
            shutil.copy(folder / file, copy)
        (copy / "Axioms.v").write_text(_question(theorems(folder)))
        for file in (*files, "Axioms.v"):
            done = _compile(path, file, copy)
            if done.returncode != 0:
                return Build("failed", f"{file}: {_first_error(done)}", time.perf_counter() - begin, version)
        unknown = sorted(axioms(done.stdout) - set((folder / "whitelist.txt").read_text().split()))
    if unknown:
        return Build("failed", f"axioms not allowed: {', '.join(unknown)}", time.perf_counter() - begin, version)
    return Build("checked", "", time.perf_counter() - begin, version)


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
