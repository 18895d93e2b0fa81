"""Every field of a measurement against a transcription of its definition in numpy; batches, zeros, biases, scales."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from flint import arb

import drt
from tests import high_precision as hp
from tests.instances import TRANSMITTING, array, generator, instance, measured, normal

WIDTHS = (3, 4, 2, 5)


def kappa(a):
    s = np.linalg.svd(a, compute_uv=False)
    return s.max() / s.min() if s.any() else 1.0


@pytest.mark.parametrize("layer", [None, 0, 1, 2])
def test_fields_are_what_they_say(layer):
    """Straight from the definitions, layers l+1 … L for a Jacobian."""
    net, dws, x = instance(0, WIDTHS, ["leaky_relu:0.5", "tanh_blend:0.25", "identity"], 0.3)
    m = drt.measure(net, dws, x) if layer is None else drt.measure_jacobian(net, dws, x, layer=layer)
    first = layer or 0
    w, dw = [a.numpy() for a in net.weights][first:], [a.numpy() for a in dws][first:]
    wt = [a + b for a, b in zip(w, dw, strict=True)]
    pairs = list(zip(w, dw, strict=True))
    expected = {
        "delta": [np.linalg.norm(b) / np.linalg.norm(a) for a, b in pairs],
        "rho": [np.linalg.norm(b, 2) / np.linalg.norm(a, 2) for a, b in pairs],
        "kappa_w": list(map(kappa, w)),
        "kappa_dw": list(map(kappa, dw)),
        "kappa_wt": list(map(kappa, wt)),
        "kappa": max(map(kappa, [*w, *dw, *wt])),
        "norm_w": [np.linalg.norm(a, 2) for a in w],
        "norm_dw": [np.linalg.norm(a, 2) for a in dw],
        "norm_wt": [np.linalg.norm(a, 2) for a in wt],
        "alphas": [0.5, 0.25, 1.0][first:],
        "betas": [1.0] * (3 - first),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(m, name), value, rtol=1e-12, err_msg=name)
    assert (m.depth, m.widths, m.layer) == (3 - first, WIDTHS[first:], first)
    assert (m.alpha, m.beta) == (min(expected["alphas"]), 1.0)
    moved = drt.Network([a + b for a, b in zip(net.weights, dws, strict=True)], net.activations)
    before, after = (net(x), moved(x)) if layer is None else (net.jacobians(x)[layer], moved.jacobians(x)[layer])
    assert float(m.change) == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-12)


def test_norms_of_the_function():
    net, dws, x = instance(1, WIDTHS, "leaky_relu:0.5", 0.2)
    m = drt.measure(net, dws, x)
    states = net.hidden_states(x)
    moved = drt.Network([a + b for a, b in zip(net.weights, dws, strict=True)], net.activations)
    assert float(m.norm_x) == pytest.approx(float(x.norm()))
    assert float(m.norm_f) == pytest.approx(float(states[-1].norm()))
    assert float(m.norm_df) == pytest.approx(float((moved(x) - net(x)).norm()))
    expected = [float((d @ h).norm()) for d, h in zip(dws, states, strict=False)]
    assert m.norm_dwh.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("spec", TRANSMITTING)
def test_differences_survive_where_subtraction_has_no_digit_left(spec):
    """δ = 1e-14: to first order the change is linear in δ, so twice the δ is twice the change."""
    net, dws, x = instance(2, (4, 4, 4), spec, 1e-14)
    once, twice = drt.measure(net, dws, x), drt.measure(net, [2 * d for d in dws], x)
    assert float(twice.change / once.change) == pytest.approx(2, rel=1e-9)


@pytest.mark.parametrize(
    ("batch_w", "batch_dw", "batch_x"), [((), (), (6,)), ((6,), (), ()), ((), (6,), ()), ((3, 1), (), (2,))]
)
def test_batches_agree_with_a_loop(batch_w, batch_dw, batch_x):
    net, _, _ = instance(3, WIDTHS, batch=batch_w)
    rng = generator(4)
    dws = [0.1 * normal(rng, *batch_dw, m, n) for m, n in zip(WIDTHS[1:], WIDTHS, strict=False)]
    x = normal(rng, *batch_x, WIDTHS[0])
    shape = torch.broadcast_shapes(batch_w, batch_dw, batch_x)
    f, js = drt.measure_all(drt.Instance(net, dws, x))
    for m in (f, *js):
        assert m.change.shape == m.kappa.shape == m.rounding.shape == shape
        assert m.delta.shape == m.rho.shape == m.kappa_w.shape == m.kappa_dw.shape == (*shape, m.depth)
    for index in np.ndindex(*shape):
        ws = [w.expand(*shape, *w.shape[-2:])[index] for w in net.weights]
        ds = [d.expand(*shape, *d.shape[-2:])[index] for d in dws]
        one = drt.Instance(drt.Network(ws, "leaky_relu:0.5"), ds, x.expand(*shape, WIDTHS[0])[index])
        g, ks = drt.measure_all(one)
        for m, single in zip((f, *js), (g, *ks), strict=True):
            for name in ("change", "delta", "rho", "kappa", "kappa_w", "kappa_dw"):
                torch.testing.assert_close(getattr(m, name)[index], getattr(single, name), rtol=1e-10, atol=0)


def test_measuring_all_is_measuring_each():
    net, dws, x = instance(5, WIDTHS)
    f, js = drt.measure_all(drt.Instance(net, dws, x))
    assert torch.equal(f.change, drt.measure(net, dws, x).change)
    for layer, j in enumerate(js):
        assert torch.equal(j.change, drt.measure_jacobian(net, dws, x, layer=layer).change)


@pytest.mark.parametrize("exponent", [-300, -100, 0, 100, 300])
def test_scale_changes_nothing(exponent):
    """Powers of two taken out of W, ΔW and x leave every bit of the change."""
    net, dws, x = instance(6, WIDTHS, "leaky_relu:0.5")
    s = 2.0**exponent
    scaled = drt.Network([w * s for w in net.weights], net.activations)
    for a, b in zip(
        drt.measure_all(drt.Instance(net, dws, x))[1],
        drt.measure_all(drt.Instance(scaled, [d * s for d in dws], x / s))[1],
        strict=True,
    ):
        assert torch.equal(a.change, b.change)
        assert torch.equal(a.delta, b.delta)
        assert torch.equal(a.kappa, b.kappa)


def test_a_zero_perturbation_in_one_layer_puts_no_condition_on_kappa():
    net, dws, x = instance(7, (3, 3, 3), orthogonal=True)
    m = drt.measure(net, [dws[0], 0 * dws[1]], x)
    assert m.kappa_dw[1] == 1
    assert m.delta[1] == m.rho[1] == m.norm_dwh[1] == 0
    assert m.change > 0


def test_zero_perturbations_everywhere_change_nothing():
    net, dws, x = instance(8, WIDTHS)
    m = drt.measure(net, [0 * d for d in dws], x)
    assert m.change == 0
    assert m.log_change == -math.inf
    assert m.kappa == m.kappa_w.max() == m.kappa_wt.max()


def test_biases_move_too():
    """f = 2x + 3 and f̃ = 2x + 4: the change is 1/5 at x = 1, whether or not anything is said of δ."""
    net = drt.Network([array([2.0])], "identity", [array(3.0)])
    m = drt.measure(net, [array([0.0])], array(1.0), dbiases=[array(1.0)])
    assert float(m.change) == pytest.approx(0.2)
    batch = drt.measure(net, [array([0.0])], array(1.0), dbiases=[array([1.0], [2.0])])
    assert batch.change.tolist() == pytest.approx([0.2, 0.4])


def test_an_inflated_measurement_encloses_the_measured_one():
    m = measured(9, WIDTHS, batch=(20,))
    names = ["delta", "rho", "kappa_w", "kappa_dw", "kappa_wt", "kappa"]
    names += [f"log_norm_{n}" for n in ("w", "dw", "wt", "x", "f", "df", "dwh")]
    for name in names:
        low, value, high = (getattr(v, name) for v in (m.inflated(-1), m, m.inflated(1)))
        assert (low < value).all(), name
        assert (value < high).all(), name
        assert (high - low < 1e-9 * (1 + value.abs())).all(), name


@pytest.mark.parametrize("left", ["relative", "absolute"])
def test_the_ends_of_the_left_side_enclose_its_true_logarithm(left):
    """One scalar: the change is |ΔW/W|, or |ΔW x|. A logarithm of 1e-140 is itself off by units of 322, which the ends allow."""
    rng = generator(11)
    for exponent in (-140, -100, -30, -3, 0, 3, 100):
        w, x = 1 + normal(rng, 200).abs(), 1 + normal(rng, 200).abs()
        dw = 10.0**exponent * (1 + normal(rng, 200).abs())
        m = drt.measure(drt.Network([w[:, None, None]], "identity"), [dw[:, None, None]], x[:, None])
        value, lower, upper = m.log_left(left)
        with hp.precision():
            rows = zip(w.tolist(), dw.tolist(), x.tolist(), lower.tolist(), upper.tolist(), strict=True)
            for a, b, c, low, high in rows:
                true = (arb(b) / arb(a) if left == "relative" else arb(b) * arb(c)).log()
                assert low <= true <= high
        # The computed logarithm is one of the numbers that could be true.
        assert (lower < value).all()
        assert (value < upper).all()
        assert (upper - lower < 1e-12).all()


def test_the_norm_of_a_product_that_cancels_is_known_to_be_unknown():
    """ΔW₂h₁ cancels to its rounding error: a bound built on it must not take the residue for the norm."""
    net = drt.Network([array([0.1], [0.3]), torch.eye(2, dtype=torch.float64)], "identity")
    m = drt.measure(net, [torch.zeros(2, 1, dtype=torch.float64), array([3.0, -1.0], [0.0, 0.0])], array(1.1))
    assert m.norm_dwh[1] < 1e-15
    assert m.inflated(-1).norm_dwh[1] == 0
    assert 0 < m.inflated(1).norm_dwh[1] < 1e-14


def test_each_quantity_has_exactly_its_own_fields():
    j = drt.measure_jacobian(*instance(0, WIDTHS), layer=1)
    for name in ("norm_x", "log_norm_f", "norm_df", "norm_dwh", "nonsense"):
        with pytest.raises(
            AttributeError, match=f"a measurement of the jacobian has no field '{name}'; it has delta, rho"
        ):
            getattr(j, name)
    with pytest.raises(AttributeError, match="a measurement of the function has no field 'derivative_gap'"):
        drt.measure(*instance(0, WIDTHS)).derivative_gap  # noqa: B018


def test_a_field_that_fails_says_its_own_error(monkeypatch):
    """An AttributeError inside a field must not read as if there were no such field."""
    monkeypatch.setattr(drt.Instance, "spectra", property(lambda self: self.nowhere))
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        drt.measure(*instance(0, WIDTHS)).delta  # noqa: B018


def in_a_fresh_interpreter(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_importing_drt_does_not_import_torch():
    """Two seconds that `drt --help` would otherwise take."""
    code = "import sys, drt; drt.__version__; dir(drt); print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert in_a_fresh_interpreter(code) == ["False", "False"]


def test_every_exported_name_is_there():
    for name in dir(drt):
        assert getattr(drt, name) is not None
    with pytest.raises(AttributeError, match="module 'drt' has no attribute 'nonsense'"):
        drt.nonsense  # noqa: B018
