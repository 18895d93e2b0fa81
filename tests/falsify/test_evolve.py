"""Evolution: populations inside the space, mutants that change what they say, and scores that never fall."""

import pytest
import torch

import drt
from drt.falsify.evolve import evolve, mutate, score, structured
from drt.falsify.layout import Layout, measurement, usable
from drt.falsify.space import Space
from tests.falsify import planted

LAYOUT = Layout((2, 3, 3), ("leaky_relu:0.5", "identity"))
SPACE = Space(kappa=(1.0, 10.0), delta=(1e-3, 1.0))
CLAIM = drt.claims["spectral.function"]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_starting_points_are_instances_with_delta_in_its_range():
    theta = structured(LAYOUT, 300, SPACE, rng())
    assert theta.shape == (300, sum(LAYOUT.sizes))
    assert usable(theta, LAYOUT).float().mean() > 0.95
    m = measurement(CLAIM, LAYOUT.instance(theta[usable(theta, LAYOUT)]))
    moved = m.delta[m.delta > 0]
    assert ((moved > 1e-3 * (1 - 1e-9)) & (moved < 1 + 1e-9)).all()
    assert (m.delta == 0).any()
    finite = m.kappa_w[torch.isfinite(m.kappa_w)]
    assert (finite < 1.001).any()
    assert (finite > 5).any()


def test_the_same_seed_breeds_the_same():
    first, second, other = (structured(LAYOUT, 20, SPACE, rng(s)) for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_a_score_is_log_ratio_and_minus_infinity_for_what_is_no_instance():
    theta = structured(LAYOUT, 50, SPACE, rng())
    theta[0] = 0
    scores = score(CLAIM, LAYOUT, theta, SPACE)
    assert scores[0] == -torch.inf
    counted = torch.isfinite(scores)
    m = measurement(CLAIM, LAYOUT.instance(theta[counted]))
    torch.testing.assert_close(scores[counted], m.log_change - CLAIM.log_value(m), rtol=1e-13, atol=1e-15)


def test_mutants_differ_from_their_parents_in_an_entry_a_segment_or_everywhere():
    parents = structured(LAYOUT, 2000, SPACE, rng())
    mates = parents.flip(0)
    children = mutate(LAYOUT, parents, mates, rng(1))
    changed = (children != parents).sum(-1)
    assert children.shape == parents.shape
    assert (changed == 1).any()
    assert (changed == (parents != 0).sum(-1)).any()
    for k in (0, 3, 4):
        whole = (children == torch.where(LAYOUT.masks[k], -parents, parents)).all(-1) & (changed == LAYOUT.sizes[k])
        assert whole.any(), "a segment's sign is flipped"


def test_evolution_never_loses_its_best_and_counts_what_it_evaluates():
    start = structured(LAYOUT, 40, SPACE, rng())
    before = score(CLAIM, LAYOUT, start, SPACE)
    theta, scores, evaluated = evolve(CLAIM, LAYOUT, SPACE, start, 10, rng(1))
    assert scores.max() >= before.max()
    assert scores.max() <= 1e-9, "a true claim is not exceeded"
    assert evaluated == 40 + 10 * 30
    torch.testing.assert_close(score(CLAIM, LAYOUT, theta, SPACE), scores)


@pytest.mark.parametrize("name", ["sum_for_product", "nine_tenths", "last_layer_missing", "jacobian_sum"])
def test_evolution_finds_what_is_false(name):
    claim, layout = planted.FALSE[name], Layout((2, 2, 2), ("identity", "identity"))
    space = Space(kappa=(1.0, 10.0), delta=(1e-3, 10.0))
    start = structured(layout, 64, space, rng())
    assert evolve(claim, layout, space, start, 20, rng(1))[1].max() > 0.1
