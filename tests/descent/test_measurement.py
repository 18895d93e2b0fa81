"""Descent data against automatic differentiation, against exact fractions, and without cancellation; the maximum's two sides."""

import mpmath
import pytest
import torch
from flint import ctx, fmpq

import drt
from drt.descent import changes
from drt.descent.enclosure import largest_changes
from drt.descent.losses import CrossEntropy, Custom, MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.errors import InputError
from drt.exact.descent import ExactDescent
from drt.exact.network import ExactNetwork
from drt.exact.surds import ball
from drt.witness.witness import Witness
from tests.instances import array

LABELS = torch.tensor([0, 2, 1, 0, 2, 2])
ACTIVATIONS = ["identity", "relu", "leaky_relu:0.1", "negated:leaky_relu:0.3", "tanh_blend:0.3", "softplus_blend:0.2"]


def gaussian(seed, *shapes):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=rng, dtype=torch.float64) for shape in shapes]


def case(seed=0, activation="leaky_relu:0.1", loss="mse", size=0.1, batch=(3,), biases=False):
    """A network 4-5-5-3, its step, six inputs."""
    shapes = [(*batch, 5, 4), (*batch, 5, 5), (*batch, 3, 5)]
    *tensors, x, y, b = gaussian(seed, *shapes, *shapes, (6, 4), (6, 3), (5,))
    net = drt.Network(tensors[:3], activation, [b, None, b[:3]] if biases else None)
    losses = {
        "mse": MeanSquaredError(y),
        "cross-entropy": CrossEntropy(LABELS),
        "custom": lambda o: torch.nn.functional.cross_entropy(o, LABELS),
    }
    return net, [size * dw for dw in tensors[3:]], x, losses[loss]


def by_autograd(net, dweights, x, loss, t):
    weights = [(w + t * dw).requires_grad_() for w, dw in zip(net.weights, dweights, strict=True)]
    h = x
    for w, b, phi in zip(weights, net.biases, net.activations, strict=True):
        h = phi(h @ w.mT + (0 if b is None else b))
    value = (loss if hasattr(loss, "difference") else Custom(loss))(h)
    return value.detach(), torch.autograd.grad(value.sum(), weights)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("loss", ["mse", "cross-entropy", "custom"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_and_their_changes_are_those_of_autograd(activation, loss, biases):
    parts = case(1, activation, loss, biases=biases)
    m = measure_descent(*parts)
    value, gradients = by_autograd(*parts, 0.0)
    for t in (0.3, 1.0):
        found = m.segment.along(torch.full((1, 3), t, dtype=torch.float64))
        moved, there = by_autograd(*parts, t)
        torch.testing.assert_close(found.loss_change[0], moved - value, rtol=1e-10, atol=1e-13)
        for g, g0, dg, g1 in zip(m.segment.gradients, gradients, found.gradient_changes, there, strict=True):
            torch.testing.assert_close(g, g0, rtol=1e-10, atol=1e-13)
            torch.testing.assert_close(dg[0], g1 - g0, rtol=1e-10, atol=1e-13)
    sizes = [g.norm(dim=(-1, -2)) * d.norm(dim=(-1, -2)) for g, d in zip(gradients, parts[1], strict=True)]
    inner = [-(g * d).sum((-1, -2)) / size for g, d, size in zip(gradients, parts[1], sizes, strict=True)]
    torch.testing.assert_close(m.cosines, torch.stack(inner, -1), equal_nan=True)  # dead ReLUs have no gradient
    torch.testing.assert_close(m.slope, sum((g * d).sum((-1, -2)) for g, d in zip(gradients, parts[1], strict=True)))


def test_small_steps_lose_no_digits():
    """f = w₂w₁x, 𝓛 = ½(f − y)², w = (2, 3), x = 1, y = 5: all changes are polynomials in δ; relative error 1e-14 at 1e-9."""
    d = 1e-9
    net = drt.Network([array([2.0]), array([3.0])], "identity")
    m = measure_descent(net, [array([d]), array([d])], array([1.0]), MeanSquaredError(array([5.0])))
    with mpmath.workdps(40):
        d = mpmath.mpf(d)
        r, r1 = 6 - 5, (2 + d) * (3 + d) - 5
        assert float(-m.fall) == pytest.approx(float((r1**2 - r**2) / 2), rel=1e-14)
        assert m.step_change.tolist() == pytest.approx(
            [float((r1 * (3 + d) - 3) / 3), float((r1 * (2 + d) - 2) / 2)], rel=1e-14
        )


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-2, 10.0, 300.0])
def test_losses_know_their_differences(size):
    o, do, y = gaussian(5, (4, 6, 3), (4, 6, 3), (6, 3))
    do = do * size
    for loss in (MeanSquaredError(y), CrossEntropy(LABELS), Custom(CrossEntropy(LABELS))):
        if loss.name == "custom" and size > 1:
            continue
        values, slopes = loss.difference(o, do), loss.gradient_difference(o, do)
        with mpmath.workdps(50):
            for k in range(4):
                exact = _mp_loss(loss, o[k] + 0, do[k], y)
                assert float(values[k]) == pytest.approx(float(exact), rel=1e-9, abs=1e-300)
        numeric = torch.autograd.functional.jacobian(lambda z, f=loss: f(z).sum(), o)
        torch.testing.assert_close(loss.gradient(o), numeric)
        torch.testing.assert_close(slopes, loss.gradient(o + do) - loss.gradient(o), rtol=1e-9, atol=1e-15)


