"""The four outcomes of holding a claim against an instance."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a verdict says; the text of a member is the word that users see.

    HOLDS         the left side is at most the right side, rounding included
    VIOLATED      it is above it, rounding included, and every hypothesis is met for certain
    INAPPLICABLE  the instance misses a hypothesis: neither success nor violation
    UNDECIDED     the two sides are too close for floating point, or out of its range
    """

    HOLDS = "holds"
    VIOLATED = "violated"
    INAPPLICABLE = "inapplicable"
    UNDECIDED = "undecided"

    @property
    def code(self) -> int:
        """The number that stands for it in the tensors of `Verdicts`."""
        return list(Outcome).index(self)
