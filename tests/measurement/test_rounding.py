"""The derived rounding bounds against hundreds of digits: `change` is never further from the truth than `rounding` says.

The relative error of `change` is below 1e-12 times the condition factor `rounding/((n + 4)·L·u)`: the derived bound in
units of what L products of width n cost by themselves, for n, L ≤ 64 (where (n + 4)·L·u < 5e-13).
"""

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import drt
from drt.numeric.spectra import UNIT
from tests import high_precision as hp
from tests.instances import HOMOGENEOUS, OTHERS, PIECEWISE, array, generator, instance, normal

TINY = "piecewise_linear:-1e-08,1e-08/0.5,2.0,0.25"


def compare(net, dweights, x, dbiases=None, jacobians=True, bits=hp.BITS):
    """(computed change, rounding, relative error) of the function and of every Jacobian; errors beyond rounding fail."""
    f, js = drt.measure_all(drt.Instance(net, dweights, x, dbiases))
    rows = []
    with hp.precision(bits):
        try:
            true_f, true_js = hp.changes(net, dweights, x, dbiases, jacobians)
        except hp.Undecided:  # an exact zero, of which only a ball is known
            return []
        for m, true in zip([f, *js], [true_f, *true_js], strict=False):
            if not true.is_finite():  # f or J_l is zero: nothing is claimed
                continue
            change, rounding = float(m.change), float(m.rounding)
            if not math.isfinite(change):
                assert rounding == math.inf
                continue
            error = hp.relative_error(change, true)
            assert error <= rounding, (net, m.quantity, m.layer, change, rounding, error)
            condition = rounding / ((max(net.widths) + 4) * net.depth * UNIT)
            assert error <= 1e-12 * max(1.0, condition)
            rows.append((change, rounding, error))
    return rows


def random_case(seed):
    """Any width pattern, φ, scale, δ and set of unperturbed layers; rank one and opposite perturbations too."""
    r, rng = random.Random(seed), generator(seed)
    depth, widest = r.choice([1, 1, 2, 3, 4, 8]), r.choice([1, 2, 3, 4, 8])
    mixed = r.random() < 0.4
    widths = [r.randint(1, widest) for _ in range(depth + 1)]
    specs = [r.choice([*OTHERS, *HOMOGENEOUS, TINY] if mixed else [*HOMOGENEOUS, "relu"]) for _ in range(depth)]
    exponent = r.choice([-2, 0, 2]) if mixed else r.choice([-100, -8, 0, 8, 100])
    delta, zero = 10.0 ** r.uniform(-14, 3), r.choice(["none", "first", "all", "some"])
    ws, dws = [], []
    for k, (m, n) in enumerate(zip(widths[1:], widths, strict=False)):
        w = normal(rng, m, n)
        w = w / math.sqrt(n) * 10.0 ** (exponent if mixed or r.random() < 0.8 else -exponent)
        dw = torch.outer(normal(rng, m), normal(rng, n)) if r.random() < 0.3 else normal(rng, m, n)
        dw = -w if r.random() < 0.05 else dw / dw.norm() * w.norm() * delta * 10 ** r.choice([0, 0, -2])
        still = {"none": False, "first": k == 0, "all": True, "some": r.random() < 0.5}[zero]
        ws.append(w)
        dws.append(torch.zeros_like(dw) if still else dw)
    x = normal(rng, widths[0]) * 10.0 ** (exponent if mixed else r.choice([-100, 0, 100]))
    biases = (
        [normal(rng, n) * 10.0**exponent if r.random() < 0.5 else None for n in widths[1:]]
        if r.random() < 0.2
        else None
    )
    moves = [None if b is None else b * delta for b in biases] if biases and r.random() < 0.5 else None
    return drt.Network(ws, specs, biases), dws, x, moves


@pytest.mark.parametrize("block", range(8))
def test_the_error_is_below_the_bound_on_random_networks(block):
    for seed in range(20 * block, 20 * (block + 1)):
        compare(*random_case(seed))


@settings(max_examples=40)
@given(st.integers(300, 10**6))
def test_the_error_is_below_the_bound_wherever_hypothesis_looks(seed):
    compare(*random_case(seed))


@pytest.mark.parametrize("delta", [1e-14, 1e-6, 1.0, 1e3])
@pytest.mark.parametrize(("widths", "scale"), [([64] * 3, 1e-100), ([4] * 17, 1e100), ([8, 16, 32, 64, 2], 1.0)])
def test_wide_and_deep_networks(widths, scale, delta):
    rows = compare(*instance(1, widths, "leaky_relu:0.1", delta, scale=scale), jacobians=max(widths) < 64)
    assert all(error < 1e-12 for _, _, error in rows)


@pytest.mark.parametrize("delta", [1e-14, 1.0, 1e3])
def test_sixty_four_layers_of_width_sixty_four(delta):
    """No overflow at (1 + 10³)⁶⁴ ≈ 10¹⁹², and fifteen digits where a norm-wise bound can promise none."""
    rows = compare(*instance(2, [64] * 65, "identity", delta, orthogonal=True), jacobians=False, bits=2500)
    assert rows[0][2] < 1e-13


@pytest.mark.parametrize("spec", [*HOMOGENEOUS, *OTHERS])
def test_bounds_are_not_vacuous(spec):
    """A bound of ∞ would pass everything above."""
    rows = compare(*instance(3, (4, 4, 4), spec, 1e-3, orthogonal=True))
    assert all(rounding < 1e-9 for _, rounding, _ in rows)


