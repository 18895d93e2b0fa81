"""The scalar steps on rational numbers: neither sympy's identities nor z3 are asked (`test_symbolic` asks both)."""

import random

import pytest
from sympy import Rational

from proofs_checks.chain import PARTS
from proofs_checks.registry import chains
from proofs_checks.scalar_steps import SCALAR_STEPS

FREE = [step for step in SCALAR_STEPS if not step.equations]


def test_names_are_unique_and_every_part_of_a_chain_is_known():
    names = [step.name for step in SCALAR_STEPS]
    assert len(set(names)) == len(names)
    assert {step.part for chain in chains().values() for step in chain.steps} <= set(PARTS)


@pytest.mark.parametrize("step", FREE, ids=lambda s: s.name)
def test_it_holds_on_rational_numbers_that_meet_its_hypotheses(step):
    """Small fractions, met by trial: left ≤ right on all of them, and not on all of them by the same amount."""
    dice = random.Random(step.name)
    symbols = sorted({s for e in (step.left, step.right, *step.given) for s in e.free_symbols}, key=str)
    gaps = []
    for _ in range(2000):
        values = {s: Rational(dice.randint(-4, 12), dice.randint(1, 4)) for s in symbols}
        if all(g.subs(values) >= 0 for g in step.given):
            gaps.append((step.right - step.left).subs(values))
        if len(gaps) == 20:
            break
    if step.name == "exponential":  # its gap holds a remainder that is no polynomial
        gaps = [g.evalf() for g in gaps]
    assert all(g == 0 if step.equality else g >= 0 for g in gaps)
    assert len(gaps) == 20
    assert step.equality or len(set(gaps)) > 1
