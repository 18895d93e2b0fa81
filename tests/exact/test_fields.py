"""Every field of every quantity, in floats and in exact arithmetic, on the same instances: they agree, or both refuse."""

import pytest
import torch
from flint import arb, ctx

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.mean import SHARP_ENOUGH
from drt.exact.certify import TWINS
from drt.exact.network import ExactNetwork
from drt.exact.steps import ExactSteps
from drt.exact.surds import ball
from drt.measurement.measurement import Measurement
from drt.measurement.quantity import DESCENT, STEP, Quantity
from drt.optimisers.steps import measure_steps
from drt.theory.registry import claims
from drt.witness.witness import Witness

WEIGHTS = [[[1.0, 0.5], [-0.25, 3.0]], [[2.0, -1.0], [0.5, 0.75]]]
DWEIGHTS = [[[0.125, 0.0], [0.25, -0.5]], [[0.0, 0.25], [0.0625, 0.125]]]
X, TARGET = [0.5, -3.0], [0.25, 1.0]
NOT_FIELDS = ("change", "log_change", "norm_x", "norm_f", "size", "gamma", "derivative_gap", "nonsense")
ONE_OF = {
    Quantity.FUNCTION: "spectral.function",
    Quantity.JACOBIAN: "spectral.jacobian",
    Quantity.DESCENT: "lemma1",
}


def twins(quantity, activation, exact):
    """The same instance in floats and exactly."""
    if quantity is STEP:
        weight, gradient = (torch.tensor(m, dtype=torch.float64)[None, None] for m in (WEIGHTS[0], DWEIGHTS[0]))
        steps = measure_steps(weight, gradient, torch.tensor([0.25], dtype=torch.float64))
        return steps, ExactSteps(steps, (0, 0))
    target = TARGET if quantity is DESCENT else None
    net = drt.Network(WEIGHTS, activation)
    witness = Witness.from_floats(claims[ONE_OF[quantity]], net, DWEIGHTS, X, target=target)
    if quantity is DESCENT:
        loss = MeanSquaredError(torch.tensor([TARGET], dtype=torch.float64))
        m = drt.measure_descent(net, DWEIGHTS, torch.tensor([X], dtype=torch.float64), loss)
    else:
        m = Measurement.of(drt.Instance(net, DWEIGHTS, X), quantity)
    return m, TWINS[quantity](ExactNetwork(witness), 0, 128, exact)


def agree(name, measured, exact):
    """Whether a float field is the exact one, to rounding; what is not a number is the same."""
    if isinstance(measured, int | tuple):
        return measured == exact
    if name == "jacobian_rounding":  # what each arithmetic allows for its own rounding
        return ball(exact.entries.item()) <= float(measured)
    expected = torch.as_tensor(measured, dtype=torch.float64)
    expected = expected.reshape(()) if expected.numel() == 1 and exact.shape == () else expected
    if exact.shape != tuple(expected.shape):
        return False
    # The supremum over the segment is known from below by what was evaluated, to second order of the last interval; the mean
    # from above, to the share at which no more intervals are halved. (`test_descent` holds the exact ones against both ends.)
    tolerance = {"breakdown": 1e-6, "mean_breakdown": SHARP_ENOUGH}.get(name, 1e-12)
    pairs = zip(exact.entries.ravel().tolist(), expected.flatten().tolist(), strict=True)
    return all(ball(a).overlaps(arb(b, abs(b) * tolerance + 1e-14)) for a, b in pairs)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("activation", ["leaky_relu:0.5", "identity"])
@pytest.mark.parametrize("quantity", list(Quantity))
def test_every_field_agrees(quantity, activation, exact):
    measured, twin = twins(quantity, activation, exact)
    with ctx.workprec(128):
        for name in type(measured).FIELDS:
            assert agree(name, getattr(measured, name), getattr(twin, name)), name


@pytest.mark.parametrize("quantity", list(Quantity))
def test_what_is_no_field_is_refused_by_both(quantity):
    measured, twin = twins(quantity, "leaky_relu:0.5", True)
    assert type(twin).FIELDS == type(measured).FIELDS
    for name in NOT_FIELDS:
        if name not in type(measured).FIELDS:
            for m in (measured, twin):
                with pytest.raises(
                    AttributeError, match=f"a measurement of the {quantity} has no field '{name}'; it has "
                ):
                    getattr(m, name)


def test_the_comparison_can_fail():
    measured, twin = twins(Quantity.FUNCTION, "leaky_relu:0.5", True)
    with ctx.workprec(128):
        assert not agree("change", measured.change * (1 + 1e-9), twin.change)
        assert not agree("delta", measured.change, twin.delta)
        assert not agree("depth", 3, twin.depth)


def test_a_bound_that_reads_another_field_is_refused_before_it_is_attacked():
    """It used to be answered with the change of a Jacobian at an input of ones."""
    from drt.errors import InputError
    from drt.falsify.attack import ENGINES
    from drt.falsify.pipeline import probe

    @drt.bound(quantity="descent")
    def odd(m):
        """It reads the change of a Jacobian."""
        return 2 * m.change

    with pytest.raises(InputError, match="a measurement of the descent has no field 'change'; it has delta, rho"):
        probe(odd, ENGINES[odd.quantity])