def _mp_loss(loss, o, do, y):
    total = mpmath.mpf(0)
    for i in range(6):
        p, q = [mpmath.mpf(v) for v in o[i].tolist()], [mpmath.mpf(v) for v in do[i].tolist()]
        if loss.name == "mse":
            t = [mpmath.mpf(v) for v in y[i].tolist()]
            total += sum((a + b - c) ** 2 - (a - c) ** 2 for a, b, c in zip(p, q, t, strict=True)) / 2
        else:
            k = int(LABELS[i])
            new = mpmath.log(sum(mpmath.e ** (a + b) for a, b in zip(p, q, strict=True))) - p[k] - q[k]
            total += new - mpmath.log(sum(mpmath.e**a for a in p)) + p[k]
    return total / 6


def exact_step(net, dweights, x, y):
    """The same in fractions: net at one input (1, n_0) with target (1, n_L)."""
    witness = Witness.from_floats("lemma1", net, dweights, x[0], target=y[0])
    return ExactDescent(ExactNetwork(witness), 0, 128, True)


def test_exact_fractions_agree():
    """A leaky network of two layers: loss, gradients, cosines and changes, in fractions and in floats."""
    net = drt.Network([array([1.0, -2.0], [0.5, 3.0]), array([1.5, -1.0])], ["leaky_relu:0.25", "identity"])
    dweights = [array([0.1, 0.0], [1 / 7, -1 / 9]), array([0.2, 1 / 3])]
    x, y = array([-3.0, 1.0]), array([2.0])
    m, exact = measure_descent(net, dweights, x, MeanSquaredError(y)), exact_step(net, dweights, x, y)
    assert float(m.fall) == pytest.approx(_float(exact.loss() - exact.loss(True)), rel=1e-13)
    for mine, true in zip(m.segment.gradients, exact.gradients(), strict=True):
        assert mine.flatten().tolist() == pytest.approx([_float(v) for v in true.entries()], rel=1e-13)
    for mine, true in ((m.step_change, exact.step_change), (m.cosines, exact.cosines), (m.norm_g, exact.norm_g)):
        assert mine.tolist() == pytest.approx(_middles(true), rel=1e-12)
    assert float(m.excess) == pytest.approx(_middles([exact.excess])[0], rel=1e-12)
    for lower, upper, middle in zip(m.changes.largest, m.changes.largest_upper, _middles(exact.breakdown), strict=True):
        assert float(lower) * (1 - 1e-12) <= middle <= float(upper) <= float(lower) * (1 + 1e-8)


def test_the_exact_supremum_contains_a_fine_grid():
    """Where the gradient jumps inside the segment and grows until its end."""
    for seed in range(10):
        *tensors, x, y = gaussian(seed, (3, 2), (1, 3), (3, 2), (1, 3), (1, 2), (1, 1))
        net = drt.Network(tensors[:2], ["leaky_relu:0.25", "identity"])
        m = measure_descent(net, tensors[2:], x, MeanSquaredError(y))
        grid = m.segment.along(torch.linspace(0, 1, 501, dtype=torch.float64)[1:]).change.amax(0)
        with ctx.workprec(128):
            for k, bound in enumerate(exact_step(net, tensors[2:], x, y).breakdown):
                value = bound.entries.item()
                assert float(value.upper()) >= float(grid[k]) * (1 - 1e-12)
                assert float(value.lower()) <= float(m.changes.largest_upper[k]) * (1 + 1e-12)
                assert float(value.lower()) >= float(grid[k]) * 0.95


def _float(q):
    return int(q.p) / int(q.q)


