"""Every field of descent in exact numbers lies between the ends that floats give it (`test_fields` compares all quantities)."""

import pytest
import torch
from flint import arb, ctx, fmpq

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import Descent, measure_descent
from drt.exact.descent import ExactDescent
from drt.exact.network import ExactNetwork
from drt.exact.surds import Undecided, ball
from drt.witness.witness import Witness
from tests.descent_cases import case, contained, exact_descent, gaussian, measured, middles, rational_rows
from tests.instances import array

PIECEWISE, SMOOTH = ("leaky_relu:0.25", "negated:leaky_relu:0.3", "identity"), ("tanh_blend:0.3", "softplus_blend:0.2")
# The upper end of a maximum over t is only sought where Lemma 1 needs it, and that of a mean only as far.
SOUGHT = ("breakdown", "mean_breakdown")


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


def test_cosines_and_changes_stay_within_their_error_bounds():
    """In floats and in fractions of the same numbers, 8 layers: cos θ_l, and the change that is known to be reached."""
    for seed in range(5):
        shapes = [(6, 6)] * 7 + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net = drt.Network(parts[:8], ["leaky_relu:0.25"] * 7 + ["identity"])
        m, exact = (f(net, parts[8:], x, y) for f in (measured, exact_descent))
        assert exact.norm_g.shape == m.norm_g.shape
        ends = (m.inflated(side).cosines for side in (-1, 1))
        for low, mine, high, true in zip(next(ends), m.cosines, next(ends), middles(exact.cosines), strict=True):
            assert float(low) <= true <= float(high)
            assert float(low) < float(mine) < float(high)
        for lower, evaluated, end in zip(
            m.changes.largest_lower, m.changes.largest, middles(exact.step_change), strict=True
        ):
            assert 0.999 * end < float(lower) < float(evaluated)


@pytest.mark.parametrize("gap", [1.0, 1e-9])
def test_gamma_stays_within_its_error_bounds(gap):
    """‖∂𝓛̃/∂f − ∂𝓛/∂f‖/‖∂𝓛/∂f‖ in floats and in fractions; near the target, where ∂𝓛/∂f keeps few digits, too."""
    for seed in range(5):
        shapes = [(6, 6)] * 3 + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net, steps = drt.Network(parts[:4], ["leaky_relu:0.25"] * 3 + ["identity"]), [1e-3 * dw for dw in parts[4:]]
        y = measured(net, steps, x, y).segment.outputs[0] + gap * y
        m, exact = measured(net, steps, x, y), exact_descent(net, steps, x, y)
        (true,) = middles([exact.gamma])
        low, high = (float(m.inflated(side).gamma) for side in (-1, 1))
        assert low <= true <= high
        assert low <= float(m.gamma) <= high
        assert high - low < 1e-2 * true
        assert high - low > (1e-16 if gap == 1 else 1e-9) * true


def test_gamma_is_unknown_where_the_loss_has_no_error_bound():
    m = measure_descent(*case(0, loss="custom"))
    assert (m.inflated(1).gamma == torch.inf).all()
    assert (m.inflated(-1).gamma == 0).all()


@pytest.mark.parametrize("depth", [2, 8, 16])
def test_outputs_and_excess_stay_within_their_error_bounds(depth):
    """f at both ends, and 𝓛(1) − 𝓛(0) − Σ⟨g_l, ΔW_l⟩, in floats and in fractions of the same numbers."""
    for seed in range(5):
        shapes = [(6, 6)] * (depth - 1) + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net = drt.Network(parts[:depth], ["leaky_relu:0.25"] * (depth - 1) + ["identity"])
        steps = [0.01 * dw for dw in parts[depth:]]
        m, exact = measured(net, steps, x, y), exact_descent(net, steps, x, y)
        o, do = m.segment.outputs
        for side, mine in enumerate((o, o + do)):
            pairs = zip(rational_rows(mine)[0], exact.net.states(bool(side))[0][-1].entries(), strict=True)
            assert contained(sum((a - b) ** 2 for a, b in pairs), float(m.changes.rounded.errors[side].outputs[0]))
        pairs = zip(exact.gradients(), exact.net.dw, strict=True)
        inner = sum((a * b for g, dw in pairs for a, b in zip(g.entries(), dw.entries(), strict=True)), fmpq(0))
        excess = exact.loss(True) - exact.loss() - inner
        low, high = (fmpq(*float(m.inflated(side).excess).as_integer_ratio()) for side in (-1, 1))
        assert low <= excess <= high


def test_the_fall_allows_for_the_errors_of_outputs_that_cancel():
    """f = w₂(h − h′) with h ≈ h′ ≈ 10⁶ at the end, and almost nothing at the start: gradients there are known too well.

    The output 𝓛(1) is made of is off by 10⁶u, and the loss by as much: a million times what its own rounding costs.
    """
    worst, widest = 0.0, 0.0
    for seed in range(20):
        rng = torch.Generator().manual_seed(seed)
        a, b, c, d = (1 + torch.rand(4, generator=rng, dtype=torch.float64)).tolist()
        tiny = 1e-12
        net = drt.Network([array([a * tiny], [a * tiny]), array([tiny, -tiny])], "identity")
        steps = [array([1e6 * a], [1e6 * a + b]), array([1 / c, -1 / c])]
        x, y = array([d]), array([1 / 3])
        m, exact = measured(net, steps, x, y), exact_descent(net, steps, x, y)
        inner = sum(exact._inner, fmpq(0))
        fall = exact.loss() - exact.loss(True)
        excess = -fall - inner
        for name, true in (("fall", fall), ("excess", excess)):
            low, high = sorted(float(getattr(m.inflated(side), name)) for side in (-1, 1))
            assert fmpq(*low.as_integer_ratio()) <= true <= fmpq(*high.as_integer_ratio()), name
        off = abs(fmpq(*float(m.fall).as_integer_ratio()) - fall)
        worst, widest = (
            max(worst, int(off.p) / int(off.q)),
            max(widest, float(m.inflated(1).fall - m.inflated(-1).fall)),
        )
    assert worst > 1e-12, "errors of this size are there"
    assert widest < 1e-6
