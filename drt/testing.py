"""`assert_claim`, for tests: a claim is held against an instance; what violates it is shrunk, certified and printed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import currently_in_test_context, event, reject, target
from hypothesis.control import current_build_context
from hypothesis.errors import InvalidArgument
from torch import Tensor

from drt.errors import InputError
from drt.exact.certify import certify
from drt.falsify.present import statement
from drt.falsify.shrink import shrink
from drt.measurement.instance import Instance
from drt.measurement.measured import Measured
from drt.measurement.measurement import Measurement, measure_all
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.theory.registry import Claim, find
from drt.theory.verdict import Verdicts
from drt.witness.witness import Witness


def assert_claim(claim: Claim | str, instance: Instance | Measured, shrink_candidates: int = 400) -> None:
    """Pass where the claim holds; fail with a counterexample where it is violated.

        log(actual/bound) ≤ 0,  up to the derived rounding bound

    An `Instance` is measured as the claim asks: its function, or its J_0 … J_{L−1}. Of several verdicts (all J_l, or a
    batch) one violation fails; those to which the claim does not apply are left out.

    An undecided instance, whose two sides agree within the rounding bound, passes. One that misses a hypothesis is
    neither a success nor a violation: inside a Hypothesis test it is rejected (with an event that says why; Hypothesis
    complains when most are), outside it is bad input.

    Inside a Hypothesis test `hypothesis.target` is given log(actual/bound), less its rounding bound, where finite (of a
    claim asserted twice in one test, the first time). The counterexample is shrunk and certified only for the last,
    smallest example of Hypothesis, with a look at `shrink_candidates` smaller ones at most.

    Raises:
        AssertionError: a violation. The message has the counterexample in mathematics with both sides, and says whether
            it is certified (exact arithmetic) or seen in floating point only.
        InputError: no claim or instance, an unknown id, a measurement of the other quantity; outside of Hypothesis, an
            instance that misses a hypothesis.
    """
    __tracebackhide__ = True  # of pytest: the message says it all
    claim = find(claim) if isinstance(claim, str) else claim
    if not isinstance(claim, Claim):
        raise InputError(f"claim must be a claim or the id of one, got {claim!r}")
    verdicts = [Verdicts(claim, m) for m in _measurements(claim, instance)]
    if all(v.where(Outcome.INAPPLICABLE).all() for v in verdicts):
        _inapplicable(claim, verdicts[0])
    _steer(claim, verdicts)
    worst = max(verdicts, key=lambda v: float(_excess(v).max()))
    if worst.where(Outcome.VIOLATED).any():
        raise AssertionError(_report(claim, worst, shrink_candidates))


def _measurements(claim: Claim, instance: Instance | Measured) -> Sequence[Measured]:
    if isinstance(instance, Measured):
        return [instance]
    if not isinstance(instance, Instance):
        raise InputError(f"instance must be a drt.Instance or a drt.Measurement, got {type(instance).__name__}")
    if not claim.quantity.of_network:
        raise InputError(f"claim {claim.id} is about the {claim.quantity}: give its measurement, not an instance")
    function, jacobians = measure_all(instance)
    return [m for m in (function, *jacobians) if m.quantity is claim.quantity]


def _inapplicable(claim: Claim, verdicts: Verdicts) -> None:
    reason = verdicts.why(_index(verdicts.codes, 0))
    if currently_in_test_context():
        event(f"{claim.id} is inapplicable", reason.partition(":")[0])
        reject()
    raise InputError(f"instance misses a hypothesis of {claim.id}: {reason}")


def _index(tensor: Tensor, flat: int) -> tuple[int, ...]:
    """The index of the flat-th entry."""
    return tuple(int(i) for i in torch.unravel_index(torch.tensor(flat), tensor.shape))


def _excess(verdicts: Verdicts) -> Tensor:
    """The least that log(actual/bound) can be; −∞ where inapplicable or where nothing is known."""
    excess = verdicts.lower - verdicts.rhs_upper
    known = ~verdicts.where(Outcome.INAPPLICABLE) & torch.isfinite(verdicts.lower) & ~torch.isnan(excess)
    return torch.where(known, excess, -torch.inf)


def _steer(claim: Claim, verdicts: Sequence[Verdicts]) -> None:
    score = max(float(_excess(v).max()) for v in verdicts)
    if not currently_in_test_context() or abs(score) == torch.inf:
        return
    try:
        target(score, label=f"log(actual/bound) of {claim.id}")
    except InvalidArgument:  # the same claim a second time in one test
        return


def _report(claim: Claim, verdicts: Verdicts, candidates: int) -> str:
    """What is violated, where, and how sure that is."""
    m = verdicts.measurement
    index = _index(verdicts.codes, int(_excess(verdicts).argmax()))
    title = f"{claim.id}: {claim.statement}"
    if currently_in_test_context() and not current_build_context().is_final:
        return title  # Hypothesis is still looking for a smaller example
    doubt = "violated in floating point, not certified"
    try:
        witness = _witness(claim, m, index)
        certificate = certify(witness, claim, max_bits=512)
    except InputError as error:
        return f"{title}\n{doubt} ({error})\n{verdicts[index]}"
    if certificate.answer != "violated":
        reason = certificate.reason or f"the certifier says: {certificate.answer}"
        sides = f"{verdicts[index].lhs:.6g}", f"{verdicts[index].rhs:.6g}"
        return f"{title}\n{doubt} ({reason})\n{statement(witness, claim, *sides)}"
    small = shrink(witness, lambda w: certify(w, claim, max_bits=256).answer == "violated", candidates)
    certificate = certify(small, claim, max_bits=512)
    sides = f"{sum(certificate.lhs) / 2:.6g}", f"{sum(certificate.rhs) / 2:.6g}"
    return f"{title}\nviolated, certified in exact arithmetic\n{statement(small, claim, *sides)}"


def _witness(claim: Claim, m: Measured, index: tuple[int, ...]) -> Witness:
    """One instance of the batch, exactly."""
    if not isinstance(m, Measurement):
        raise InputError(f"an instance of the {m.quantity} is no network's: it has no witness")
    instance, batch = m.instance, m.batch_shape

    def one(tensors: Sequence[Tensor | None], dims: int) -> list[Tensor | None]:
        return [None if t is None else t.expand(*batch, *t.shape[-dims:])[index] for t in tensors]

    net = instance.net
    weights = one(net.weights, 2)
    single = Network(weights, list(net.activations), one(net.biases, 1))  # type: ignore[arg-type]  # no weight is None
    x = instance.x.expand(*batch, instance.x.shape[-1])[index]
    dbiases = one(instance.dbiases, 1) if net.has_biases else None
    return Witness.from_floats(claim, single, one(instance.dweights, 2), x, m.layer, dbiases=dbiases)
