"""Strategies: hypotheses met by construction, κ and rank exact, ranges respected, examples that shrink to simple ones."""

import math

import pytest
import torch
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import drt
from drt import Instance, Network, strategies
from drt.errors import InputError
from drt.measurement.measurement import measure_all
from drt.measurement.quantity import is_valley, never_contracts
from drt.numeric.spectra import spectrum
from drt.strategies import plans
from drt.theory.hypotheses import hypotheses, resolve
from tests.falsify import planted

# The shape checker of our test suite looks at a random entry of each list.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
GENERATE = settings(phases=[Phase.generate])
COMBINATIONS = [
    ("transmission", "conditioning", "widths"),
    ("transmission", "conditioning-w-dw"),
    ("transmission", "conditioning-w", "widths", "small"),
    ("relu", "conditioning", "widths"),
    ("relu", "differentiable", "small"),
    ("relu", "-biases", "differentiable"),
    ("scalars", "small", "lipschitz"),
    ("lipschitz", "conditioning", "-biases"),
    ("differentiable",),
    (),
]


@pytest.fixture(autouse=True)
def nothing_rejected(monkeypatch):
    def reject():
        raise AssertionError("an instance was thrown away")

    monkeypatch.setattr(plans, "reject", reject)


def every(strategy, check, examples=40):
    """Run the check on so many examples."""
    settings(GENERATE, max_examples=examples)(given(strategy)(check))()


def measurements(quantity, instance):
    function, jacobians = measure_all(instance)
    return [function] if quantity == "function" else jacobians


@pytest.mark.parametrize("quantity", ["function", "jacobian"])
@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_hypotheses_are_met_by_construction(names, quantity):
    def check(instance):
        # Above layer 0 two scalars are one.
        for m in measurements(quantity, instance)[: 1 if "scalars" in names else None]:
            for name in resolve(names):
                assert hypotheses[name].met(m).all(), hypotheses[name].why(m, ())

    every(strategies.instances(names, quantity), check)


@pytest.mark.parametrize("claim_id", [c.id for c in drt.claims.values() if c.quantity in ("function", "jacobian")])
def test_every_claim_applies_to_its_instances(claim_id):
    claim = drt.claims[claim_id]

    def check(instance):
        for m in measurements(claim.quantity, instance):
            assert drt.check(claim, m).outcome != "inapplicable"

    every(strategies.instances(claim=claim), check, 60)


@pytest.mark.parametrize("ranges", [{"width": (9, 16)}, {"kappa": (1e5, 1e6), "delta": (1e-6, 1e3)}, {"depth": 12}])
@pytest.mark.parametrize("claim_id", ["theorem1.function", "theorem1.jacobian.as-stated", "relu-model.jacobian"])
def test_every_claim_applies_far_out(claim_id, ranges):
    claim = drt.claims[claim_id]

    def check(instance):
        assert all(drt.check(claim, m).outcome != "inapplicable" for m in measurements(claim.quantity, instance))

    every(strategies.instances(claim=claim, **ranges), check, 15)


def test_instances_keep_to_their_ranges():
    ranges = {"depth": (2, 3), "width": (2, 5), "alpha": (0.25, 0.5), "beta": (1.0, 2.0), "kappa": (3.0, 4.0)}

    def check(instance):
        m, net = measure_all(instance)[0], instance.net
        assert 2 <= net.depth <= 3
        assert all(2 <= n <= 5 for n in net.widths)
        assert all(0.25 <= a.alpha <= 0.5 and 1 <= a.beta <= 2 for a in net.activations)
        for kappa in (m.kappa_w, m.kappa_dw):
            assert kappa.min() >= 3 * (1 - 1e-12)
        assert m.kappa.max() <= 4 * (1 + 1e-11)
        assert ((m.delta >= 0.1 * (1 - 1e-12)) & (m.delta <= 0.2 * (1 + 1e-12))).all()

    every(strategies.instances(delta=(0.1, 0.2), **ranges), check)