def _middles(balls):
    return [float(ball(v.entries.item()).mid()) for v in balls]


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_maximum_lies_between_its_sides(activation, loss):
    """A grid of 2,001 points is never above the upper bound; the evaluated maximum never below the grid's by more than 1 %."""
    m = measure_descent(*case(2, activation, loss, size=0.03))
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[1:, None].expand(-1, 3)
    grid = m.segment.along(t).change.amax(0)
    alive = m.norm_g > 0
    assert (grid <= m.changes.largest_upper)[alive].all()
    assert (m.changes.largest <= m.changes.largest_upper)[alive].all()
    assert (m.changes.largest >= 0.99 * grid)[alive].all()
    assert torch.isfinite(m.changes.largest_upper[alive]).all()
    if activation != "relu":  # where a layer of ReLUs wakes, the next layer's pre-activations leave 0 together
        assert (m.changes.largest_upper <= (1 + 1e-5) * m.changes.largest).all()


def _rational(matrix):
    return [[fmpq(*v.as_integer_ratio()) for v in row] for row in matrix.tolist()]


def _errors_and_bounds(depth, seed, near_kink=False):
    """‖ĝ_l − g_l‖² in fractions, the bound, and ‖ĝ_l‖, at both ends; near a kink: z_2 in one unit, for all inputs."""
    shapes = [(6, 6)] * (depth - 1) + [(3, 6)]
    *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
    weights, steps = parts[:depth], [0.01 * dw for dw in parts[depth:]]
    phis = ["leaky_relu:0.25"] * (depth - 1) + ["identity"]
    if near_kink:
        weights[0][1] = weights[0][0] * (1 + 2**-52)
        weights[1][0] = array([1.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    net = drt.Network(weights, phis)
    m, exact = measure_descent(net, steps, x, MeanSquaredError(y)), exact_step(net, steps, x, y)
    moved = [g + dg[0] for g, dg in zip(m.segment.gradients, m.segment.end.gradient_changes, strict=True)]
    for side, floats in enumerate((m.segment.gradients, moved)):
        for layer, (mine, true) in enumerate(zip(floats, exact.gradients(bool(side)), strict=True)):
            entries = zip(_rational(mine), true.tolist(), strict=True)
            square = sum((a - b) ** 2 for row, other in entries for a, b in zip(row, other, strict=True))
            yield square, float(m.changes.rounded.errors[side].gradients[layer]), float(m.norm_g[layer])


def _contained(square, bound):
    return square <= fmpq(*bound.as_integer_ratio()) ** 2


@pytest.mark.parametrize("depth", [2, 8, 16])
def test_rounding_errors_stay_below_their_bound(depth):
    """In floats and in fractions of the same numbers; the bound leaves digits at 16 layers, too."""
    for seed in range(5):
        for square, bound, size in _errors_and_bounds(depth, seed):
            assert _contained(square, bound)
            assert bound < 1e-3 * size


def test_rounding_errors_near_a_kink_stay_below_their_bound():
    for seed in range(20):
        assert all(_contained(square, bound) for square, bound, _ in _errors_and_bounds(3, seed, near_kink=True))


def test_planted_a_kink_forgotten_is_caught(monkeypatch):
    """z_2 is zero but for rounding: floats and fractions may see different slopes, which a bound without kinks misses."""
    from drt.network.activations import PiecewiseLinear

    monkeypatch.setattr(PiecewiseLinear, "slope_variation", lambda self, z, radius: torch.zeros_like(z))
    found = [_contained(s, b) for seed in range(20) for s, b, _ in _errors_and_bounds(3, seed, near_kink=True)]
    assert not all(found)


def test_a_kink_inside_the_segment_is_seen_by_the_upper_bound():
    """w₂φ(w₁x), w₁: 1 → −1 with slope ½ below 0: g_1 jumps at t = ½, and its supremum is there or at t = 1."""
    net = drt.Network([array([1.0]), array([1.0])], ["leaky_relu:0.5", "identity"])
    m = measure_descent(net, [array([-2.0]), array([0.0])], array([1.0]), MeanSquaredError(array([-10.0])))
    # g_1(t) = s(1 − 2t)·(s·(1 − 2t) + 10)-like: 11 − 2t before the kink, then ½(10 + ½(1 − 2t)).
    assert m.norm_g[0] == pytest.approx(11)
    assert m.step_change[0] == pytest.approx((11 - 0.5 * 9.5) / 11)
    assert m.changes.breakpoints.tolist() == pytest.approx([0.5], abs=1e-15)
    assert m.changes.largest_upper[0] == pytest.approx((11 - 0.5 * 9.5) / 11, rel=1e-8)
    assert m.changes.largest_upper[0] >= (11 - 0.5 * 9.5) / 11


def test_planted_narrow_intervals_are_caught(monkeypatch):
    """Were radii forgotten, the upper bound would fall below what is attained."""
    from drt.descent import enclosure

    m = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    real = enclosure.states
    monkeypatch.setattr(enclosure, "states", lambda s, left, right: real(s, (left + right) / 2, (left + right) / 2))
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[1:, None].expand(-1, 3)
    low = torch.zeros((1, 3), dtype=torch.float64)
    assert (largest_changes(m.changes.enclosure, low, low + 1)[0] < m.segment.along(t).change.amax(0)).any()


@pytest.mark.parametrize("activation", ["identity", "tanh_blend:0.3"])
def test_lemma_1_as_an_identity(activation):
    """𝓛(1) − 𝓛(0) = ∫₀¹ Σ⟨g_l(t), ΔW_l⟩ dt by quadrature; 20 nodes against 10 say how well."""
    import numpy as np

    parts = case(3, activation, "cross-entropy", size=0.05)
    m = measure_descent(*parts)
    integrals = []
    for count in (10, 20):
        nodes, weights = np.polynomial.legendre.leggauss(count)
        t = torch.from_numpy((nodes + 1) / 2)[:, None].expand(-1, 3)
        changes = m.segment.along(t).gradient_changes
        slope = sum((c * dw).sum((-1, -2)) for c, dw in zip(changes, parts[1], strict=True))
        integrals.append((torch.from_numpy(weights / 2)[:, None] * slope).sum(0))
    error = (integrals[1] - integrals[0]).abs() + 1e-15
    assert ((m.excess - integrals[1]).abs() <= 10 * error).all()
    assert (error < 1e-8 * integrals[1].abs()).all()


def test_a_zero_step_in_one_layer():
    net, dws, x, loss = case(4)
    dws[1] = torch.zeros_like(dws[1])
    m = measure_descent(net, dws, x, loss)
    assert (m.cosines[:, 1] == 1).all()
    assert (m.norm_step[:, 1] == 0).all()
    assert (m.step_change[:, 1] > 0).all()  # its gradient changes all the same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": array([1.0, 2.0])}, "its last dimension must be n_0 = 4"),
        ({"loss": CrossEntropy(LABELS[:3])}, "labels has 3 entries; expected 6"),
        ({"loss": CrossEntropy(LABELS + 1)}, r"labels\[1\] = 3 is out of range; expected 0 to 2 for 3 outputs"),
        ({"loss": CrossEntropy(LABELS - 1)}, r"labels\[0\] = -1 is out of range"),
        ({"loss": MeanSquaredError(array([1.0, 2.0]))}, r"targets have shape \(1, 2\)"),
        ({"loss": 3}, "loss must be a drt loss or a function of the outputs, got 3"),
        ({"loss": lambda o: o}, r"loss must return a scalar tensor, got shape \(6, 3\)"),
        ({"loss": lambda o: 1.0}, "loss must return a scalar tensor, got 1.0"),
        ({"loss": lambda o: (o.sum() * 0 - 1).log()}, "the loss must be finite, got nan"),
        ({"dweights": []}, "dweights must have one entry for each of 3"),
    ],
)
def test_bad_input_is_named(change, words):
    parts = dict(zip(("net", "dweights", "x", "loss"), case(0), strict=True)) | change
    with pytest.raises(InputError, match=words):
        measure_descent(**parts)


