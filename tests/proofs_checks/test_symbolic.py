from dataclasses import replace

import pytest
from sympy import Integer, Rational, symbols

from proofs_checks import symbolic
from proofs_checks.registry import chains
from proofs_checks.symbolic import FURTHER, STEPS, check, identity, refute, steps_of

NAMES = list(STEPS)


@pytest.mark.parametrize("name", NAMES)
def test_identity_holds_and_z3_finds_nothing(name):
    result = check(name)
    assert result["identity"]
    assert result["z3"] == "unsat"
    assert result["passed"]


@pytest.mark.parametrize("name", NAMES)
def test_the_mutant_has_a_counter_model(name):
    """Checked here once more, without z3: the numbers of the model violate the mutant and meet the hypotheses."""
    step = STEPS[name]
    model = refute(step, *step.mutant)
    assert model.answer == "sat"
    values = {}
    for symbol in {s for e in (*step.mutant, *step.given, *step.equations) for s in e.free_symbols}:
        text = model.model.get(symbol.name, "0")
        values[symbol] = Rational(text.rstrip("?"))  # "?": an algebraic number, cut off
    tolerance = 1e-6 if any(v.endswith("?") for v in model.model.values()) else 0
    left, right = (e.subs(values) for e in step.mutant)
    assert abs(left - right) > 0 if step.equality else left > right
    assert all(e.subs(values) >= -tolerance for e in step.given)
    assert all(abs(e.subs(values)) <= tolerance for e in step.equations)


@pytest.mark.parametrize("name", NAMES)
def test_the_mutant_has_no_such_identity(name):
    step = STEPS[name]
    assert not identity(replace(step, left=step.mutant[0], right=step.mutant[1]))


def test_a_gap_with_a_factor_of_unknown_sign_does_not_count():
    x = symbols("x", real=True)
    step = STEPS["triangle"]
    assert not identity(replace(step, left=Integer(0), right=x, gap=((x,),), given=()))
    assert identity(replace(step, left=Integer(0), right=x, gap=((x,),), given=(x,)))


def test_every_step_of_every_chain_is_backed_or_is_left_to_coq():
    names = {name for chain in chains().values() for step in chain.steps for name in step.scalar}
    assert names <= set(STEPS)
    assert set(STEPS) == {s.name for claim in (*chains(), *FURTHER) for s in steps_of(claim)}
    bare = [(c.claim, s.reason) for c in chains().values() for s in c.steps if not s.scalar]
    models = [(claim, "deep relative trust") for claim in ("lemma2", "lemma2.mean", "lemma2.constant")]
    assert bare == [("proposition1", "chain rule"), ("lemma1", "mean value"), *models]


def test_without_z3_it_is_not_run_and_does_not_count_as_run(monkeypatch):
    monkeypatch.setattr(symbolic, "has_z3", lambda: False)
    result = check.__wrapped__("triangle")
    assert (result["z3"], result["mutant"], result["identity"]) == ("not run", "not run", True)
