"""The main job's verdicts in plain sentences, for terminals and pages alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from drt.app.records import ClaimRecord
from drt.numeric.formatting import factor, ratio


def largest_ratio(record: ClaimRecord) -> str:
    """The largest actual/bound; "" where none could be compared."""
    return ratio(record.max_ratio, record.max_log_ratio)


def main_reason(why: Mapping[str, int]) -> str:
    """The hypothesis that failed most often, as one word; reasons start with its name: `conditioning-w: κ(W_2) = ∞ …`."""
    names: Counter[str] = Counter()
    for reason, count in why.items():
        names[reason.partition(":")[0].partition("-")[0]] += count
    return names.most_common(1)[0][0] if names else ""


def sentence(record: ClaimRecord) -> str:
    """One plain line: the verdict, what was tried, how close it came, how loose the bound is."""
    applicable = record.instances - record.inapplicable
    opening = {
        "proved": "Proved.",
        "holds": f"Holds so far: {'attacked' if record.origins['attack'].instances else 'tried'}, not proved.",
        "refuted": "Refuted.",
        "unconfirmed": "Unconfirmed.",
        "untested": "Untested.",
    }[record.status]
    if not applicable:
        why = main_reason(record.inapplicable_why)
        tried = f"none of {record.instances:,} instances met its hypotheses ({why})" if why else "nothing was tried"
        return f"{opening} No evidence from this run: {tried}."
    where = " and ".join(name for name, o in record.origins.items() if o.instances > o.inapplicable)
    where = where.replace(" and ", ", ", max(0, where.count(" and ") - 1))
    parts = [opening, _outcome(record, applicable, where), *_looseness(record)]
    if record.undecided:
        parts.append(f"{record.undecided:,} were too close to call in floating point, or out of its range.")
    return " ".join(parts)


def _outcome(record: ClaimRecord, applicable: int, where: str) -> str:
    tried, largest = f"{applicable:,} instances it applies to ({where})", largest_ratio(record)
    if record.violations:
        counted = f"{record.violations:,} of {tried} violate it; the worst change is {largest} times the bound"
        if record.certified:
            some = f"{record.certified:,} of them {'is' if record.certified == 1 else 'are'}"
            return f"{counted}, and {some} certified in exact or ball arithmetic."
        return f"{counted}, but only in floating point: not certified."
    if record.kind == "identity":
        return f"On all {tried} both sides agree within the derived rounding bound; they differ by at most {largest} of it."
    reached = "attains the bound, up to rounding" if largest == "1" else f"reaches {largest} of the bound"
    closest = f"the closest {reached}" if largest else "none could be compared"
    return f"None of {tried} violates it; {closest}."


def _looseness(record: ClaimRecord) -> list[str]:
    loose = record.median_looseness
    if loose is None or record.kind == "identity":
        return []
    if loose < 0:
        return [f"On random and trained networks the actual change is typically {factor(-loose)} times the bound."]
    return [f"On random and trained networks the bound is typically {factor(loose)} times the actual change."]
