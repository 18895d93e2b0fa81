"""The audit in words: no more than its numbers support, in 100 columns."""

import numpy as np
import pytest

from figures.audit_summary import summarise
from figures.audit_words import layers, percent, sentences, share, short, text
from tests.figures.planted_audit import planted, slices


def test_the_words_follow_the_numbers():
    said = " ".join(sentences(summarise(planted(), 9)))
    assert "is exceeded at 150 of 150 points of 6 slices." in said
    assert "Residual against plain, 2 pairs: L_eff is lower in 2 (2 of 2 at 4 layers; median 6 against 8)" in said
    assert "No slice at 1 checkpoints: diverged." in said
    assert "Interrupted: 2 of 9 checkpoints are missing." in said
    below = [*slices(4, "plain", 3, 0.5), *slices(4, "residual", 6, 1.0)]
    said = " ".join(sentences(summarise(below, 4)))
    assert "is exceeded at 50 of 100 points" in said
    assert "L_eff is lower in 0 (0 of 2 at 4 layers; median 6 against 3), the least C in 0" in said
    assert "Interrupted" not in said


def test_the_tables_fit_the_terminal():
    lines = text(summarise(planted(), 7)).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith(" 4  batch norm   0/1  nothing measured") for line in lines)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (short(57.3), "57"), (short(4812.0), "4,800"), (short(0.0134), "0.013"), (short(np.inf), "∞"), (short(np.nan), "–"),
        (layers(0.2), "<1"), (layers(1.0), "1"), (layers(62.8), "63"),
        (share(25, 25), "100 %"), (share(2999, 3000), "99.9 %"), (share(3, 4), "3/4"), (share(0, 30), "0.0 %"),
    ],
)  # fmt: skip
def test_numbers_are_short(written, text):
    assert written == text


def test_percent_of_nothing_is_a_dash():
    assert (percent(0.974), percent(np.nan)) == ("97 %", "–")
