"""What is attacked: a registered claim, or a user's bound in a file of theirs, with hypotheses added or dropped."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from drt.errors import InputError
from drt.theory.registry import Claim, find


@dataclass(frozen=True)
class Target:
    """A claim by name: an id, or `path.py:function`. Cheap to send to another process, which loads it again.

    steps: the module that knows the steps of proofs, whose function `step_claim` finds CLAIM#K; "" if there is none.
    """

    name: str
    changes: tuple[str, ...] = ()
    steps: str = ""

    @property
    def claim(self) -> Claim:
        """The claim, its hypotheses changed."""
        return _load(self.name, self.steps).with_hypotheses(self.changes)

    @property
    def source(self) -> dict[str, str] | None:
        """The file and function of a user's bound; None for a registered claim."""
        path, colon, function = self.name.rpartition(":")
        return {"file": path, "function": function} if colon else None

    def with_changes(self, changes: Sequence[str]) -> Target:
        """The same with hypotheses added (`name`, `+name`) or dropped (`-name`).

        Raises:
            InputError: a name that is no hypothesis, or a dropped one that the claim does not have.
        """
        changed = replace(self, changes=(*self.changes, *changes))
        _ = changed.claim
        return changed


def load_claim(name: str, steps: str = "") -> Target:
    """The claim with this id, or the bound `function` of the user's own file `path.py:function`, which is run.

    Args:
        name: the id, path.py:function, or CLAIM#K for step K of the proof of a claim.
        steps: the module that finds such steps (`Target`).

    Raises:
        InputError: unknown id; a file that is missing, not Python, or raises; a function that is not there or no bound.
    """
    _load(name, steps)
    return Target(name, steps=steps)


@lru_cache(maxsize=16)
def _load(name: str, steps: str) -> Claim:
    path, colon, function = name.rpartition(":")
    if not colon and not name.endswith(".py"):
        return importlib.import_module(steps).step_claim(name) if steps and "#" in name else find(name)
    if not colon:
        raise InputError(f"claim {name!r} must name a function of the file: {name}:FUNCTION")
    file = Path(path)
    if not file.is_file():
        raise InputError(f"claim {name!r}: {path!r} is not a file")
    if file.suffix != ".py":
        raise InputError(f"claim {name!r}: {path!r} must be a Python file, *.py")
    spec = importlib.util.spec_from_file_location(f"drt_user_{abs(hash(str(file.resolve())))}", file)
    assert spec is not None  # the suffix is .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:  # the user's own file: whatever it raises is reported as its fault
        raise InputError(f"claim {name!r}: the file raised {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    bounds = [key for key, value in vars(module).items() if isinstance(value, Claim)]
    value = getattr(module, function, None)
    if not isinstance(value, Claim):
        what = "is not decorated with @drt.bound" if value is not None else "is not in the file"
        raise InputError(f"claim {name!r}: {function!r} {what}; bounds in it: {', '.join(bounds) or 'none'}")
    return value
