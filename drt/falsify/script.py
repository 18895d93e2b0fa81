"""A witness as a standalone Python script, numpy only, that evaluates both sides and prints them.

The script is `drt/falsify/template.py`, a Python file like any other, with its instance and its bound replaced.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from types import FunctionType

from flint import fmpq

from drt.numeric import numbers
from drt.theory.base import Claim, Formula
from drt.witness.witness import Witness

SECTION = "# --- "
# The functions that formulas are written in: the template has them, too.
WORDS = {name: word for name, word in vars(numbers).items() if isinstance(word, FunctionType) and name[0] != "_"}
MEASUREMENTS = ("of a network", "of a descent")
ABSOLUTE = ("absolute", "excess")  # left sides that no reference divides


@cache
def template() -> dict[str, str]:
    """The sections of the template by name, in their order; the first, "", is what stands before all of them."""
    text = (files("drt.falsify") / "template.py").read_text(encoding="utf-8")
    head, *sections = re.split(rf"^{SECTION}", text, flags=re.MULTILINE)
    return {"": head} | dict(section.split("\n", 1) for section in sections)


def script(witness: Witness, claim: Claim, measured: str, text: str) -> str:
    """A Python script, numpy only, that evaluates both sides in floating point and prints them.

    Args:
        witness: the instance.
        claim: what it violates.
        measured: the section of the template that measures it.
        text: the counterexample in mathematics.
    """
    parts = dict(template())
    imports = parts.pop("").split('"""', 2)[2]
    about = f"A counterexample to {claim.id}: {claim.statement}\n\n{text}\n\nNeeds numpy only; run it: it prints both sides.\n"
    for other in MEASUREMENTS:
        if other != measured:
            del parts[other]
    parts["instance"] = _instance(witness, claim)
    parts["bound"] = "\n\n".join([*_sources(claim.formula), f"formula = {claim.formula.__name__}\n\n"])
    return f'"""{about}"""' + imports + "".join(f"{SECTION}{name}\n{body}" for name, body in parts.items())


def _instance(witness: Witness, claim: Claim) -> str:
    biases = witness.biases or (None,) * len(witness.weights)
    lines = [
        f"PHI = {list(witness.activations)!r}",
        f"W = {_arrays(witness.weights)}",
        f"DW = {_arrays(witness.dweights)}",
        "B = [" + ", ".join("0.0" if b is None else f"np.array({_row(b)})" for b in biases) + "]",
        f"X = np.array({_row(witness.x)}, dtype=float)",
        f"Y = np.array({_row(witness.target or ())}, dtype=float)",
        f"QUANTITY, LAYER, ABSOLUTE = {claim.quantity.value!r}, {witness.layer}, {claim.left in ABSOLUTE}",
    ]
    return "\n".join(lines) + "\n\n\n"


def _row(values: Iterable[fmpq]) -> str:
    return "[" + ", ".join(map(str, values)) + "]"


def _arrays(matrices: Iterable[Iterable[Iterable[fmpq]]]) -> str:
    inner = ",\n    ".join("np.array([" + ", ".join(_row(row) for row in m) + "], dtype=float)" for m in matrices)
    return f"[\n    {inner},\n]"


def _sources(formula: Formula) -> list[str]:
    """The sources of the functions that a formula uses, and of itself, each after the plain numbers that it uses."""
    found: dict[FunctionType, str] = {}

    def visit(function: FunctionType) -> None:
        found[function] = ""
        used = {name: function.__globals__.get(name) for name in function.__code__.co_names}
        for helper in used.values():
            if isinstance(helper, FunctionType) and helper not in WORDS.values() and helper not in found:
                visit(helper)
        constants = [f"{name} = {value!r}" for name, value in used.items() if isinstance(value, int | float)]
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("def "))  # after its decorators
        del found[function]  # what it uses comes first
        found[function] = "\n".join([*constants, *lines[start:]])

    assert isinstance(formula, FunctionType)
    visit(formula)
    return list(found.values())
