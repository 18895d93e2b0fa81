"""Every chain by its claim, and single steps as claims of their own: `theorem1.function#3` says q₂ ≤ q₃."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch

from drt.errors import InputError
from drt.measurement.measured import InLogarithms
from drt.measurement.measurement import Measurement
from drt.numeric.lognumbers import LogNumber
from drt.theory.registry import Claim, claims
from proofs_checks.chain import Chain
from proofs_checks.terms import Terms

MODULES = (
    "equation3", "proposition1", "theorem1", "kappa", "spectral", "telescoping", "norm_product", "neyshabur", "lemma1",
    "lemma2", "fromage",
)  # fmt: skip


@cache
def chains() -> dict[str, Chain]:
    """The chain of every claim that has one."""
    return {chain.claim: chain for name in MODULES for chain in import_module(f"proofs_checks.{name}").CHAINS}


def find_chain(claim_id: str) -> Chain:
    """The chain of a claim.

    Raises:
        InputError: there is none.
    """
    if claim_id not in chains():
        raise InputError(f"claim {claim_id!r} has no chain; expected one of {', '.join(chains())}")
    return chains()[claim_id]


def step_claim(name: str) -> Claim:
    """The claim q_{K−1} ≤ q_K for CLAIM#K, of the same hypotheses.

    Its sides are the ends of what rounding allows in the claim's favour, so that only a genuine violation is one.

    Raises:
        InputError: no chain, or no such step, or a chain that is not about a network and its ΔW.
    """
    claim_id, _, number = name.partition("#")
    chain = find_chain(claim_id)
    if not chain.layered:
        raise InputError(f"{claim_id}: the steps of this chain cannot be attacked; those of layered chains can")
    if not number.isdecimal():
        raise InputError(f"claim {name!r}: the step must be a number, as in {claim_id}#1")
    index = int(number)
    chain.check_index(index)
    step = chain.steps[index - 1]

    walked: WeakKeyDictionary[Measurement, list[Terms]] = WeakKeyDictionary()  # both sides need it

    def sums(m: Measurement) -> list[Terms]:
        if m not in walked:
            walked[m] = chain.sums(m, index)
        return walked[m]

    def left(fields: Any) -> LogNumber:
        m = _measured(fields)
        if index == 1:
            value, lower, _ = chain.left(m)
            return LogNumber(value - (value - lower).detach().nan_to_num(nan=torch.inf))
        q = sums(m)[-2].log_value
        return LogNumber(q.value - q.error)

    def right(fields: Any) -> LogNumber:
        q = sums(_measured(fields))[-1].log_value
        return LogNumber(q.value + q.error)

    return replace(
        claims[claim_id],
        id=name,
        statement=f"{step.reason}: {step.statement}",
        source=f"proofs_checks, step {index} of {claim_id}",
        formula=right,
        left=left,
    )


def _measured(fields: Any) -> Measurement:
    """The measurement behind the numbers that a formula is given."""
    if not isinstance(fields, InLogarithms):
        raise TypeError("a step of a proof is measured in floating point only")
    return cast(Measurement, fields.measurement)
