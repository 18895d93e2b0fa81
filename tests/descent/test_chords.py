"""Chords: everything they may stand for stays inside after sums, products and φ; and no bound is wider than it must be."""

import pytest
import torch

import drt
from drt.descent.chords import Chord, activate
from drt.descent.losses import CrossEntropy, MeanSquaredError
from drt.network.activations import parse_activation

S = torch.linspace(0, 1, 101, dtype=torch.float64).reshape(-1, 1, 1)
PHIS = [
    "identity",
    "relu",
    "leaky_relu:0.1",
    "negated:leaky_relu:0.3",
    "piecewise_linear:-0.5,0.3/0.5,1,0.25",
    "tanh_blend:0.3",
]
PHIS += ["softplus_blend:0.2"]


def chord(seed, *shape, curved=0.3, unknown=0.1):
    rng = torch.Generator().manual_seed(seed)
    a, b, r, e = (torch.randn(shape, generator=rng, dtype=torch.float64) for _ in range(4))
    return Chord(a, b, curved * r.abs(), unknown * e.abs())


def members(x, seed, count=40):
    """Functions of s that the chord stands for: ρ and ε at their ends or within, another one at every s."""
    rng = torch.Generator().manual_seed(seed)
    for _ in range(count):
        rho, eps = (2 * torch.rand((101, *x.a.shape), generator=rng, dtype=torch.float64) - 1 for _ in range(2))
        rho, eps = (torch.where(torch.rand(v.shape, generator=rng) < 0.5, v.sign(), v) for v in (rho, eps))
        yield (1 - S) * x.a + S * x.b + S * (1 - S) * rho * x.r + eps * x.e


def excess(values, x):
    """How far values leave the chord, less what it allows."""
    line = (1 - S) * x.a + S * x.b
    return ((values - line).abs() - S * (1 - S) * x.r - x.e).max()


def operations():
    x, y = chord(0, 4, 3), chord(1, 3, 5)
    other = chord(2, 4, 3)
    constant = Chord.constant(chord(3, 4, 3).a)
    return {
        "matrix product": (x, y, x @ y, torch.matmul),
        "product": (x, other, x * other, torch.mul),
        "product with a constant": (x, constant, x * constant, torch.mul),
        "sum": (x, other, x + other, torch.add),
        "difference": (x, other, x + -other, torch.sub),
    }


@pytest.mark.parametrize("name", operations())
def test_results_stay_inside(name):
    x, y, z, operation = operations()[name]
    for p, q in zip(members(x, 5), members(y, 6), strict=True):
        assert excess(operation(p, q), z) <= 1e-15  # what the members themselves are rounded by


@pytest.mark.parametrize("name", ["matrix product", "product", "product with a constant"])
@pytest.mark.parametrize("part", ["r", "e"])
def test_planted_a_forgotten_part_is_caught(name, part):
    x, y, z, operation = operations()[name]
    smaller = z._replace(**{part: 0 * z.r})
    assert any(excess(operation(p, q), smaller) > 0 for p, q in zip(members(x, 5), members(y, 6), strict=True))


def test_a_product_is_exact_where_both_are_straight():
    """s(1 − s): the chord from 0 to 0, with curvature 1."""
    s, rest = (Chord(*(torch.tensor([v], dtype=torch.float64) for v in w)) for w in ((0, 1, 0, 0), (1, 0, 0, 0)))
    product = s * rest
    assert (product.a, product.b) == (0, 0)
    assert float(product.r) == pytest.approx(1, rel=1e-13)
    assert float(product.e) < 1e-13


@pytest.mark.parametrize("spec", PHIS)
@pytest.mark.parametrize("size", [0.05, 1.0, 5.0])
def test_activations_stay_inside(spec, size):
    """φ(z(s)) and φ'(z(s)), near kinks and away from them."""
    phi = parse_activation(spec)
    z = chord(7, 30, 10)
    z = Chord(*(size * v for v in z))
    h, slopes = activate(phi, z)
    for values in members(z, 8):
        assert excess(phi(values), h) <= 1e-15
        assert excess(phi.slope(values), slopes.all) <= 1e-15
        one = slopes.passed == 1
        sides = [(phi.slope(values) - s).abs().where(one, 0.0) for s in (slopes.below, slopes.above)]
        assert (torch.minimum(*sides) == 0).all()


def test_planted_variation_forgotten_is_caught(monkeypatch):
    phi = parse_activation("tanh_blend:0.3")
    monkeypatch.setattr(type(phi), "slope_variation", lambda self, z, radius: 0 * radius)
    monkeypatch.setattr(type(phi), "second_slope", lambda self, z, radius: (0 * z, 0 * radius))
    z = chord(7, 30, 10)
    h, slopes = activate(phi, z)
    assert max(excess(phi(v), h) for v in members(z, 8)) > 1e-3
    assert max(excess(phi.slope(v), slopes.all) for v in members(z, 8)) > 1e-3


