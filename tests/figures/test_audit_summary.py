"""The audit in numbers: those of the laws that its slices were made of."""

import numpy as np
import pytest

from figures.audit_summary import summarise
from figures.audit_words import text
from tests.figures.planted_audit import planted, slices


def test_the_summary_is_that_of_planted_laws():
    summary = summarise(planted(), 7)
    plain, residual, normalised = summary.networks
    assert (plain.slices, plain.of, plain.found.exceeded, plain.found.points) == (4, 4, 100, 100)
    assert plain.found.effective_depth == pytest.approx([9, 8, 10], rel=1e-3)
    assert residual.found.effective_depth == pytest.approx([6, 6, 6], rel=1e-3)
    assert plain.found.two[0] == "effective depth"
    # The ratio of C[(1+η)^E − 1] to (1+η)^4 − 1 is largest at the largest η.
    least = [c * (1.1**e - 1) / (1.1**4 - 1) for e, c in ((8, 2), (10, 3), (6, 1))]
    assert plain.found.constant == pytest.approx(np.mean(least[:2]))
    assert plain.found.factor[1] == pytest.approx(least[1])
    assert normalised.as_dict() == {"depth": 4, "kind": "batch norm", "slices": 0, "of": 1}
    pair = summary.against_plain["residual"]
    assert (pair.pairs, pair.shallower, pair.less) == (2, 2, 2)
    assert pair.by_depth == {4: [2, 2]}
    assert summary.resolved == 6
    assert pair.effective_depth == pytest.approx([6, 8], rel=1e-3)
    assert pair.constant_ratio == pytest.approx(least[2] / least[0])
    assert summary.laws["plain"]["effective depth"].closest == 4
    assert summary.missing == {"diverged": 1}


def test_flat_slices_are_counted_and_their_depth_is_below_one():
    """Of two depths below 1 neither is lower."""
    flat = [*slices(4, "plain", 0.5, 1.0), *slices(4, "residual", 0.2, 1.0)]
    pair = summarise(flat, 4).against_plain["residual"]
    assert (pair.pairs, pair.shallower) == (2, 0)
    summary = summarise(flat[:2], 2)
    assert summary.networks[0].found.flat == 2
    assert "<1 (<1–" in text(summary)
    assert "grow more slowly than a line: 2 plain." in text(summary)


def test_a_single_run_has_the_interval_of_its_slices():
    """Two checkpoints of one seed, exact laws: every interval is the depth itself."""
    (row,) = summarise(slices(4, "plain", 8, 2.0), 2).networks
    assert row.found.effective_depth == pytest.approx([8, 8, 8], rel=1e-3)
    assert row.found.within == pytest.approx(row.found.effective_depth[1:], rel=1e-9)


def test_optimisers_have_medians_of_their_own():
    (row,) = summarise(slices(4, "plain", 8, 2.0), 2).optimisers
    assert (row.kind, row.optimiser, row.depth, row.slices, row.of) == ("plain", "sgd", 4, 2, 2)
    assert row.effective_depth == pytest.approx(8, rel=1e-3)
    assert row.accuracy == 0.8