def test_a_user_s_own_hypothesis_is_filtered_for():
    def check(instance):
        assert never_contracts(instance.net.widths[:-1])

    every(strategies.instances(claim=planted.widths_off_by_one_above), check, 30)


@pytest.mark.parametrize("rank", [None, 1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2), (4, 4), (2, 9)])
@pytest.mark.parametrize("kappa", [None, 1, 7.3, (100.0, 1e6)])
def test_matrices_have_exactly_the_singular_values_they_come_with(shape, kappa, rank):
    r = min(*shape, rank or math.inf)
    low, high = (1, 10) if kappa is None else kappa if isinstance(kappa, tuple) else (kappa, kappa)

    def check(matrix):
        assert matrix.values.shape == shape
        computed = torch.linalg.svdvals(matrix.values)
        error = float(spectrum([matrix.values], [computed], [torch.zeros(())]).error[0] * computed[0])
        assert (computed - matrix.singular).abs().max() <= error
        assert (matrix.singular > 0).sum() == r
        assert low <= matrix.singular[0] / matrix.singular[r - 1] <= high or r == 1
        assert math.log2(matrix.singular[r - 1]).is_integer()

    every(strategies.matrices(*shape, kappa, rank if rank is None else r), check, 20)


@pytest.mark.parametrize(("quantity", "right"), [("function", never_contracts), ("jacobian", is_valley)])
def test_widths_are_right_by_construction_and_varied(quantity, right):
    seen = set()

    def check(widths):
        assert right(widths)
        assert 2 <= len(widths) <= 5
        assert all(1 <= n <= 4 for n in widths)
        seen.add(widths)

    every(strategies.widths(quantity), check, 200)
    assert len(seen) > 50
    assert not right(find(strategies.widths(), lambda widths: not right(widths)))


def test_activations_keep_to_their_ranges_and_none_is_left_out():
    seen = set()

    def check(phi):
        assert 0.1 <= phi.alpha <= 1
        assert 1 <= phi.beta <= 3
        seen.add(phi.spec.removeprefix("negated:").partition(":")[0])

    every(strategies.activations((0.1, 1), (1, 3)), check, 200)
    assert seen == {"identity", "leaky_relu", "piecewise_linear", "tanh_blend", "softplus_blend"}
    rough = strategies.activations(smooth=False, relu=True)
    assert find(rough, lambda phi: phi.spec == "relu").alpha == 0

    def piecewise(phi):
        assert "blend" not in phi.spec

    every(rough, piecewise)


def test_parts_of_an_instance_fit_together():
    sizes = strategies.widths("function", depth=2, width=(2, 3))
    nets = strategies.networks(widths=sizes, kappa=5)

    def check(data):
        net = data.draw(nets)
        dweights = data.draw(strategies.perturbations(net, delta=(0.1, 0.2), rank=1))
        m = drt.measure(net, dweights, data.draw(strategies.inputs(net)))
        assert net.depth == 2
        assert ((m.delta > 0.0999) & (m.delta < 0.2001)).all()
        assert torch.allclose(
            m.rho * m.norm_w, m.delta * torch.stack([torch.linalg.matrix_norm(w) for w in net.weights])
        )
        assert torch.allclose(m.kappa_w, torch.tensor(5.0, dtype=torch.float64))

    every(st.data(), check)


def smallest(strategy, condition):
    return find(strategy, condition, settings=settings(max_examples=1000))


def test_everything_shrinks_to_simple_numbers():
    assert repr(smallest(strategies.instances(depth=(2, 3)), lambda _: True)) == (
        "Instance(Network([[[1.0]], [[1.0]]], ['identity', 'identity']), [[[0.0]], [[0.0]]], [1.0])"
    )
    assert smallest(strategies.matrices(2, 3, kappa=2), lambda _: True).values.tolist() == [[2, 0, 0], [0, 1, 0]]
    assert smallest(strategies.activations(), lambda phi: phi.alpha < 1).spec == "leaky_relu:0.5"
    assert smallest(strategies.networks(), lambda net: net.depth > 1).widths == (1, 1, 1)


