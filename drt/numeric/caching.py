"""`cached_property` for threads: computed once an instance, and without a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:
        """functools.cached_property as Python 3.12 has it.

        Before, one lock a property is held while it is computed, whatever the instance: threads that measure different
        networks wait for each other.
        """

        def __init__(self, function):
            self.function, self.__doc__ = function, function.__doc__

        def __set_name__(self, owner: type, name: str):
            self.name = name

        def __get__(self, instance: Any, owner: type | None = None):
            if instance is None:
                return self
            value = instance.__dict__[self.name] = self.function(instance)
            return value


__all__ = ["cached_property"]
