"""What is planted in the verdict is found by holding it against certificates."""

import pytest

from drt.theory import verdict
from drt.theory.outcome import Outcome
from drt.theory.registry import claims
from proofs_checks.verdict_check import fault


@pytest.mark.parametrize(
    "name",
    ["theorem1.function", "spectral.jacobian", "neyshabur.function", "condition4", "lemma2", "fromage.fixed-point"],
)
def test_the_verdict_is_right_on_the_battery(name):
    assert fault(claims[name]) == ""


@pytest.mark.parametrize(
    "name", ["theorem1.function", "lemma1", "lemma2", "deep-relative-trust", "fromage.fixed-point"]
)
def test_a_negated_test_is_found(monkeypatch, name):
    """holds ⇔ left > right: what `drt.theory.verdict` would be with its comparison the wrong way round."""
    whole = verdict.Verdicts.__init__

    def negated(self, claim, m):
        whole(self, claim, m)
        holds, violated = (self.codes == o.code for o in (Outcome.HOLDS, Outcome.VIOLATED))
        self.codes[holds], self.codes[violated] = Outcome.VIOLATED.code, Outcome.HOLDS.code

    monkeypatch.setattr(verdict.Verdicts, "__init__", negated)
    assert fault(claims[name]) != ""


def test_a_verdict_that_always_holds_is_found(monkeypatch):
    """Then only the formula made smaller tells."""
    monkeypatch.setattr(verdict.Verdicts, "__getitem__", lambda self, index: Holds())
    assert "the verdict is holds" in fault(claims["theorem1.function"])


class Holds:
    outcome = Outcome.HOLDS