@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e30, 1e100])
@pytest.mark.parametrize("depth", [1, 64])
def test_large_scales_cost_no_digits(scale, depth):
    """Logarithms of 10^±6400 have no digits to spare after the point: they must not be subtracted."""
    w = torch.full((1, 1), scale, dtype=torch.float64)
    dw = torch.full((1, 1), scale * 1e-3, dtype=torch.float64)
    rows = compare(drt.Network([w] * depth, "identity"), [dw] * depth, array(1.0), bits=2500)
    assert all(error < 1e-15 * (4 + depth) for _, _, error in rows)
    assert all(rounding < 1e-13 * depth for _, rounding, _ in rows)


@pytest.mark.parametrize("offset", [0.0, 1e-17, -1e-17, 1e-9, -1e-9])
def test_at_and_beside_a_kink(offset):
    """z cancels to a few units in the last place around a kink; the slope there is anybody's guess."""
    w, x = array([1.0, 1.0], [0.3, -0.1]), array(0.1 + offset, -0.1)
    for dw in (array([1e-12, 0.0], [0.0, 0.0]), array([0.0, 1e-17], [0.0, 0.0]), torch.zeros_like(w)):
        for spec in ("leaky_relu:0.1", PIECEWISE, TINY):
            compare(drt.Network([w, w], spec), [dw, dw], x)


def test_many_kinks():
    """Each piece adds its roundings: forty pieces have a larger constant than three."""
    kinks = [0.1 * k for k in range(-20, 20)]
    spec = drt.piecewise_linear(kinks, [1 + 0.3 * (k % 3) for k in range(41)]).spec
    for seed in range(20):
        net, _, x = instance(seed, (3, 3), spec, scale=2.0)
        compare(net, [2 * normal(generator(seed + 50), 3, 3)], x)


LOST = {
    "ΔW far below W": ([[1.0]], [[1e-170]], 1.0, "identity"),
    "ΔW denormal, W not": ([[1e10]], [[5e-324]], 1.0, "identity"),
    "ΔW overflows beside W": ([[1e-200]], [[1e200]], 1.0, "identity"),
    "z denormal at true scale": ([[1e-160]], [[1e-170]], 1e-160, "tanh_blend:0.5"),
    "Δz underflows at true scale": ([[1.0]], [[1e-60]], 1e-300, "tanh_blend:0.5"),
    "z overflows at true scale": ([[1e200]], [[1e190]], 1e200, "softplus_blend:0.5"),
}


@pytest.mark.parametrize(("w", "dw", "x", "spec"), LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("claim", ["theorem1.function", "norm-product.function", "telescoping.function"])
def test_overflow_and_underflow_decide_nothing(w, dw, x, spec, claim):
    """Neither a guess nor a traceback: no number out of range is used in a verdict."""
    net, dws = drt.Network([array(*w)], spec), [array(*dw)]
    m = drt.measure(net, dws, array(x))
    assert m.rounding == math.inf
    verdict = drt.check(claim, m)
    assert verdict.outcome in ("undecided", "inapplicable")
    assert verdict.reason
    j = drt.measure_jacobian(net, dws, array(x))
    assert j.rounding == math.inf


def test_a_bias_move_that_underflows_is_noticed():
    net = drt.Network([array([1e200])], "identity", [array(1e200)])
    m = drt.measure(net, [array([0.0])], array(1.0), dbiases=[array(1e-200)])
    assert m.rounding == math.inf


def test_zero_is_exact():
    """No perturbation: the change is 0, and so is its error, kink or no kink."""
    for spec in ("leaky_relu:0.1", "tanh_blend:0.5", PIECEWISE):
        net, dws, x = instance(0, (3, 4, 2), spec)
        f, js = drt.measure_all(drt.Instance(net, [0 * d for d in dws], x))
        assert f.change == f.rounding == 0
        assert all(j.change == 0 for j in js)
        assert all(j.rounding == 0 for j in js)


def almost_orthogonal(rng, n, residue):
    """(w, x) with w·x ≈ residue·‖w‖²: the product cancels to its last digits."""
    w, x = normal(rng, n), normal(rng, n)
    return w, x - (w @ x) / (w @ w) * w + residue * w


@pytest.mark.parametrize("residue", [1e-17, 1e-15, 1e-12])
@pytest.mark.parametrize("spec", ["identity", "leaky_relu:0.01", TINY, "tanh_blend:0.1"])
def test_products_that_cancel(residue, spec):
    """f, ΔW x, ΔW₂ h₁ or a pre-activation cancels: each has its own term in the bound, and needs it."""
    rng = generator(5)
    for _ in range(6):
        w, x = almost_orthogonal(rng, 8, residue)
        small = torch.zeros(2, 8, dtype=torch.float64)
        small[0, 3] = residue
        compare(drt.Network([w[None]], spec), [small[:1]], x)  # f
        compare(drt.Network([normal(rng, 2, 8)], spec), [w.expand(2, 8) * 1e-3], x)  # ΔW x
        compare(drt.Network([torch.stack([w, w.abs()])], spec), [small], x)  # z_1, at or near a kink
        first, tiny = torch.stack([w, w.abs()]), torch.stack([w, w.abs() / 100])
        still = torch.zeros_like(first)
        compare(drt.Network([tiny, array([0.0, 1.0])], spec), [still, array([1.0, 0.0])], x)  # ΔW_2 h_1
        # Slopes at z_1, at z̃_1, and at z_1 where the layers above have changed far more than they were.
        compare(drt.Network([w[None]], spec), [1e3 * w.abs()[None]], x)
        side = w.abs() / (w.abs() @ x)
        away = normal(rng, 8)
        away = 1e3 * (away - (away @ x) / (x @ x) * x)
        compare(drt.Network([side[None]], spec), [(away - x / (x @ x))[None]], x)  # z = 1, Δz ≈ −1
        compare(drt.Network([first, array([0.0, 1.0])], spec), [still, array([1e3, 0.0])], x)
