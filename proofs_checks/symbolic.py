"""Checks the scalar steps: the gap identity in sympy, the negation in z3, and that a mistake would be noticed.

identity        expand(right − left − Σ Π factors) = 0 modulo the equations, and no factor is of unknown sign
unsatisfiable   z3 finds no real numbers with the hypotheses and right < left
counter-model   z3 finds some for the mutant
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from importlib.util import find_spec
from operator import add, mul
from typing import Any

from sympy import (
    Add,
    Expr,
    Integer,
    Mul,
    Number,
    Pow,
    Symbol,
    exp,
    expand,
    groebner,
    integrate,
    prod,
    simplify,
    symbols,
)

from proofs_checks.registry import find_chain
from proofs_checks.scalar_steps import SCALAR_STEPS, ScalarStep

Z3_MILLISECONDS = 20_000
INSTALL = "pip install z3-solver"
STEPS = {step.name: step for step in SCALAR_STEPS}
# Beside those of its chain: identities that are a claim, or part of one.
FURTHER = {
    "equation3": ("equation3", "equation3-negative"),
    "fromage.relative-size": ("relative-size",),
    "fromage.lars-equivalence": ("lars-reviewer", "lars-published"),
}


def has_z3() -> bool:
    """Whether z3 can be imported."""
    return find_spec("z3") is not None


def steps_of(claim_id: str) -> tuple[ScalarStep, ...]:
    """The scalar steps behind a claim's chain, and those that are further part of it."""
    further = FURTHER.get(claim_id, ())
    names = [] if claim_id == "fromage.lars-equivalence" else [n for s in find_chain(claim_id).steps for n in s.scalar]
    return tuple(STEPS[name] for name in dict.fromkeys((*names, *further)))


def identity(step: ScalarStep) -> bool:
    """Whether right − left is the sum of the products, each of factors that are not negative."""
    signed = all(_not_negative(factor, step.given) for product in step.gap for factor in product)
    rest = expand(step.right - step.left - sum((prod(product) for product in step.gap), Integer(0)))
    if rest != 0 and step.equations:
        # A Gröbner basis decides whether the rest vanishes wherever the equations do.
        variables = sorted(rest.free_symbols.union(*(e.free_symbols for e in step.equations)), key=str)
        rest = groebner(step.equations, *variables, order="grevlex", domain="QQ").reduce(rest)[1]
    if step.name == "exponential":
        rest = rest + _exponential_remainder()
    return signed and rest == 0


def _not_negative(factor: Expr, given: Sequence[Expr]) -> bool:
    square = isinstance(factor, Pow) and factor.exp.is_even
    return factor in given or bool(square) or (factor.is_number and bool(factor >= 0))


def _exponential_remainder() -> Expr:
    """e^r − 1 − r − ∫₀^r (r−s)e^s ds, which is 0."""
    r, s = symbols("r s", nonnegative=True)
    return simplify(exp(r) - 1 - r - integrate((r - s) * exp(s), (s, 0, r)))


@dataclass(frozen=True)
class Answer:
    """What z3 says: "unsat" (the step is true), "sat" with a counter-model, or "unknown"."""

    answer: str
    model: dict[str, str]


def refute(step: ScalarStep, left: Expr, right: Expr) -> Answer:
    """Ask z3 for real numbers that meet the step's hypotheses and violate left ≤ right (or left = right)."""
    import z3

    variables: dict[str, Any] = {}
    solver = z3.Solver()
    solver.set("timeout", Z3_MILLISECONDS)
    conditions = [_to_z3(g, variables) >= 0 for g in step.given]
    conditions += [_to_z3(e, variables) == 0 for e in step.equations]
    first, second = _to_z3(left, variables), _to_z3(right, variables)
    conditions.append(first != second if step.equality else first > second)
    solver.add(*conditions)
    answer = str(solver.check())
    if answer != "sat":
        return Answer(answer, {})
    model = solver.model()
    # The model is held against what was asked, not taken on trust.
    if not all(z3.is_true(model.eval(condition, model_completion=True)) for condition in conditions):
        return Answer("unknown", {})
    return Answer("sat", {name: str(model.eval(v, model_completion=True)) for name, v in sorted(variables.items())})


def _to_z3(expression: Expr, variables: dict[str, Any]) -> Any:
    """A polynomial with rational coefficients as a z3 term."""
    import z3

    if isinstance(expression, Symbol):
        return variables.setdefault(expression.name, z3.Real(expression.name))
    if isinstance(expression, Number):
        return z3.Q(expression.p, expression.q)  # type: ignore[attr-defined]
    if isinstance(expression, Pow):
        base = _to_z3(expression.base, variables)
        return reduce(mul, [base] * int(expression.exp))
    assert isinstance(expression, Add | Mul), expression
    return reduce(add if isinstance(expression, Add) else mul, (_to_z3(a, variables) for a in expression.args))


@cache
def check(name: str) -> dict:
    """One scalar step: its identity, what z3 says of it and of its mutant; `passed` if all that could be run did."""
    step, begin = STEPS[name], time.perf_counter()
    result: dict[str, Any] = {"step": name, "statement": step.statement, "identity": identity(step)}
    if has_z3():
        mutant = refute(step, *step.mutant)
        result |= {
            "z3": refute(step, step.left, step.right).answer,
            "mutant": mutant.answer,
            "counter-model": mutant.model,
        }
    else:
        result |= {"z3": "not run", "mutant": "not run", "counter-model": {}}
    sound = result["z3"] in ("unsat", "not run") and result["mutant"] in ("sat", "not run")
    return result | {"passed": result["identity"] and sound, "seconds": round(time.perf_counter() - begin, 3)}