@pytest.mark.parametrize(
    ("ends", "curvature", "above"),
    [((1, 4), 8.9, True), ((1, 4), 9.1, False), ((0.001, 1), 1, True), ((0, 1), 0.5, False), ((-1, 4), 0, False)],
)
def test_above_is_exact(ends, curvature, above):
    """(1−s)u + sv − s(1−s)r > 0 for all s: r < (√u + √v)² = 9 for u = 1, v = 4."""
    z = Chord(*(torch.tensor([float(v)], dtype=torch.float64) for v in (*ends, curvature, 0)))
    assert bool(z.above(0.0)) is above
    assert bool(Chord(z.a + 3, z.b + 3, z.r, z.e).above(3.0)) is above


def test_a_pre_activation_that_stays_on_a_kink_has_the_slope_on_its_left():
    _, slopes = activate(parse_activation("relu"), Chord.constant(torch.zeros(2, dtype=torch.float64)))
    assert slopes.passed.tolist() == [0, 0]
    assert slopes.all.a.tolist() == [0, 0]


@pytest.mark.parametrize("size", [0.03, 1.0, 10.0])
@pytest.mark.parametrize("name", ["mse", "cross-entropy"])
def test_gradients_of_losses_stay_inside(name, size):
    """∂𝓛/∂o along a line, and its change over t along a line that starts at o₀; neither is wider than thrice what is seen."""
    labels = torch.tensor([0, 2, 1, 1])
    loss = MeanSquaredError(chord(9, 4, 3).a) if name == "mse" else CrossEntropy(labels)
    o = Chord(*(size * v for v in chord(10, 4, 3, curved=0.05, unknown=0.01)))
    along = loss.gradient_along(o)
    worst = max(excess(loss.gradient(v), along) for v in members(o, 11, 100))
    assert worst <= 1e-15
    if size < 1:  # to second order: the bounds are as small as what they bound
        line = (1 - S) * along.a + S * along.b
        seen = max((loss.gradient(v) - line).abs().max() for v in members(o, 11, 100))
        assert along.off.max() < 3 * seen


def test_planted_curvature_of_softmax_forgotten_is_caught():
    loss = CrossEntropy(torch.tensor([0, 2, 1, 1]))
    o = chord(10, 4, 3, curved=0.0, unknown=0.0)
    along = loss.gradient_along(o)
    straight = (1 - S) * o.a + S * o.b
    assert excess(loss.gradient(straight), along) <= 1e-15
    assert excess(loss.gradient(straight), along._replace(r=0 * along.r)) > 1e-3


@pytest.mark.parametrize("name", ["mse", "cross-entropy"])
def test_rates_of_losses_stay_inside(name):
    """[∂𝓛/∂o(o₀ + tΔ) − ∂𝓛/∂o(o₀)]/t for t ∈ (0, 1], s = t."""
    loss = MeanSquaredError(chord(9, 4, 3).a) if name == "mse" else CrossEntropy(torch.tensor([0, 2, 1, 1]))
    start, step = chord(12, 4, 3).a, chord(13, 4, 3).a
    zero = torch.zeros_like(start)
    rate = loss.gradient_rate(Chord(start, start + step, zero, zero), Chord.constant(step))
    t = S[1:]
    values = loss.gradient_difference(start.expand(100, 4, 3), t * step) / t
    line = (1 - t) * rate.a + t * rate.b
    assert ((values - line).abs() <= t * (1 - t) * rate.r + rate.e + 1e-14).all()
    assert (rate.e <= 1.0).all()


@pytest.mark.parametrize("activation", ["tanh_blend:0.01", "softplus_blend:0.01"])
def test_the_secant_slope_lies_in_the_hull_of_slopes_but_not_at_its_end(activation):
    """[φ(z₁) − φ(z₀)]/(z₁ − z₀) is a mean of slopes: what rates multiply by, and what the slope at z₁ is not."""
    phi = drt.parse_activation(activation)
    low, high = (torch.linspace(a, b, 50, dtype=torch.float64) for a, b in ((-3, 0.5), (-2.5, 3)))
    zero = torch.zeros_like(low)
    slopes = activate(phi, Chord(low, high, zero, zero))[1].all
    for share in (0.1, 0.5, 1.0):
        step = share * (high - low)
        secant = phi.difference(low, step) / step
        assert ((secant - slopes.hull.a).abs() <= slopes.hull.e + 1e-15).all()
    there = slopes.b  # the chord's value at s = 1, where its curvature allows nothing
    assert ((secant - there).abs() > slopes.e + 1e-3).any()
