"""A hard stop: it raises in the body, leaves nothing armed behind, and is refused where no signal would arrive."""

import signal
import threading

import pytest

from drt.errors import InputError
from drt.numeric.timeout import TimeUp, check_timeout, time_limit


def wait_for_a_signal():
    """Until one comes; the pytest process has no other that would end it."""
    while True:
        signal.pause()


def test_the_body_is_stopped_and_what_was_before_is_back():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeUp), time_limit(0.01):
        wait_for_a_signal()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_ends_in_time_is_left_alone_and_nothing_stays_armed():
    with time_limit(3600):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 3000
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    with pytest.raises(KeyError), time_limit(3600):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_a_limit_nothing_is_armed():
    with time_limit(None):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_users_own_except_does_not_swallow_it():
    def careless():
        try:
            wait_for_a_signal()
        except Exception:
            pytest.fail("it was swallowed")

    with pytest.raises(TimeUp), time_limit(0.01):
        careless()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_what_is_no_timeout_is_named(seconds):
    with pytest.raises(InputError, match=rf"timeout={seconds:g} must be a number of seconds > 0"):
        check_timeout(seconds)


def test_outside_of_the_main_thread_it_is_refused():
    found = []

    def body():
        try:
            with time_limit(1.0):
                found.append("ran")
        except InputError as error:
            found.append(str(error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == ["timeout=1 needs the main thread of a POSIX system; expected None"]