@pytest.mark.parametrize(
    "labels", [torch.tensor([0.5]), torch.tensor([[1]]), torch.tensor([True]), torch.zeros(0, dtype=torch.long)]
)
def test_labels_are_integers(labels):
    with pytest.raises(InputError, match="labels must be a non-empty list of integers"):
        CrossEntropy(labels)


def test_cosines_and_changes_stay_within_their_error_bounds():
    """In floats and in fractions of the same numbers, 8 layers: cos θ_l, and the change that is known to be reached."""
    for seed in range(5):
        shapes = [(6, 6)] * 7 + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net = drt.Network(parts[:8], ["leaky_relu:0.25"] * 7 + ["identity"])
        m, exact = (f(net, parts[8:], x, y) for f in (_float_step, exact_step))
        assert exact.norm_g.shape == m.norm_g.shape
        ends = (m.inflated(side).cosines for side in (-1, 1))
        for low, mine, high, true in zip(next(ends), m.cosines, next(ends), _middles(exact.cosines), strict=True):
            assert float(low) <= true <= float(high)
            assert float(low) < float(mine) < float(high)
        for lower, evaluated, end in zip(
            m.changes.largest_lower, m.changes.largest, _middles(exact.step_change), strict=True
        ):
            assert 0.999 * end < float(lower) < float(evaluated)


