"""Which claims `drt prove` found proved, with a digest of proofs and claims: believed only for these very files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from drt.numeric.files import write_atomically

SCHEMA = 1
FOLDER = Path(__file__).parent


def digest() -> str:
    """SHA-256 over the names and contents of all proof files, and of the claims as coded, which they are proofs of."""
    root = FOLDER.parent
    patterns = {
        FOLDER: ("*.py", "coq/*.v", "coq/*.txt", "coq/_CoqProject"),
        root / "drt": ("theory/*.py",),
    }
    files = [file for folder, names in patterns.items() for name in names for file in folder.glob(name)]
    total = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.relative_to(root).as_posix()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def record_file() -> Path:
    """Where the last run's record lies: the user's cache, never the project."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()  # RuntimeError for users without a home
    return folder / "drt" / "proofs.json"


def remember(sha256: str, proved: Mapping[str, bool]) -> None:
    """Put what was run into the record; what it holds of other claims stays if it is about the same files."""
    known = _recorded() or {"claims": {}}
    text = json.dumps({"schema": SCHEMA, "sha256": sha256, "claims": {**known["claims"], **proved}}, ensure_ascii=False)
    try:
        record_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(record_file(), text.encode())
    except (OSError, RuntimeError):
        pass  # without a record, `drt verify` says "holds"


def _recorded() -> dict | None:
    """The record, if there is a readable one about these files."""
    try:
        record = json.loads(record_file().read_text())
        mine = record["schema"] == SCHEMA and record["sha256"] == digest() and isinstance(record["claims"], dict)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None
    return record if mine else None


def proved_claims() -> set[str]:
    """The claims whose proof `drt prove` has checked with this version of the proof files."""
    record = _recorded()
    return {name for name, proved in record["claims"].items() if proved is True} if record else set()
