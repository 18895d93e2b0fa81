"""What leaves a module is ready for JSON, which has neither infinity nor NaN."""

import json
import math
from dataclasses import dataclass

from drt.numeric.results import Result, all_finite, exponential, finite, shown_ratio


def test_what_json_does_not_have_is_none():
    found = {"a": [1.0, math.inf, (math.nan, "b")], "c": {"d": -math.inf, "e": 2, "f": None, "g": True}}
    expected = {"a": [1.0, None, [None, "b"]], "c": {"d": None, "e": 2, "f": None, "g": True}}
    assert all_finite(found) == expected
    assert json.loads(json.dumps(all_finite(found), allow_nan=False)) == expected
    assert [finite(x) for x in (0.5, -math.inf, math.nan)] == [0.5, None, None]


def test_exponentials_that_overflow():
    assert exponential(0.0) == 1.0
    assert exponential(709.0) is None
    assert shown_ratio(1e6) == math.exp(700.0)
    assert shown_ratio(-1.0) == math.exp(-1.0)


def test_a_result_is_a_dict_of_its_fields_in_their_order():
    @dataclass(frozen=True)
    class Inner:
        b: float

    @dataclass(frozen=True)
    class Outer(Result):
        z: list[Inner]
        a: dict[str, Inner]

    found = Outer([Inner(1.0)], {"k": Inner(2.0)}).as_dict()
    assert json.dumps(found) == '{"z": [{"b": 1.0}], "a": {"k": {"b": 2.0}}}'
