"""The attack on descents: populations of the size asked for, mutants inside their ranges, violations found and measured again."""

import random

import pytest
import torch

import drt
from drt.falsify.descents import MEMBERS, Descents, Unit, examine, measured, member, sample_population
from drt.falsify.space import Space

LEMMA, FALSE = drt.claims["lemma1"], drt.claims["lemma2.unconditional"]
SPACE = Space(depth=(1, 2), width=(1, 2), delta=(1e-3, 0.1))


def population(seed=0, claim=LEMMA, space=SPACE, **options):
    return sample_population(random.Random(seed), torch.Generator().manual_seed(seed), claim, space, **options)


def test_populations_have_the_delta_of_the_space_and_go_along_the_gradient_or_not():
    along = []
    for seed in range(12):
        p = population(seed, certifiable=True)
        m = p.measure()
        assert m.batch_shape == (MEMBERS,)
        assert m.inputs == 1
        assert ((m.delta > 1e-3 * (1 - 1e-9)) & (m.delta < 0.1 * (1 + 1e-9))).all()
        if p.along_gradient:
            assert (m.cosines > 1 - 1e-9)[m.norm_g > 0].all()
        along.append(p.along_gradient)
    assert 0 < sum(along) < 12


def test_what_a_witness_cannot_hold_is_tried_too():
    found = [population(seed) for seed in range(30)]
    assert {p.loss for p in found} == {"mse", "cross-entropy"}
    assert {p.tensors[-3].shape[-2] for p in found} == {1, 2, 4}


def test_mutants_stay_in_the_range_and_change_every_number_a_little():
    p = population(2)
    changed = p.mutated(torch.Generator().manual_seed(1), SPACE)
    for before, after in zip(p.tensors[:-1], changed.tensors[:-1], strict=True):
        assert (before != after).all()
    assert ((changed.tensors[-1] >= -3) & (changed.tensors[-1] <= -1)).all()


def test_some_of_the_members_are_some_of_the_members():
    p = population(3, certifiable=True)
    rows = torch.tensor([5, 0])
    torch.testing.assert_close(p.take(rows).measure().delta, p.measure().delta[rows], rtol=1e-14, atol=0)


def test_a_member_becomes_a_witness_that_measures_the_same():
    m = population(4, certifiable=True).measure()
    one = member(m, 7, -0.5)
    assert (one.exact, one.exceeds, one.violates, one.log_ratio) == (True, False, False, -0.5)
    again = measured(one.witness(LEMMA, None))
    for name in ("norm_g", "norm_step", "cosines", "step_change", "excess", "fall"):
        torch.testing.assert_close(getattr(again, name), getattr(m, name)[7], rtol=1e-9, atol=1e-12)


def test_true_lemmas_survive_examination_and_false_ones_are_found():
    engine = Descents()
    for claim, exceeded in ((LEMMA, False), (FALSE, True)):
        found = [f for f, _ in engine.openings(claim, Space(), 0)]
        assert any(find.exceeds for f in found for find in f.finds) == exceeded
        assert sum(f.instances for f in found) > 100


def test_what_is_outside_the_space_is_not_found():
    """Steps of 0.1 where the space ends at 10⁻³."""
    m = population(5, certifiable=True).measure()
    found, _ = examine(FALSE, Space(delta=(1e-9, 1e-6)), m)
    assert found.finds == ()
    assert found.log_ratio == -torch.inf
    assert found.instances == MEMBERS


def test_a_unit_stops_at_a_violation_that_can_be_certified():
    engine = Descents()
    whole = engine.run(LEMMA, Unit(SPACE, 0, ((1, 1),)))
    first = engine.run(FALSE, Unit(Space(delta=(1e-3, 0.4)), 1, ((1, 1, 1),) * 40))
    assert whole.instances == 6 * MEMBERS
    assert any(find.exceeds and find.exact for find in first.finds) == (first.instances < 40 * 6 * MEMBERS)


@pytest.mark.parametrize("widths", [(2, 3), (1, 1, 1)])
def test_fixed_widths_are_kept(widths):
    assert population(6, space=Space(widths=widths)).measure().widths == widths
