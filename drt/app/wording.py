"""Verdicts in words and in short figures, for terminals and pages alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from drt.app.plots import power_of_ten

ROUNDING = 1e-12  # a ratio this close to 1 is 1 up to rounding
Record = Mapping[str, Any]


def number(x: float | None) -> str:
    """Three digits, or how far from 1 where three digits would say 1: 0.982, 5,040, 1.2e-9, 1-3e-10; "" for None."""
    if x is None:
        return ""
    if abs(x - 1) < ROUNDING:
        return "1"
    if abs(x - 1) < 5e-4:
        return f"1{_short(x - 1, 1, '+')}"
    return f"{x:,.0f}" if 999.5 <= x < 1e6 else _short(x, 3)


def _short(x: float, digits: int, sign: str = "") -> str:
    mantissa, e, exponent = f"{x:{sign}.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def orders(log10: float | None) -> str:
    """A looseness, one decimal; "" for None."""
    return "" if log10 is None else f"{round(log10, 1) + 0.0:.1f}"  # + 0.0: no minus zero


def factor(log10: float) -> str:
    """10^log10 in words that suit its size: 1.7, 350, 13,000, 10⁹."""
    return power_of_ten(log10) if log10 >= 5 else f"{float(f'{10**log10:.2g}'):,.15g}"


def largest_ratio(record: Record) -> str:
    """The largest actual/bound, from its logarithm where the ratio itself is out of range."""
    ratio, log_ratio = record["max_ratio"], record["max_log_ratio"]
    if log_ratio is not None and (ratio is None or not 1e-300 < ratio < 1e300):
        return f"1e{round(log_ratio / math.log(10))}"
    return number(ratio)


def main_reason(why: Mapping[str, int]) -> str:
    """The hypothesis that failed most often, as one word; reasons start with its name: `conditioning-w: κ(W_2) = ∞ …`."""
    names: Counter[str] = Counter()
    for reason, count in why.items():
        names[reason.partition(":")[0].partition("-")[0]] += count
    return names.most_common(1)[0][0] if names else ""


def sentence(record: Record) -> str:
    """One plain line: the verdict, what was tried, how close it came, how loose the bound is."""
    applicable = record["instances"] - record["inapplicable"]
    opening = {
        "proved": "Proved.",
        "holds": f"Holds so far: {'attacked' if record['origins']['attack']['instances'] else 'tried'}, not proved.",
        "refuted": "Refuted.",
        "unconfirmed": "Unconfirmed.",
        "untested": "Untested.",
    }[record["status"]]
    if not applicable:
        why = main_reason(record["inapplicable_why"])
        tried = f"none of {record['instances']:,} instances met its hypotheses ({why})" if why else "nothing was tried"
        return f"{opening} No evidence from this run: {tried}."
    where = " and ".join(name for name, o in record["origins"].items() if o["instances"] > o["inapplicable"])
    where = where.replace(" and ", ", ", max(0, where.count(" and ") - 1))
    parts = [opening, _outcome(record, applicable, where), *_looseness(record)]
    if record["undecided"]:
        parts.append(f"{record['undecided']:,} were too close to call in floating point, or out of its range.")
    return " ".join(parts)


def _outcome(record: Record, applicable: int, where: str) -> str:
    tried, ratio = f"{applicable:,} instances it applies to ({where})", largest_ratio(record)
    if record["violations"]:
        counted = f"{record['violations']:,} of {tried} violate it; the worst change is {ratio} times the bound"
        if record["certified"]:
            some = f"{record['certified']:,} of them {_are(record['certified'])}"
            return f"{counted}, and {some} certified in exact or ball arithmetic."
        return f"{counted}, but only in floating point: not certified."
    if record["kind"] == "identity":
        return (
            f"On all {tried} both sides agree within the derived rounding bound; they differ by at most {ratio} of it."
        )
    reached = "attains the bound, up to rounding" if ratio == "1" else f"reaches {ratio} of the bound"
    closest = f"the closest {reached}" if ratio else "none could be compared"
    return f"None of {tried} violates it; {closest}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _looseness(record: Record) -> list[str]:
    loose = record["median_looseness"]
    if loose is None or record["kind"] == "identity":
        return []
    if loose < 0:
        return [f"On random and trained networks the actual change is typically {factor(-loose)} times the bound."]
    return [f"On random and trained networks the bound is typically {factor(loose)} times the actual change."]
