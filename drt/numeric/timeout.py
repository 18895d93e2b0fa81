"""A hard stop after so many seconds, for those who ask for one; nothing else in a search looks at the clock."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from drt.errors import InputError


class TimeUp(BaseException):
    """The time is up. Like an interrupt, no `except Exception` of a user's own code swallows it."""


def check_timeout(seconds: float | None) -> None:
    """Refuse what is no timeout.

    Raises:
        InputError: a timeout that is not a positive, finite number of seconds.
    """
    if seconds is not None and not (0 < seconds < math.inf):
        raise InputError(f"timeout={seconds:g} must be a number of seconds > 0")


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `TimeUp` in the body after so many seconds; never if None.

    Raises:
        InputError: not a positive number, or asked for outside of a main thread, where no signal arrives.
    """
    check_timeout(seconds)
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        raise InputError(f"timeout={seconds:g} needs the main thread of a POSIX system; expected None")

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
