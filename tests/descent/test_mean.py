"""The mean change over the segment: between its two ends, against sums over midpoints and closed forms."""

import pytest
import torch
from flint import arb, ctx, fmpq

import drt
from drt.descent.losses import Custom, MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.exact.surds import ball
from drt.theory.registry import claims
from drt.theory.verdict import Verdicts
from tests.descent_cases import ACTIVATIONS, case, exact_descent
from tests.instances import array

MEAN = claims["lemma1.mean"]


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_mean_lies_between_its_ends_and_below_the_maximum(activation, loss, monkeypatch):
    """Against a sum over 4,000 midpoints; brought as close as they come, though the lemma holds with wider ends."""
    monkeypatch.setattr("drt.descent.rounded.RoundedSegment.suffices", lambda self, least: False)
    m = measure_descent(*case(2, activation, loss, size=0.3))
    low, high = m.changes.mean_ends
    t = ((torch.arange(4_000, dtype=torch.float64) + 0.5) / 4_000).unsqueeze(-1).expand(-1, 3)
    mean = torch.stack([m.segment.along(part).change.mean(0) for part in t.split(1000)]).mean(0)
    alive = m.norm_g > 0
    assert ((low <= mean * (1 + 2.5e-4)) & (mean * (1 - 2.5e-4) <= high))[alive].all()
    sharp = loss == "mse" and "blend" not in activation  # polynomials between kinks
    assert (high <= (1.01 if sharp else 1.1) * low)[alive].all()
    assert (low <= m.changes.largest)[alive].all()
    monkeypatch.undo()
    verdicts = Verdicts(MEAN, measure_descent(*case(2, activation, loss, size=0.3)))
    assert verdicts.count("violated") == 0
    if activation != "relu":
        assert verdicts.count("holds") == 3


def test_the_exact_mean_of_a_jump():
    """w₂φ(w₁x), w₁: 1 → −1, slope ½ below 0: g_1 is 11 − 2t, then ½(10 + ½(1 − 2t)).

    ∫‖g_1(t) − g_1‖ = ∫₀^½ 2t + ∫_½^1 (5.75 + ½t) = ¼ + 3 1/16.
    """
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    parts = net, [array([-2.0]), array([0.0])], array([1.0]), array([-10.0])
    with ctx.workprec(128):
        (mean, still) = (ball(b.entries.item()) for b in exact_descent(*parts).mean_breakdown)
        assert abs(mean - arb(fmpq(53, 16)) / 11) < 1e-19
        assert still == 0
    m = measure_descent(*parts[:3], MeanSquaredError(parts[3]))
    assert float(m.changes.mean_ends[0][0]) <= 53 / 176 <= float(m.changes.mean_ends[1][0])


def test_a_mean_without_an_enclosure_is_undecided():
    net, dws, x, _ = case(0)
    m = measure_descent(net, dws, x, Custom(lambda o: o.square().sum()))
    assert (m.changes.mean_ends[0] == 0).all()
    assert (m.changes.mean_ends[1] == torch.inf).all()
    assert Verdicts(MEAN, m).count("undecided") == 3
