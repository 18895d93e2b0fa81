"""Which claims are proved, by what was last checked: a record in the repository, and one of what `drt prove` found here.

proofs_checks/record.json   what a machine with Coq found (`make record`), for exactly the files that it names by their digests
~/.cache/drt/proofs.json    what `drt prove` found on this machine, for the same files; it has the last word

A record is believed only while every file that "proved" rests on is the one it was made from, and while its own digest is right.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drt.errors import InputError
from drt.numeric.files import write_atomically

SCHEMA = 2
FOLDER = Path(__file__).parent
NAME = "record.json"
# The proofs; the claims as coded, what they are said of and what decides them; the certifier, which the verdict is held against.
PATTERNS = {
    "proofs_checks": ("*.py", "coq/*.v", "coq/*.txt", "coq/_CoqProject"),
    "drt": tuple(
        f"{wing}/*.py"
        for wing in ("theory", "numeric", "network", "measurement", "descent", "optimisers", "exact", "witness")
    ),
}


@dataclass(frozen=True)
class Proofs:
    """claims: those whose proof was checked. said: by what, and how to check it again; "" where there are none."""

    claims: frozenset[str]
    said: str


def files() -> dict[str, str]:
    """SHA-256 of every file that "proved" rests on, by its path in the project."""
    root = FOLDER.parent
    found = (file for folder, names in PATTERNS.items() for name in names for file in (root / folder).glob(name))
    paths = {file.relative_to(root).as_posix(): file for file in found}
    return {name: hashlib.sha256(paths[name].read_bytes()).hexdigest() for name in sorted(paths)}


def digest() -> str:
    """SHA-256 over the names and digests of all those files."""
    return _sha256(files())


def _sha256(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def body_of(coq: str | None, proved: Iterable[str], refuted: Iterable[str]) -> dict[str, Any]:
    """What a record says, for the files as they are."""
    return {"schema": SCHEMA, "coq": coq, "proved": sorted(proved), "refuted": sorted(refuted), "files": files()}


def write_record(body: Mapping[str, Any]) -> Path:
    """Put a record into the repository, with its own digest."""
    path = FOLDER / NAME
    text = json.dumps({**body, "sha256": _sha256(body)}, ensure_ascii=False, indent=1) + "\n"
    write_atomically(path, text.encode())
    return path


def read_record() -> dict[str, Any]:
    """The repository's record, without its own digest.

    Raises:
        InputError: there is none, it was edited, or a file is not the one that it was made from.
    """
    try:
        record = json.loads((FOLDER / NAME).read_text())
        stated = record.pop("sha256")
        whole = record["schema"] == SCHEMA and stated == _sha256(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"proofs_checks/{NAME} is missing or no record; make it with: make record") from None
    if not whole:
        raise InputError(f"proofs_checks/{NAME} does not have the digest that it states; make it with: make record")
    changed = sorted(name for name, _ in set(record["files"].items()) ^ set(files().items()))
    if changed:
        raise InputError(f"proofs_checks/{NAME} is about another {changed[0]}; make it with: make record")
    return record


def cache_file() -> Path:
    """Where what `drt prove` found here lies: the user's cache, never the project."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()  # RuntimeError for users without a home
    return folder / "drt" / "proofs.json"


def remember(proved: Mapping[str, bool], coq: str | None) -> None:
    """Keep what was found here; what is known of other claims stays if it is about the same files."""
    claims = {**_found_here().get("claims", {}), **proved}
    text = json.dumps({"schema": SCHEMA, "sha256": digest(), "coq": coq, "claims": claims}, ensure_ascii=False)
    try:
        cache_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cache_file(), text.encode())
    except (OSError, RuntimeError):
        pass  # then the repository's record is what is known


def _found_here() -> dict[str, Any]:
    """What `drt prove` found here, if it is about these files."""
    try:
        record = json.loads(cache_file().read_text())
        mine = record["schema"] == SCHEMA and record["sha256"] == digest() and isinstance(record["claims"], dict)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return {}
    return record if mine else {}


def proofs() -> Proofs:
    """The claims that are proved for these very files, and what says so."""
    here = _found_here()
    found = here.get("claims", {})
    mine = {name for name, proved in found.items() if proved is True}
    try:
        record = read_record()
    except InputError:
        return Proofs(frozenset(mine), f"checked here by Coq {here.get('coq')}" if mine else "")
    recorded = {name for name in record["proved"] if name not in found}
    said = [f"checked here by Coq {here.get('coq')}"] if mine else []
    said += [f"checked by Coq {record['coq']}, recorded; `make prove` checks it here"] if recorded else []
    return Proofs(frozenset(mine | recorded), "; ".join(said))
