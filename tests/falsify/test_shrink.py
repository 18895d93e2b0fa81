"""Shrinking: every step keeps the violation, towards fewer layers, fewer units and simple numbers, within its candidates."""

from flint import fmpq

import drt
from drt.exact.certify import certify
from drt.falsify.shrink import shrink
from drt.witness.witness import Witness
from tests.exact.cases import identity, witness

FALLS = "theorem1.function.as-stated"


def violated(w):
    return certify(w, max_bits=256).answer == "violated"


def wide():
    """Three layers, contracting at the last, where the signal is killed; awkward numbers, 700 times the bound."""
    first, zero = [[0.9137, 0.0], [0.0, 0.9137]], identity(2, 0)
    w = witness(FALLS, [first, identity(2), [[1.0, 0.0]]], [zero, zero, [[0.0, 0.7319]]], [0.0013, 0.9973])
    assert violated(w)
    return w


def test_what_comes_out_is_a_violation_and_as_small_as_can_be():
    small = shrink(wide(), violated, 600)
    assert violated(small)
    assert len(small.weights) == 1
    entries = [v for m in (*small.weights, *small.dweights, (small.x,)) for row in m for v in row]
    assert len(entries) <= 6
    assert sum(len(str(v)) for v in entries) < 30


def test_candidates_are_counted_and_no_more_are_looked_at():
    for budget in (0, 1, 17):
        seen = []

        def accept(candidate, seen=seen):
            seen.append(candidate)
            return False

        w = wide()
        assert shrink(w, accept, budget) == w
        assert len(seen) == budget


def test_only_what_is_accepted_is_kept():
    """A reader who needs two layers gets two."""
    small = shrink(wide(), lambda w: violated(w) and len(w.weights) >= 2, 600)
    assert len(small.weights) == 2


def test_whatever_is_accepted_always_ends_with_the_simplest_of_all():
    small = shrink(wide(), lambda w: True, 5000)
    assert [len(m) for m in small.weights] == [1]
    assert small.weights == (((1,),),)
    assert small.dweights == (((0,),),)


def test_activations_and_biases_become_simpler():
    w = witness(FALLS, [identity(2)], [identity(2)], [1, 1], "tanh_blend:0.3137", biases=[[0.12345, 7]])
    small = shrink(w, lambda c: True, 2000)
    assert small.activations == ("identity",)
    assert small.biases is None
    kept = shrink(w, lambda c: c.activations != ("identity",), 2000)
    assert kept.activations == ("leaky_relu:0.5",)


def test_targets_of_descents_shrink_with_the_outputs():
    claim = drt.claims["lemma1"]
    net, dw = drt.Network([[[1.5, 0.25], [0.5, 2.0]]], "identity"), [[[0.1, 0.2], [0.3, 0.4]]]
    w = Witness.from_floats(claim, net, dw, [1.0, 2.0], target=[3.14159, 2.0])
    small = shrink(w, lambda c: True, 2000)
    assert len(small.target) == len(small.weights[-1]) == 1
    assert len(str(small.target[0])) == 1


def test_an_entry_keeps_the_digits_that_it_needs():
    """x₁ within 10⁻⁶ of 0.0123456 takes five digits; within 10⁻², one."""
    w = witness(FALLS, [[[1, 0]]], [[[0, "1/2"]]], ["123456/10000000", 1])
    for off, longest in ((fmpq(1, 10**6), 13), (fmpq(1, 100), 5)):
        near = shrink(w, lambda c, off=off: len(c.x) == 2 and c.x[0] > 0 and abs(c.x[0] - w.x[0]) < off, 2000)
        assert abs(near.x[0] - w.x[0]) < off
        assert len(str(near.x[0])) <= longest
