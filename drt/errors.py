"""What a command does with bad input: the one error, the exit codes, and how a script turns one into the other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn


class InputError(ValueError):
    """Bad input; the message is one line that names the argument, its value and what was expected.

    The command line prints it on stderr and exits with code 2.
    """


def short(value: object) -> str:
    """A value as at most 80 ASCII characters, for a message."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


class Exit(IntEnum):
    """What a command's exit code says of the claim that it was asked about."""

    HELD = 0  # done, and nothing found against it
    VIOLATED = 1  # a violation of it is certified
    BAD_INPUT = 2
    UNCONFIRMED = 3  # a violation of it in floating point, which could not be certified
    INTERRUPTED = 130  # by the user, with nothing to show; as shells say it


class Parser(argparse.ArgumentParser):
    """A parser of options whose complaints are bad input: one line. Its description is printed as it stands."""

    def __init__(self, prog: str | None, description: str | None):
        super().__init__(prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def complain(message: str) -> Exit:
    """Print bad input as one line on stderr."""
    print("drt: " + " ".join(message.split()), file=sys.stderr)
    return Exit.BAD_INPUT


def run_as_script(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a `main` that takes the command line's arguments, and exit with its code; bad input is one line."""
    try:
        code = main(sys.argv[1:])
    except InputError as error:
        code = complain(str(error))
    except KeyboardInterrupt:
        print("drt: interrupted", file=sys.stderr)
        code = Exit.INTERRUPTED
    sys.exit(code)


def check_positive(option: str, value: float | None) -> None:
    """Raise InputError unless the value of --OPTION is > 0 and finite, or not given."""
    if value is not None and not 0 < value < float("inf"):
        raise InputError(f"--{option} {value:g} must be > 0")


def check_seed(value: int) -> None:
    """Raise InputError unless --seed is one that every generator takes."""
    if not 0 <= value < 2**63:
        raise InputError(f"--seed {value} must be a whole number from 0 to 2^63 - 1")
