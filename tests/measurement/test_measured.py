"""What all measurements share: exactly their own fields, ends of rounding, and numbers by their logarithms."""

import pytest
import torch

import drt
from drt.descent.losses import MeanSquaredError
from drt.measurement.measured import COUNTS, exponential, no_field
from drt.measurement.quantity import FUNCTION
from drt.numeric.lognumbers import LogNumber
from drt.optimisers.steps import measure_steps
from tests.instances import array, generator, instance, normal


def everything():
    """A measurement of each quantity."""
    net, dws, x = instance(0, (3, 3, 2), "leaky_relu:0.5", 0.1)
    steps = normal(generator(1), 2, 1, 3, 2)
    return [
        drt.measure(net, dws, x),
        drt.measure_jacobian(net, dws, x, layer=1),
        drt.measure_descent(net, dws, x[None], MeanSquaredError(array([1.0, 2.0]))),
        measure_steps(steps, steps.flip(0), array(0.1)),
    ]


EVERY = everything()


@pytest.mark.parametrize("m", EVERY, ids=lambda m: str(m.quantity))
def test_every_field_is_there_and_no_other_is(m):
    for name in m.FIELDS:
        assert getattr(m, name) is not None
    for name in {n for other in EVERY for n in other.FIELDS} - {*m.FIELDS, *COUNTS}:
        with pytest.raises(AttributeError) as caught:
            getattr(m, name)
        assert str(caught.value) == no_field(m.quantity, name, m.FIELDS)


def test_the_message_names_the_fields_that_are_there():
    assert no_field(FUNCTION, "sigma", ("delta", "rho")) == (
        "a measurement of the function has no field 'sigma'; it has delta, rho"
    )


def test_a_field_that_fails_raises_its_own_error_and_not_that_there_is_none():
    class Failing(type(EVERY[0])):
        @property
        def delta(self):
            return self.nonsense_within

    failing = Failing(EVERY[0].instance)
    with pytest.raises(AttributeError, match="no field 'nonsense_within'"):
        _ = failing.delta


def test_the_logarithm_s_field_is_its_exponential():
    class Two:
        log_two = torch.log(array(2.0))
        two = exponential("log_two")

    assert Two().two.item() == pytest.approx(2, rel=1e-15)
    assert Two.two.__doc__ == "e to the power of log_two."


def test_numbers_are_fields_by_their_logarithms():
    m = EVERY[0]
    for name in ("delta", "kappa_w", "norm_f", "change", "alpha"):
        number = getattr(m.numbers, name)
        assert isinstance(number, LogNumber)
        expected = torch.as_tensor(getattr(m, name), dtype=torch.float64)
        torch.testing.assert_close(number.plain(), expected, rtol=1e-14, atol=0)
    assert torch.equal(m.numbers.norm_f.logs, m.log_norm_f), "not the logarithm of an exponential"


@pytest.mark.parametrize("m", EVERY[:3], ids=lambda m: str(m.quantity))
def test_counts_stay_whole_numbers(m):
    counts = [name for name in COUNTS if name in m.FIELDS]
    assert {"depth", "widths"} <= {*counts}
    for name in counts:
        assert getattr(m.numbers, name) == getattr(m, name)
        assert isinstance(getattr(m.numbers, name), int | tuple)


@pytest.mark.parametrize(
    "name", ["delta", "rho", "kappa_w", "kappa_dw", "kappa_wt", "kappa", "norm_w", "norm_dw", "norm_wt"]
)
def test_ends_are_on_either_side_by_what_rounding_may_do(name):
    m = EVERY[0]
    low, value, high = (getattr(v, name) for v in (m.inflated(-1), m, m.inflated(1)))
    assert (low < value).all()
    assert (value < high).all()
    assert (high / low - 1 < 1e-12 * float(m.kappa)).all()
    assert (m.inflated(1).side, m.side) == (1, 0)
