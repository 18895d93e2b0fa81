"""Every field of descent in exact numbers lies between the ends that floats give it (`test_fields` compares all quantities)."""

import pytest
import torch
from flint import arb, ctx

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import Descent, measure_descent
from drt.exact.descent import ExactDescent
from drt.exact.network import ExactNetwork
from drt.exact.surds import Undecided, ball
from drt.witness.witness import Witness

PIECEWISE, SMOOTH = ("leaky_relu:0.25", "negated:leaky_relu:0.3", "identity"), ("tanh_blend:0.3", "softplus_blend:0.2")
# The upper end of a maximum over t is only sought where Lemma 1 needs it, and that of a mean only as far.
SOUGHT = ("breakdown", "mean_breakdown")


def gaussian(seed, *shapes):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=rng, dtype=torch.float64) for shape in shapes]


def both(activation, seed, size=0.1, still=None):
    """A network 2-3-2 with a bias, at one input: in floats, and in exact numbers."""
    shapes = [(3, 2), (2, 3)]
    *parts, x, y, b = gaussian(seed, *shapes, *shapes, (1, 2), (1, 2), (3,))
    steps = [size * dw for dw in parts[2:]]
    if still is not None:
        steps[still] = torch.zeros_like(steps[still])
    net = drt.Network(parts[:2], activation, [b, None])
    witness = Witness.from_floats("lemma1", net, steps, x[0], target=y[0])
    return measure_descent(net, steps, x, MeanSquaredError(y)), ExactDescent(ExactNetwork(witness), 0, 128, True)


def enclosures(value):
    """The entries of an exact field as balls."""
    entries = value.entries.flat if hasattr(value, "entries") else value if isinstance(value, tuple) else [value]
    return [arb(v) if isinstance(v, int | float) else ball(v) for v in entries]


def numbers(value):
    return torch.as_tensor(value, dtype=torch.float64).flatten().tolist()


def held_together(m, exact, name, smooth):
    """A field's exact value lies between the two ends that floats give it, which are close together."""
    ends = [numbers(getattr(m.inflated(side), name)) for side in (-1, 0, 1)]
    if name == "mean_breakdown" and smooth:
        with pytest.raises(Undecided, match="is enclosed where φ is piecewise linear"):
            exact.mean_breakdown  # noqa: B018
        return
    true = enclosures(getattr(exact, name))
    assert len(true) == len(ends[0]), name
    for low, value, high, enclosed in zip(*ends, true, strict=True):
        low, high = min(low, high), max(low, high)
        assert arb(low) <= enclosed.upper(), name
        if name == "breakdown" and m.changes.lower_suffices:
            continue
        assert enclosed.lower() <= arb(high), name
        if name not in SOUGHT:
            assert low <= value <= high, name
            assert low == high or high - low <= 1e-9 * (1 + abs(value)), name


@pytest.mark.parametrize("still", [None, 0])
@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0])
@pytest.mark.parametrize("activation", PIECEWISE + SMOOTH)
def test_every_field_agrees_within_its_rounding(activation, size, still):
    m, exact = both(activation, 3, size, still)
    with ctx.workprec(128):
        for name in Descent.FIELDS:
            held_together(m, exact, name, activation in SMOOTH)


def test_planted_a_field_of_ones_is_caught(monkeypatch):
    """The fault that fields of a stand-in input had: one that is another instance's."""
    with ctx.workprec(128):
        other = both("identity", 7)[1].gamma
    monkeypatch.setattr(ExactDescent, "gamma", property(lambda self: other))
    with pytest.raises(AssertionError, match="gamma"), ctx.workprec(128):
        held_together(*both("identity", 3), "gamma", smooth=False)
