"""What an attack came to, as JSON and for people."""

import json

import pytest

from drt.falsify.outcome import Attacked, Status


def attacked(**changes):
    base = {"claim": "mine", "statement": "a ≤ b", "status": Status.REFUTED, "answer": "violated", "log_ratio": 0.0,
            "instances": 1234, "seconds": 2.5, "widths": (2, 1), "counterexample": "W₁ = [1 0]",
            "witness": "witnesses/mine.json", "script": "witnesses/mine.py"}  # fmt: skip
    return Attacked(**base | changes)


def test_a_refutation_says_how_it_was_shown_and_where_it_is():
    assert str(attacked(log_ratio=1.6094379124341003)) == (
        "mine: refuted (certified)\na ≤ b\nlargest actual/bound 5, after 1,234 instances in 2.5 s\n\nW₁ = [1 0]\n\n"
        "wrote witnesses/mine.json and witnesses/mine.py"
    )


@pytest.mark.parametrize(
    ("changes", "head", "certified"),
    [
        ({"status": Status.SURVIVED, "answer": "attained"}, "mine: survived: attained, never exceeded", False),
        ({"status": Status.SURVIVED, "answer": "holds"}, "mine: survived", False),
        (
            {"status": Status.UNCONFIRMED},
            "mine: unconfirmed: exceeded in floating point, which could not be certified",
            False,
        ),
        ({"cut": True}, "cut short by the timeout: mine: refuted (certified)", True),
    ],
)
def test_the_first_line_is_the_verdict(changes, head, certified):
    outcome = attacked(**changes)
    assert str(outcome).splitlines()[0] == head
    assert outcome.certified == certified


def test_an_attack_that_never_began_survived_and_has_no_ratio():
    outcome = Attacked(claim="mine", statement="a ≤ b")
    assert (outcome.status, outcome.ratio, outcome.instances) == ("survived", None, 0)
    assert str(outcome) == "mine: survived\na ≤ b"


def test_json_has_plain_values():
    fields = json.loads(json.dumps(attacked(log_ratio=None, kappa=None).as_dict(), allow_nan=False))
    assert (fields["status"], fields["certified"], fields["widths"], fields["ratio"]) == ("refuted", True, [2, 1], None)
    assert attacked(log_ratio=-800.0).ratio == 0.0
