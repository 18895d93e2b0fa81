"""Results as JSON takes them: dataclasses that become dicts, and None for ∞ and NaN, which JSON does not have."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, SupportsFloat

LARGEST_SHOWN_LOG = 700.0  # e^700 ≈ 1e304: a ratio above it is cut there, its logarithm is not


class Result:
    """What leaves a module: a frozen dataclass of numbers, words, and lists, dicts and dataclasses of them."""

    def as_dict(self) -> dict[str, Any]:
        """Its fields in their order, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload]


def finite(x: SupportsFloat) -> float | None:
    """The number, None where it is infinite or NaN."""
    return float(x) if math.isfinite(x) else None


def all_finite(value: Any) -> Any:
    """The same lists and dicts, with None for every number in them that is infinite or NaN."""
    if isinstance(value, dict):
        return {key: all_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [all_finite(item) for item in value]
    return finite(value) if isinstance(value, float) else value


def exponential(log: float) -> float | None:
    """e^log, None where it overflows."""
    return math.exp(log) if log < 709 else None


def shown_ratio(log_ratio: float) -> float:
    """e^log_ratio, cut where it would overflow: a ratio to be shown."""
    return math.exp(min(log_ratio, LARGEST_SHOWN_LOG))
