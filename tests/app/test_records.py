"""A claim's record: counts of all origins, a status that no violation escapes, and samples that fit into a plot."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest

from drt.app.evidence import Evidence
from drt.app.records import ORIGINS, POINTS_PER_ORIGIN, OriginRecord, claim_record, median, quartiles
from drt.falsify.outcome import Attacked, Status

SURVIVED = Attacked(claim="spectral.function", statement="")


def found(**changes):
    base = {"instances": 10, "inapplicable": Counter({"widths: 2-1 contract": 3}), "max_log_ratio": math.log(0.5)}
    return Evidence(**base | {"looseness": {1: [0.5, 1.0], 2: [3.0]}, "points": [(1, -1.0, 0.0)]} | changes)


def origins(**given):
    return {origin: given.get(origin, Evidence()) for origin in ORIGINS}


def test_a_record_adds_up_its_origins():
    """Looseness is typical on random and trained networks alone: the others look for the worst."""
    extremal = found(instances=5, violations=2, max_log_ratio=math.log(2), looseness={1: [-0.3]})
    r = claim_record(
        "spectral.function", origins(random=found(), extremal=extremal), replace(SURVIVED, status=Status.REFUTED)
    )
    assert (r.instances, r.inapplicable, r.violations, r.status) == (15, 6, 2, "refuted")
    assert r.max_ratio == pytest.approx(2)
    assert r.max_log_ratio == pytest.approx(math.log(2))
    assert r.median_looseness == 1.0
    assert r.inapplicable_why == {"widths: 2-1 contract": 6}
    assert r.origins["random"] == OriginRecord(10, 3, 0, 0, pytest.approx(0.5), 1.0)
    assert r.origins["trained"] == OriginRecord(0, 0, 0, 0, None, None)
    assert r.points == [["random", 1, -1.0, 0.0], ["extremal", 1, -1.0, 0.0]]
    assert r.looseness["random"] == [[1, 0.625, 0.75, 0.875], [2, 3.0, 3.0, 3.0]]
    assert json.loads(json.dumps(r.as_dict(), allow_nan=False)) == r.as_dict()


def test_reasons_are_counted_by_hypothesis_with_the_commonest_as_example():
    why = Counter({"widths: 2-1 contract": 2, "widths: 3-2 contract": 5, "conditioning: κ(W_1) = ∞": 6})
    r = claim_record("spectral.function", origins(random=found(inapplicable=why)), SURVIVED)
    assert r.inapplicable_why == {"widths: 3-2 contract": 7, "conditioning: κ(W_1) = ∞": 6}


def test_points_of_an_origin_are_sampled_by_no_clock_and_no_order_of_claims():
    many = found(points=[(1, float(k), 0.0) for k in range(1000)])
    first, second = (claim_record("spectral.function", origins(random=many), SURVIVED).points for _ in range(2))
    assert len(first) == POINTS_PER_ORIGIN
    assert first == second


@pytest.mark.parametrize(
    ("attacked", "changes", "proved", "status"),
    [
        ("survived", {}, False, "holds"),
        ("survived", {}, True, "proved"),
        ("survived", {"inapplicable": Counter({"widths: x": 10})}, False, "untested"),
        ("survived", {"violations": 1}, True, "unconfirmed"),
        ("refuted", {}, True, "refuted"),
        ("unconfirmed", {}, True, "unconfirmed"),
    ],
)
def test_status(attacked, changes, proved, status):
    r = claim_record(
        "spectral.function", origins(random=found(**changes)), replace(SURVIVED, status=Status(attacked)), proved
    )
    assert r.status == status


def test_quartiles_are_interpolated_and_none_of_nothing():
    assert quartiles([1.0, 2.0, 3.0, 5.0]) == [1.75, 2.5, 3.5]
    assert median([]) is None


@pytest.mark.parametrize("proved", [False, True])
def test_a_violation_that_nobody_certified_is_never_called_holds_or_proved(proved):
    """The attack found none, a random network shows one."""
    by_origin = {origin: Evidence() for origin in ORIGINS}
    by_origin["random"] = Evidence(instances=5, violations=1)
    untouched = Attacked(claim="lemma1", statement="")
    assert claim_record("lemma1", by_origin, untouched, proved).status == "unconfirmed"
    by_origin["random"] = Evidence(instances=5)
    assert claim_record("lemma1", by_origin, untouched, proved).status == ("proved" if proved else "holds")
