"""Two networks are compared exactly: values against numpy, verdicts against the claims, words for every hypothesis that fails."""

import json
import math

import numpy as np
import pytest
import torch
from rich.console import Console

from drt.app.comparison import Change, compare_networks
from drt.app.comparison_tables import comparison_tables
from drt.app.tally import Failure
from drt.errors import InputError
from drt.measurement.sampling import generator, normal
from drt.network.network import Network
from drt.theory.outcome import Outcome
from drt.theory.registry import of_network
from drt.training.data import load_digits
from drt.training.inputs import inputs_for
from drt.training.training import TrainingConfig, train


def tensor(rows):
    return torch.tensor(rows, dtype=torch.float64)


def random_network(widths=(3, 4, 5), activation="leaky_relu:0.5", seed=0, scale=1.0):
    rng = generator(seed)
    return Network([scale * normal((m, n), rng) for n, m in zip(widths, widths[1:], strict=False)], activation)


def moved(net, size=0.01, seed=1):
    rng = generator(seed)
    return Network([w + size * normal(w.shape, rng) for w in net.weights], net.activations, net.biases)


def inputs(n=5, width=3, seed=2):
    return normal((n, width), generator(seed))


def claim_of(result, claim_id):
    return next(r for r in result.claims if r.id == claim_id)


def printed(result):
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        for table in comparison_tables(result):
            console.print(table)
    return capture.get()


@pytest.fixture(scope="module")
def trained():
    """Two checkpoints, one step apart, of two small networks trained on real digits: without biases, and with."""
    pairs = []
    for biases in (False, True):
        config = TrainingConfig(hidden=(16, 16), biases=biases, steps_per_epoch=12, epochs=1, checkpoints=(11, 12))
        run = train(config, load_digits())
        states = [checkpoint.state.values() for checkpoint in run.checkpoints]
        pairs.append(
            [
                Network(
                    [t for t in state if t.ndim == 2], config.activations, [t for t in state if t.ndim == 1] or None
                )
                for state in states
            ]
        )
    return pairs


@pytest.fixture(scope="module")
def on_digits(trained):
    (before, after), _ = trained
    return compare_networks(before, after, inputs_for(before, None))


# Layers


