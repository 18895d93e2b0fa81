"""`cached_property`: computed once an instance, by many threads at a time."""

import threading

import pytest

from drt.numeric.caching import cached_property


class Counted:
    def __init__(self, start=None):
        self.calls, self.start = 0, start

    @cached_property
    def value(self):
        """A list, so that it is seen to be the same one."""
        self.calls += 1
        if self.start is not None:
            self.start.wait(timeout=60)
        return [self.calls]


def test_it_is_computed_once_an_instance_and_kept():
    one, other = Counted(), Counted()
    assert one.value is one.value
    assert one.value is not other.value
    assert (one.calls, other.calls) == (1, 1)
    assert one.__dict__["value"] == [1]
    assert Counted.value.__doc__ == "A list, so that it is seen to be the same one."


def test_what_is_deleted_is_computed_again():
    one = Counted()
    assert one.value == [1]
    del one.value
    assert one.value == [2]


def test_an_error_is_not_kept():
    class Fails:
        tried = 0

        @cached_property
        def value(self):
            self.tried += 1
            raise ValueError("no")

    one = Fails()
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            _ = one.value
    assert one.tried == 2


def test_threads_do_not_wait_for_each_other():
    """Both computations must have begun before either can end: with one lock a property, the first would wait for ever."""
    both = threading.Barrier(2)
    objects = [Counted(both), Counted(both)]
    threads = [threading.Thread(target=lambda o=o: o.value, daemon=True) for o in objects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [o.__dict__.get("value") for o in objects] == [[1], [1]]
