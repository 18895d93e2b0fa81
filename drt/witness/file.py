"""The file of a witness: JSON, a format and a version, and a digest of the rest in canonical form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from drt.errors import InputError, short
from drt.numeric.files import write_atomically

FORMAT, VERSION = "drt-witness", 1
MAX_BYTES = 2**26


def write(path: Path, fields: dict[str, Any]) -> None:
    """Write the fields with their digest: all of the file or nothing.

    Raises:
        InputError: the file cannot be written.
    """
    body = {"format": FORMAT, "version": VERSION, **fields}
    body["sha256"] = _digest(body)
    lines = (f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in body.items())
    content = "{" + ",\n ".join(lines) + "}\n"
    try:
        write_atomically(path, content.encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def read(path: Path) -> dict[str, Any]:
    """The fields of a file, without format, version and digest, which are checked.

    Raises:
        InputError: the file cannot be read, is not a witness of this version, or was altered.
    """
    body = _parse(_content(path))
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        got = body.get("format") if isinstance(body, dict) else type(body).__name__
        raise InputError(f'format={short(got)} must be "{FORMAT}"')
    if type(body.get("version")) is not int or body["version"] != VERSION:
        raise InputError(f"version={short(body.get('version'))} must be {VERSION}")
    stated = body.pop("sha256", None)
    actual = _digest(body)
    if stated != actual:
        raise InputError(f"sha256={short(stated)} must be {actual}, the digest of the content: the witness was altered")
    return {name: value for name, value in body.items() if name not in ("format", "version")}


def _content(path: Path) -> str:
    if path.is_dir():
        raise InputError("is a directory, expected a witness file")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"has {size} bytes, expected at most {MAX_BYTES}")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"must be UTF-8, but byte {error.start} is not") from None


def _parse(content: str) -> Any:
    try:
        return json.loads(
            content,
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_float,
            parse_float=_no_float,
            parse_int=_small_int,
        )
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InputError("is nested too deeply to be a witness") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise InputError("a field is given twice")
    return body


def _no_float(number: str) -> Any:
    raise InputError(f"number {short(number)} must be text, an integer or a fraction such as '1/8'")


def _small_int(number: str) -> int:
    return int(number) if len(number) <= 9 else _no_float(number)  # before int(), whose time is quadratic


def _digest(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no spaces, ASCII."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
