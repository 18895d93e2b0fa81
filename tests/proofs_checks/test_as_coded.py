"""Proved means: this formula. Errors planted in claims, hypotheses and theorems.txt; Coq runs once on all of them."""

from dataclasses import replace

import pytest

import drt
from drt.errors import InputError
from drt.theory.hypotheses import hypotheses
from drt.theory.registry import claims
from proofs_checks import as_coded
from proofs_checks.as_coded import Twin, goal, statement
from proofs_checks.formal import COQ, Goal, theorems, unproved

DECIDING = {t.claim: t for t in theorems() if t.role in ("proves", "refutes")}


@pytest.fixture
def unproved_of(compiled_proofs):
    """The goals that Coq does not accept."""
    path, copy = compiled_proofs
    return lambda goals: unproved(goals, path, copy)


def of_role(claim, role="", theorem=""):
    t = DECIDING[claim.id]
    return Goal(goal(claim, role or t.role), theorem or t.name)


def test_every_claim_has_one_theorem_in_the_file_of_claims():
    assert set(DECIDING) == {c.id for c in claims.values() if c.known in ("true", "false")}
    assert all(t.name.startswith("Claims.") for t in DECIDING.values())
    assert all((t.role == "proves") == (claims[t.claim].known == "true") for t in DECIDING.values())


def test_what_a_claim_states():
    assert statement(claims["equation3"]) == (
        "forall m : OfFunction.measurement, (OfFunction.biases m) -> (OfFunction.nonzero m) -> (OfFunction.scalars m) -> "
        "OfFunction.relative m <= ((Sums.prod (OfFunction.depth m) (fun k => (1 + (OfFunction.delta m k)))) - 1)"
    )


def test_planted_errors_do_not_compile(unproved_of):
    """Each claim as it is; × 0.98; each hypothesis dropped; another added; another's theorem; the other role."""
    right, wrong = {}, {}
    for name, t in DECIDING.items():
        claim = claims[name]
        right[name] = of_role(claim)
        if claim.kind != "identity":  # 0.98 · 0 is 0
            wrong[f"{name} × 0.98"] = of_role(replace(claim, formula=lambda m, c=claim: 0.98 * c.formula(m)))
        for dropped in claim.hypotheses:
            rest = tuple(h for h in claim.hypotheses if h != dropped)
            wrong[f"{name} without {dropped}"] = of_role(replace(claim, hypotheses=rest))
        wrong[f"{name}, the other role"] = of_role(claim, "refutes" if t.role == "proves" else "proves")
        other = next(o for o in DECIDING.values() if o.claim != name and claims[o.claim].quantity == claim.quantity
                     and statement(claims[o.claim]) != statement(claim))  # fmt: skip
        wrong[f"{name} by {other.name}"] = of_role(claim, theorem=other.name)
    added = replace(claims["norm-product.function"], hypotheses=("biases", "nonzero", "transmission"))
    wrong["norm-product.function, one hypothesis more"] = of_role(added)
    assert unproved_of({**right, **wrong}) == set(wrong)
    assert len(wrong) > 150


def test_the_text_of_a_hypothesis_is_what_counts(unproved_of, monkeypatch):
    """α ≥ 0 for α > 0, ρ ≤ 2/L for ρ ≤ 1/L, and η's growth halved, each in the hypothesis's own text."""
    changed = {
        "transmission": lambda m: (m.alphas >= 0).all(-1),
        "small": lambda m: (m.rho * m.depth <= 2).all(-1),
        "conditioning-w": lambda m: drt.numeric.numbers.finite(m.kappa_w).all(-1) | (m.alphas > 0).all(-1),
    }
    goals = {}
    for name, met in changed.items():
        monkeypatch.setitem(hypotheses, name, replace(hypotheses[name], met=met))
        goals |= {f"{c.id} with another {name}": of_role(c) for c in claims.values() if name in c.hypotheses}
    assert unproved_of(goals) == set(goals)


def test_a_formula_that_branches_or_reads_another_field_has_no_statement():
    claim = claims["theorem1.function"]
    with pytest.raises(InputError, match="a formula must not branch on its numbers"):
        statement(replace(claim, formula=lambda m: m.kappa if m.kappa > 2 else m.norm_x))
    with pytest.raises(InputError, match="the Coq twin of a function has no field 'gamma'"):
        statement(replace(claim, formula=lambda m: m.gamma))
    with pytest.raises(InputError, match="a side must be one number"):
        statement(replace(claim, formula=lambda m: m.delta))
    with pytest.raises(InputError, match="per_layer makes it one for each"):
        statement(replace(claim, formula=lambda m: (m.kappa * m.delta).sum(-1)))


@pytest.mark.parametrize("quantity", list(as_coded.MODULES))
def test_every_field_of_a_twin_is_defined_in_coq(quantity):
    twin, text = Twin(quantity), (COQ / "Measured.v").read_text()
    module = text.split(f"Module {twin.module}.")[1].split(f"End {twin.module}.")[0]
    for name in (*as_coded.LAYERED[quantity], *as_coded.SCALAR[quantity], *as_coded.NATURAL[quantity]):
        assert f"{twin.module}.{name} m" in str(getattr(twin, name))
        assert f"Definition {name} " in module or f"  {name} :" in module, name