@pytest.mark.parametrize("name", ["sum_for_product", "nine_tenths", "jacobian_sum"])
def test_violations_shrink_to_few_small_layers_with_simple_entries(name):
    claim = planted.FALSE[name]

    def violated(instance):
        return any(drt.check(claim, m).outcome == "violated" for m in measurements(claim.quantity, instance))

    instance = smallest(strategies.instances(claim=claim), violated)
    assert instance.net.depth <= 2
    assert max(instance.net.widths) <= 2
    entries = torch.cat([t.flatten() for t in (*instance.net.weights, *instance.dweights, instance.x)])
    simple = [v for v in entries.tolist() if abs(v) <= 4 and (v * 1024).is_integer()]
    assert len(simple) >= len(entries) / 2, instance


def test_an_instance_prints_as_the_text_that_makes_it():
    def check(instance):
        again = eval(repr(instance), {"Instance": Instance, "Network": Network})
        assert repr(again) == repr(instance)
        assert torch.equal(measure_all(again)[0].change, measure_all(instance)[0].change)

    every(strategies.instances(("-biases",)), check)
    batch = Instance(Network([torch.ones(3, 1, 1)], "identity"), [torch.ones(1, 1)], torch.ones(1))
    assert repr(batch) == "Instance(Network(widths=(1, 1), activation=identity, batch=(3,)), batch=(3,))"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: strategies.matrices(0, 2), r"m=0 must be a whole number or a range \(LOW, HIGH\) with 1 <= LOW"),
        (lambda: strategies.matrices(2, 2.5), "n=2.5 must be a whole number"),
        (lambda: strategies.matrices(2, 2, kappa=0.5), "kappa=0.5 must be a number"),
        (lambda: strategies.matrices(2, 2, kappa=float("nan")), "kappa=nan must be a number"),
        (lambda: strategies.matrices(2, 2, kappa="2"), "kappa='2' must be a number"),
        (lambda: strategies.matrices(2, 3, rank=3), "rank=3 must be .* <= HIGH <= 2"),
        (lambda: strategies.activations(alpha=0), r"alpha=0 and beta=\(1, 4\) must allow 0 < alpha"),
        (lambda: strategies.activations(alpha=2, beta=1), "alpha=2 and beta=1 must allow"),
        (lambda: strategies.widths("curvature"), "quantity='curvature' must be function, jacobian or None"),
        (lambda: strategies.widths(depth=(3, 1)), r"depth=\(3, 1\) must be"),
        (lambda: strategies.networks(widths=(3,)), r"widths=\(3,\) must be at least two"),
        (lambda: strategies.networks(widths=(3, 0)), "widths=0 must be a whole number"),
        (lambda: strategies.perturbations("net"), "net must be a drt.Network, got str"),
        (lambda: strategies.perturbations(Network([[[1.0]]], "identity"), rank=0), "rank=0 must be"),
        (lambda: strategies.perturbations(Network([[[1.0]]], "identity"), delta=-1), "delta=-1 must be"),
        (lambda: strategies.instances(("luck",)), "hypothesis 'luck' is not known"),
        (lambda: strategies.instances("widths"), "hypotheses='widths' must be a list of names"),
        (lambda: strategies.instances(quantity="loss"), "quantity='loss' must be one of function, jacobian"),
        (lambda: strategies.instances(claim="theorem2"), "claim 'theorem2' is not known"),
        (lambda: strategies.instances(claim=3), "claim must be a claim or the id of one, got 3"),
        (lambda: strategies.instances((), claim="equation3"), "must be left out where claim='equation3'"),
        (lambda: strategies.instances(("relu", "transmission")), "relu excludes transmission and scalars"),
        (lambda: strategies.instances(("lipschitz",), beta=2), "beta=2 must start at 1 or below"),
        (lambda: strategies.instances(("small",), delta=(0.25, 1)), r"delta=\(0.25, 1\) must start below 1/4"),
    ],
)
def test_bad_arguments_are_named_at_once(make, words):
    with pytest.raises(InputError, match=words):
        make()