@pytest.mark.parametrize("gap", [1.0, 1e-9])
def test_gamma_stays_within_its_error_bounds(gap):
    """‖∂𝓛̃/∂f − ∂𝓛/∂f‖/‖∂𝓛/∂f‖ in floats and in fractions; near the target, where ∂𝓛/∂f keeps few digits, too."""
    for seed in range(5):
        shapes = [(6, 6)] * 3 + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net, steps = drt.Network(parts[:4], ["leaky_relu:0.25"] * 3 + ["identity"]), [1e-3 * dw for dw in parts[4:]]
        y = _float_step(net, steps, x, y).segment.outputs[0] + gap * y
        m, exact = _float_step(net, steps, x, y), exact_step(net, steps, x, y)
        (true,) = _middles([exact.gamma])
        low, high = (float(m.inflated(side).gamma) for side in (-1, 1))
        assert low <= true <= high
        assert low <= float(m.gamma) <= high
        assert high - low < 1e-2 * true
        assert high - low > (1e-16 if gap == 1 else 1e-9) * true


def test_gamma_of_many_inputs_is_that_of_the_end_to_end_gradient():
    """M = Σ_i ∂𝓛/∂f_i·x_iᵀ, by differentiating 𝓛(f(x) + Ax) with respect to A at 0."""
    net, dweights, x, loss = case(5, "identity", "cross-entropy", size=0.3)

    def end_to_end(weights):
        a = torch.zeros(3, 3, 4, dtype=torch.float64, requires_grad=True)
        h = x
        for w in weights:
            h = h @ w.mT
        return torch.autograd.grad(loss(h + x @ a.mT).sum(), a)[0]

    before = end_to_end(net.weights)
    after = end_to_end([w + dw for w, dw in zip(net.weights, dweights, strict=True)])
    expected = (after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)
    torch.testing.assert_close(measure_descent(net, dweights, x, loss).gamma, expected, rtol=1e-10, atol=0)


def test_gamma_is_unknown_where_the_loss_has_no_error_bound():
    m = measure_descent(*case(0, loss="custom"))
    assert (m.inflated(1).gamma == torch.inf).all()
    assert (m.inflated(-1).gamma == 0).all()


def _float_step(net, dweights, x, y):
    return measure_descent(net, dweights, x, MeanSquaredError(y))


def test_a_change_is_not_known_better_than_its_gradients(monkeypatch):
    """With errors as large as the gradients nothing is known of the change, and Lemma 1 is not decided by it."""
    m = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    assert (m.changes.largest_lower > 0.999 * m.changes.largest).any(-1).all()  # at the t that costs the most
    coarse = measure_descent(*case(2, "leaky_relu:0.1", size=0.3))
    errors = [e._replace(gradients=coarse.norm_g * 10) for e in coarse.changes.rounded.errors]
    monkeypatch.setitem(coarse.changes.rounded.__dict__, "errors", tuple(errors))
    monkeypatch.setattr(changes, "errors_at", lambda s, t: errors[1])
    assert (coarse.changes.largest_lower == 0).all()
    assert (coarse.inflated(-1).cosines == -1).all()
    assert (coarse.inflated(1).cosines == 1).all()


@pytest.mark.parametrize("depth", [2, 8, 16])
def test_outputs_and_excess_stay_within_their_error_bounds(depth):
    """f at both ends, and 𝓛(1) − 𝓛(0) − Σ⟨g_l, ΔW_l⟩, in floats and in fractions of the same numbers."""
    for seed in range(5):
        shapes = [(6, 6)] * (depth - 1) + [(3, 6)]
        *parts, x, y = gaussian(seed, *shapes, *shapes, (1, 6), (1, 3))
        net = drt.Network(parts[:depth], ["leaky_relu:0.25"] * (depth - 1) + ["identity"])
        steps = [0.01 * dw for dw in parts[depth:]]
        m, exact = _float_step(net, steps, x, y), exact_step(net, steps, x, y)
        o, do = m.segment.outputs
        for side, mine in enumerate((o, o + do)):
            pairs = zip(_rational(mine)[0], exact.net.states(bool(side))[0][-1].entries(), strict=True)
            assert _contained(sum((a - b) ** 2 for a, b in pairs), float(m.changes.rounded.errors[side].outputs[0]))
        pairs = zip(exact.gradients(), exact.net.dw, strict=True)
        inner = sum((a * b for g, dw in pairs for a, b in zip(g.entries(), dw.entries(), strict=True)), fmpq(0))
        excess = exact.loss(True) - exact.loss() - inner
        low, high = (fmpq(*float(m.inflated(side).excess).as_integer_ratio()) for side in (-1, 1))
        assert low <= excess <= high
