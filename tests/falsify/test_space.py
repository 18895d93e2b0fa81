"""Where the attack looks: ranges that are checked, architectures that meet a claim's hypotheses, φ of the slopes asked for."""

import random

import pytest

import drt
from drt.errors import InputError
from drt.falsify.space import Space, parse_range, space_from_text
from drt.measurement.quantity import is_valley, never_contracts
from drt.network.activations import parse_activation
from tests.instances import instance

FUNCTION, JACOBIAN = drt.claims["theorem1.function"], drt.claims["theorem1.jacobian"]


def drawn(sample, count=300):
    dice = random.Random(0)
    return [sample(dice) for _ in range(count)]


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"depth": (0, 2)}, "depth=0:2 must be a range LOW:HIGH with 1 <= LOW <= HIGH <= 64"),
        ({"width": (3, 2)}, "width=3:2 must be a range"),
        ({"kappa": (0.5, 2.0)}, "kappa=0.5:2 must be a range LOW:HIGH with 1 <= LOW"),
        ({"delta": (0.0, float("inf"))}, "delta=0:inf must be a range"),
        ({"delta": (0.0, 0.0)}, "delta=0:0 leaves nothing to perturb"),
        ({"alpha": (0.5, 1.0), "beta": (0.1, 0.2)}, "alpha=0.5 must not exceed beta=0.2"),
        ({"widths": (3,)}, r"widths=\(3,\) must be at least two numbers from 1 to 128"),
    ],
)
def test_ranges_that_are_none_are_named(ranges, words):
    with pytest.raises(InputError, match=words):
        Space(**ranges)


@pytest.mark.parametrize(("claim", "rule"), [(FUNCTION, never_contracts), (JACOBIAN, is_valley)])
def test_widths_meet_the_claim_s_hypothesis_and_vary(claim, rule):
    space = Space(depth=(1, 4), width=(2, 5))
    found = drawn(lambda dice: space.sample_widths(claim, dice))
    assert all(rule(widths) and space.admits(claim, widths) for widths in found)
    assert len(set(found)) > 30
    free = drawn(lambda dice: space.sample_widths(claim.with_hypotheses(["-widths"]), dice))
    assert not all(map(rule, free))


def test_fixed_widths_and_scalars():
    assert Space(widths=(2, 1)).sample_widths(FUNCTION, random.Random(0)) == (2, 1)
    assert Space().sample_widths(drt.claims["equation3"], random.Random(0)) == (1, 1, 1)
    assert not Space(widths=(2, 3)).admits(FUNCTION, (2, 2))
    assert not Space(widths=(2, 1)).admits(FUNCTION, (2, 1)), (
        "contracting widths do not become right by being asked for"
    )
    assert Space(widths=(2, 1)).admits(FUNCTION.with_hypotheses(["-widths"]), (2, 1))


def test_activations_have_slopes_in_the_ranges():
    space = Space(alpha=(0.2, 0.5), beta=(1.0, 3.0))
    found = drawn(lambda dice: space.sample_activations(FUNCTION, 3, dice))
    for specs in found:
        for phi in map(parse_activation, specs):
            assert phi.alpha >= 0.2
            assert phi.beta <= 3
    assert len({spec.partition(":")[0] for specs in found for spec in specs}) >= 2
    assert {specs[0] == specs[1] for specs in found} == {True}
    plain = {
        s.partition(":")[0]
        for specs in drawn(lambda dice: Space().sample_activations(FUNCTION, 1, dice))
        for s in specs
    }
    assert {"identity", "leaky_relu", "tanh_blend", "softplus_blend", "negated", "piecewise_linear"} <= plain


def test_relu_is_drawn_where_transmission_is_not_asked():
    space = Space(alpha=(0.0, 0.0))
    assert set(space.sample_activations(drt.claims["relu-model"], 2, random.Random(0))) == {"relu"}
    for claim, expected in ((FUNCTION, False), (FUNCTION.with_hypotheses(["-transmission"]), True)):
        found = drawn(lambda dice, c=claim: space.sample_activations(c, 1, dice)[0], 50)
        assert any(spec == "relu" for spec in found) == expected


def test_what_was_measured_lies_inside_or_not():
    m = drt.measure(*instance(0, (2, 3), "leaky_relu:0.25"))
    assert Space().admits_shape(FUNCTION, m)
    assert not Space(alpha=(0.5, 1.0)).admits_shape(FUNCTION, m)
    assert not Space(depth=(2, 3)).admits_shape(FUNCTION, m)


def test_texts_become_ranges():
    assert parse_range("depth", "2:5", whole=True) == (2, 5)
    assert parse_range("alpha", "0.5") == (0.5, 0.5)
    space = space_from_text("2-3,4", depth="1:2", kappa="2:5", alpha=None)
    assert (space.widths, space.depth, space.kappa, space.alpha) == ((2, 3, 4), (1, 2), (2.0, 5.0), Space().alpha)
    for texts, words in (
        ({"depth": "1.5"}, "--depth '1.5' must be LOW:HIGH or one value, in whole numbers"),
        ({"kappa": "1:2:3"}, "--kappa '1:2:3' must be LOW:HIGH or one value, in numbers"),
        ({"widths": "2,x"}, "--widths '2,x' must be whole numbers"),
    ):
        with pytest.raises(InputError, match=words):
            space_from_text(**texts)
