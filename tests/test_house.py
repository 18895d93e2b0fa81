"""The order of the house: a wing imports only wings below it, and no modules import each other in a circle.

Imports are read from the code, those inside functions and under TYPE_CHECKING too.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

import drt

ROOT = Path(drt.__file__).parent.parent
# From the ground up; errors lies below all of them, testing and cli above.
WINGS = (
    "numeric", "network", "measurement", "descent", "optimisers", "theory", "witness", "exact", "training", "experiments",
    "falsify", "sharpness", "strategies", "app",
)  # fmt: skip
OUTSIDE = ("errors", "testing", "cli")
ABOVE_THE_LIBRARY = ("app", "cli")  # what may import the proofs and the figures


def modules(package):
    """Every module of a package by its dotted name."""
    files = sorted((ROOT / package).rglob("*.py"))
    return {".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


EVERY = {name: file for package in ("drt", "proofs_checks", "figures") for name, file in modules(package).items()}


@cache
def imported(name):
    """The modules of the project that a module imports, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(EVERY[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in EVERY else node.module
                for alias in node.names
            }
    return {n for n in found if n in EVERY and n != "drt"} - {name}


def wing_of(name):
    """The wing of a module of drt: its folder, or its own name outside of them."""
    return name.split(".")[1]


def longest(arrows):
    """How many floors a graph without circles has; a circle's members, if there is one."""
    floor, open_now = {}, []

    def visit(node):
        if node in open_now:
            raise ValueError(" → ".join([*open_now[open_now.index(node) :], node]))
        if node not in floor:
            open_now.append(node)
            floor[node] = 1 + max((visit(below) for below in arrows.get(node, ())), default=0)
            open_now.pop()
        return floor[node]

    return max(visit(node) for node in arrows)


LIBRARY = [name for name in EVERY if name.startswith("drt.")]


def test_every_module_is_in_a_wing():
    assert {wing_of(name) for name in LIBRARY} == {*WINGS, *OUTSIDE}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_wing_imports_only_what_lies_below(name):
    order = ("errors", *WINGS, "testing", "cli")
    for other in imported(name):
        if other.startswith("drt."):
            assert order.index(wing_of(other)) <= order.index(wing_of(name)), f"{name} imports {other}"
        else:
            assert wing_of(name) in ABOVE_THE_LIBRARY, f"{name} imports {other}"


@pytest.mark.parametrize("name", [n for n in EVERY if not n.startswith("drt")])
def test_proofs_and_figures_do_not_import_the_commands(name):
    assert not any(other == "drt.cli" for other in imported(name))


def test_there_is_no_circle():
    longest({name: imported(name) for name in EVERY if name != "drt"})


def test_the_wings_have_at_most_twelve_floors():
    arrows = {wing: set() for wing in (*WINGS, *OUTSIDE)}
    for name in LIBRARY:
        arrows[wing_of(name)] |= {wing_of(o) for o in imported(name) if o.startswith("drt.")} - {wing_of(name)}
    assert longest(arrows) <= 12


def test_no_wing_shadows_a_public_name():
    assert not {*WINGS, *OUTSIDE} & set(drt._HOME)


def test_a_circle_is_found():
    with pytest.raises(ValueError, match="a → b → a"):
        longest({"a": {"b"}, "b": {"a"}})
    assert longest({"a": {"b"}, "b": {"c"}, "c": set()}) == 3


def test_figures_do_not_import_the_application():
    assert not [(n, o) for n in EVERY if n.startswith("figures") for o in imported(n) if o.startswith("drt.app")]