def test_layers_have_the_values_of_numpy():
    before = random_network()
    after = moved(before)
    for k, r in enumerate(compare_networks(before, after, inputs()).layers):
        w = before.weights[k].numpy()
        dw = after.weights[k].numpy() - w
        s, t = (np.linalg.svd(a, compute_uv=False) for a in (w, dw))
        expected = {
            "delta": np.linalg.norm(dw) / np.linalg.norm(w), "rho": t[0] / s[0], "kappa_w": s[0] / s[-1],
            "kappa_dw": t[0] / t[-1], "stable_rank_w": np.linalg.norm(w) ** 2 / s[0] ** 2,
            "stable_rank_dw": np.linalg.norm(dw) ** 2 / t[0] ** 2, "rank_w": len(s), "rank_dw": len(t),
        }  # fmt: skip
        assert r.layer == k + 1
        assert r.shape == list(w.shape)
        assert {name: getattr(r, name) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_a_rank_one_change_has_no_condition_number():
    before = random_network((3, 3))
    dw = torch.outer(tensor([1.0, 2.0, 3.0]), tensor([0.1, 0.0, 0.2]))
    result = compare_networks(before, Network([before.weights[0] + dw], "leaky_relu:0.5"), inputs())
    layer = result.layers[0]
    assert (layer.rank_w, layer.rank_dw, layer.kappa_dw) == (3, 1, None)
    assert layer.stable_rank_dw == pytest.approx(1, rel=1e-12)
    failed = claim_of(result, "theorem1.function").layers[0].failed
    assert [(f.hypothesis, f.inputs) for f in failed] == [("conditioning", 5)]
    assert "κ(ΔW_1)" in failed[0].why
    assert claim_of(result, "spectral.function").outcome == "holds"
    assert "∞" in printed(result)
    assert "κ(ΔW_1)" in printed(result)


def test_scales_do_not_matter():
    before = random_network(scale=1e-160)
    result = compare_networks(before, moved(before, 1e-162), inputs())
    ordinary = compare_networks(random_network(), moved(random_network(), 1e-2), inputs())
    for r, s in zip(result.layers, ordinary.layers, strict=True):
        assert r.shape == s.shape
        own, expected = ({k: v for k, v in vars(layer).items() if k != "shape"} for layer in (r, s))
        assert own == pytest.approx(expected, rel=1e-9)


def test_identical_networks_have_not_changed():
    net = random_network()
    result = compare_networks(net, net, inputs())
    assert result.change == Change(median=0.0, worst=0.0)
    assert [r.delta for r in result.layers] == [0.0, 0.0]
    assert [r.rank_dw for r in result.layers] == [0, 0]
    assert result.layers[0].kappa_dw is result.layers[0].stable_rank_dw is None
    assert result.violations == []
    assert claim_of(result, "theorem1.function").outcome == "holds"
    assert claim_of(result, "theorem1.function").layers[0].worst.bound == 0.0
    json.dumps(result.as_dict(), allow_nan=False)
    assert "inf" not in printed(result)


# Claims


def test_a_claim_has_both_sides_and_their_distance():
    before = random_network((3, 3), "identity")
    after, x = moved(before), inputs(7)
    (layer,) = claim_of(compare_networks(before, after, x), "spectral.function").layers
    w, dw = before.weights[0], after.weights[0] - before.weights[0]
    s = torch.linalg.svdvals(w)
    bound = float(s[0] / s[-1] * torch.linalg.svdvals(dw)[0] / s[0])
    actual = (x @ dw.mT).norm(dim=1) / (x @ w.mT).norm(dim=1)
    assert layer.layer is None
    assert layer.holds == 7
    assert layer.median.actual == pytest.approx(float(actual.median()), rel=1e-12)
    assert layer.median.bound == pytest.approx(bound, rel=1e-12)
    assert layer.worst.input == int(actual.argmax())
    assert layer.worst.actual == pytest.approx(float(actual.max()), rel=1e-12)
    assert layer.worst.looseness == pytest.approx(math.log10(bound / float(actual.max())), rel=1e-9)
    assert layer.failed == []


def test_every_claim_is_there_and_jacobians_have_every_layer():
    before = random_network((3, 4, 5, 6))
    result = compare_networks(before, moved(before), inputs())
    assert [r.id for r in result.claims] == [c.id for c in of_network()]
    for r in result.claims:
        assert [layer.layer for layer in r.layers] == ([None] if r.quantity == "function" else [0, 1, 2])
        for layer in r.layers:
            assert layer.holds + layer.violated + layer.inapplicable + layer.undecided == 5
    worst = claim_of(result, "theorem1.jacobian")
    slack = [layer.worst.looseness for layer in worst.layers]
    assert worst.worst_layer == slack.index(min(slack))


def test_a_violation_says_which_claim_where_and_how_much():
    before, after = Network([tensor([[1.0, 0.0]])], "identity"), Network([tensor([[1.0, 0.5]])], "identity")
    x = torch.ones(301, 2, dtype=torch.float64)  # at (1, 1) the claim is attained: more than one piece of inputs
    x[299], x[300] = tensor([1e-2, 1.0]), tensor([1e-3, 1.0])
    result = compare_networks(before, after, x)
    (violation,) = [v for v in result.violations if v.input == 300]
    assert violation.claim == "theorem1.function.as-stated"
    assert violation.layer is None
    assert violation.log10_ratio == pytest.approx(3, abs=1e-9)
    assert [v.input for v in result.violations] == [300, 299]  # worst first
    record = claim_of(result, "theorem1.function.as-stated")
    assert record.outcome == "violated"
    assert record.layers[0].worst.input == 300
    assert claim_of(result, "theorem1.function").outcome == "inapplicable"
    assert "violated (2)" in printed(result)
    assert "widths 2-1" in printed(result)


def test_a_jacobian_violation_names_its_layer():
    before = Network([tensor([[1e-3], [1.0]]), tensor([[1.0, 0.0]])], "identity")
    after = Network([tensor([[1e-3], [1.0]]), tensor([[1.0, 0.5]])], "identity")
    result = compare_networks(before, after, tensor([[1.0]]))
    found = {(v.claim, v.input, v.layer) for v in result.violations}
    assert ("theorem1.jacobian.as-stated", 0, 0) in found
    record = claim_of(result, "theorem1.jacobian.as-stated")
    assert (record.outcome, record.worst_layer) == ("violated", 0)


def test_pieces_of_inputs_add_up():
    before = random_network()
    x = inputs(300)
    whole = compare_networks(before, moved(before), x)
    parts = [compare_networks(before, moved(before), part) for part in (x[:256], x[256:])]
    assert whole.inputs == 300
    for r, p, q in zip(whole.claims, *(part.claims for part in parts), strict=True):
        for layer, first, second in zip(r.layers, p.layers, q.layers, strict=True):
            for outcome in Outcome:
                assert layer.count(outcome) == first.count(outcome) + second.count(outcome)
            for f in layer.failed:
                assert f.inputs <= 300
    change = (moved(before)(x) - before(x)).norm(dim=1) / before(x).norm(dim=1)
    assert whole.change.worst == pytest.approx(float(change.max()), rel=1e-10)


def test_a_hypothesis_that_fails_somewhere_says_at_which_inputs():
    net = Network([torch.eye(2, dtype=torch.float64)], "leaky_relu:0.5")
    x = torch.ones(300, 2, dtype=torch.float64)
    x[280, 0] = x[290, 0] = 0  # at the kink
    result = compare_networks(net, moved(net), x)
    (failed,) = claim_of(result, "proposition1").layers[0].failed
    assert (failed.hypothesis, failed.input, failed.inputs) == ("differentiable", 280, 2)
    assert "(2 of 300" in printed(result)
    assert "holds (298)" in printed(result)


# Real networks


def test_trained_networks_on_digits(trained, on_digits):
    (before, after), _ = trained
    x = inputs_for(before, None)
    assert on_digits.inputs == 256
    assert on_digits.widths == [784, 16, 16, 10]
    change = (after(x) - before(x)).norm(dim=1) / before(x).norm(dim=1)
    assert vars(on_digits.change) == pytest.approx(
        {"median": float(change.median()), "worst": float(change.max())}, rel=1e-9
    )
    assert [r.delta for r in on_digits.layers] == pytest.approx([0.01] * 3, rel=0.01)  # Fromage, lr = 0.01
    for claim_id in ("telescoping.function", "norm-product.function", "neyshabur.function"):
        record = claim_of(on_digits, claim_id)
        assert record.outcome == "holds"
        assert record.layers[0].worst.looseness > 0
    assert claim_of(on_digits, "theorem1.function").outcome == "inapplicable"
    assert claim_of(on_digits, "spectral.jacobian").layers[2].holds == 256
    assert on_digits.violations == []
    json.dumps(on_digits.as_dict(), allow_nan=False)


def test_tables_fit_100_columns(on_digits):
    text = printed(on_digits)
    assert max(map(len, text.splitlines())) <= 100
    assert "theorem1.jacobian.as-stated" in text
    assert "Claims, over 256 inputs" in text
    assert "widths 784-16-16-10" in text
    assert "16×784" in text
    assert "16/16" in text
    assert "inputs" not in next(row for row in text.splitlines() if row.startswith("claim"))
    assert "\x1b" not in text


def test_networks_with_biases_are_measured_but_most_claims_do_not_apply(trained):
    _, (before, after) = trained
    x = inputs_for(before, None)
    result = compare_networks(before, after, x)
    change = (after(x) - before(x)).norm(dim=1) / before(x).norm(dim=1)
    assert result.biases
    assert result.change.worst == pytest.approx(float(change.max()), rel=1e-9)
    for r in result.claims:
        if r.id == "proposition1":  # the one that biases do not touch
            assert r.layers[0].holds > 0
        else:
            assert r.outcome == "inapplicable"
            assert r.layers[0].failed[0] == Failure("biases", "the network has biases", input=0, inputs=256)
    assert "the network has biases" in printed(result)


def test_a_bias_that_only_one_network_has_counts_from_zero():
    w = tensor([[1.0, 2.0], [0.0, 1.0]])
    plain, biased = Network([w], "identity"), Network([w], "identity", [tensor([3.0, 4.0])])
    x = tensor([[1.0, 1.0]])
    grown = compare_networks(plain, biased, x)
    assert grown.change.worst == pytest.approx(5 / math.sqrt(10), rel=1e-12)
    shrunk = compare_networks(biased, plain, x)
    assert shrunk.change.worst == pytest.approx(5 / math.sqrt(61), rel=1e-12)


# Inputs, and what is wrong with them


def test_inputs_of_another_width_are_refused():
    with pytest.raises(InputError, match=r"x has shape \(5, 4\): its last dimension must be n_0 = 3"):
        compare_networks(random_network(), random_network(), inputs(5, 4))


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (random_network((3, 4)), "before has 2 layers, after has 1; expected the same architecture"),
        (random_network((3, 4, 6)), r"layer 2: before has weights of shape \(5, 4\), after of \(6, 4\)"),
        (random_network(activation="leaky_relu:0.1"), "layer 1: before has activation leaky_relu:0.5, after leaky_relu:0.1"),
        (Network([torch.ones(2, 4, 3), torch.ones(2, 5, 4)], "identity"), r"after must be a single network, got batch .*2"),
    ],
    ids=["depth", "shape", "activation", "batch"],
)  # fmt: skip
def test_networks_that_do_not_match_are_refused(after, words):
    with pytest.raises(InputError, match=words):
        compare_networks(random_network(), after, inputs())


def test_inputs_must_be_a_matrix_without_zero_rows():
    with pytest.raises(InputError, match=r"inputs must have shape \(N, n_0\), got \(3,\)"):
        compare_networks(random_network(), random_network(), tensor([1.0, 2.0, 3.0]))
    with pytest.raises(InputError, match="x must be non-zero"):
        compare_networks(random_network(), random_network(), torch.zeros(2, 3, dtype=torch.float64))


def test_a_zero_layer_is_refused():
    net = Network([torch.zeros(3, 3, dtype=torch.float64)], "identity")
    with pytest.raises(InputError, match=r"weights\[0\] must be non-zero"):
        compare_networks(net, net, inputs())
