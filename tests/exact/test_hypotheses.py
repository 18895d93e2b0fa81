"""Hypotheses of one witness, in exact numbers: met or missed for certain, at equality, too, with the reason."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from flint import ctx, fmpq

import drt
from drt.exact.certify import TWINS, certify
from drt.exact.hypotheses import unmet
from drt.exact.network import ExactNetwork
from drt.exact.surds import Undecided
from drt.theory.hypotheses import hypotheses
from tests.exact.cases import identity, witness


def test_rank_deficient_matrices_are_inapplicable_not_infinite():
    singular = [[1, 2], [2, 4]]
    for claim, weights, dweights, symbol in (
        ("theorem1.function", singular, identity(2), "W_1"),
        ("theorem1.function", identity(2), singular, "ΔW_1"),
        ("theorem1.function", identity(2), identity(2, -1), "W̃_1"),
        ("kappa.function", identity(2), singular, "ΔW_1"),
        ("spectral.function", singular, identity(2), "W_1"),
    ):
        c = certify(witness(claim, [weights], [dweights], [1, 2]))
        assert c.answer == "inapplicable"
        assert c.reason.endswith(f"κ({symbol}) = ∞: rank-deficient")
    assert certify(witness("spectral.function", [identity(2)], [singular], [1, 1])).answer == "holds"


@pytest.mark.parametrize(
    ("claim", "changes", "reason"),
    [
        ("theorem1.function", {"activations": ("relu",)}, "transmission: α = 0, which must be > 0"),
        ("theorem1.function", {"biases": [[1, 1]]}, "biases: the network has biases"),
        ("theorem1.function", {"weights": [[[1, -1], [2, -2]]], "x": [1, 1]}, "nonzero: f(x) is zero"),
        ("neyshabur.function", {"dweights": [identity(2, "1001/1000")]}, "small: ρ_1 > 1/L = 1/1"),
        (
            "neyshabur.function",
            {"activations": ("piecewise_linear:0.0/1.0,1.5",)},
            "lipschitz: β > 1, which must be ≤ 1",
        ),
        ("equation3", {}, "scalars: widths 2-2, not two scalars"),
        ("relu-model", {}, "relu: φ is identity, not relu"),
    ],
)
def test_missed_hypotheses_are_named(claim, changes, reason):
    w = witness(claim, [identity(2)], [identity(2, "1/2")], [1, 2])
    c = certify(replace(w, **changes))
    assert (c.answer, c.reason) == ("inapplicable", reason)


def test_hypotheses_are_checked_at_equality():
    """ρ_1 = 1/L exactly is small, and one part in 10⁴⁰ more is not."""
    w = witness("neyshabur.function", [identity(2)], [identity(2)], [1, 2])
    assert certify(w).answer == "holds"
    assert certify(replace(w, dweights=[identity(2, 1 + fmpq(1, 10**40))])).answer == "inapplicable"


@pytest.mark.parametrize(
    ("widths", "met"), [((3, 2, 3), True), ((2, 3, 2), False), ((3, 3, 1), True), ((1, 2, 2), True)]
)
def test_valleys(widths, met):
    ones = [[[1 + (i == j) for j in range(a)] for i in range(b)] for a, b in zip(widths, widths[1:], strict=False)]
    c = certify(witness("theorem1.jacobian", ones, ones, [1] * widths[0]))
    assert (c.answer == "holds") == met


def rising(widths):
    return list(widths) == sorted(widths)


WIDTHS = {
    "theorem1.function": rising,
    "theorem1.jacobian": lambda n: any(rising(n[: k + 1][::-1]) and rising(n[k:]) for k in range(len(n))),
    "lemma2.constant": lambda n: n[0] <= n[1] and len(set(n[1:-1])) == 1 and n[-1] <= n[-2] if len(n) > 2 else True,
}


@pytest.mark.parametrize("claim", WIDTHS)
def test_every_pair_of_widths_is_looked_at(claim):
    """All widths up to three, one to four of them in a row: each quantity asks for its own pattern and nothing else."""
    for length in (2, 3, 4):
        for widths in itertools.product((1, 2, 3), repeat=length):
            ones = [[[1] * a for _ in range(b)] for a, b in itertools.pairwise(widths)]
            target = {"target": [5] * widths[-1]} if claim.startswith("lemma2") else {}
            w = witness(claim, ones, ones, [1] * widths[0], **target)
            m = TWINS[w.quantity](ExactNetwork(w), 0, 128, False)
            met = unmet(("widths",), m) == ""
            assert met == WIDTHS[claim](widths), widths


def test_a_hypothesis_missed_for_certain_counts_before_one_that_is_not_told():
    """φ(1) + φ(−1) with tanh: a ball around 0, of which no precision tells whether it is; α = 0 is certain."""
    w = witness("theorem1.function", [[[1], [-1]], [[1, 1]]], [[[1], [0]], [[1, 0]]], [1], ("tanh_blend:0.5", "relu"))
    with ctx.workprec(128):
        m = TWINS[w.quantity](ExactNetwork(w), 0, 128, False)
        with pytest.raises(Undecided, match="what is divided by is not told from zero"):
            unmet(("nonzero",), m)
        assert unmet(("nonzero", "transmission"), m).startswith("transmission: α = 0")


def test_a_users_hypothesis_is_asked_of_the_architecture():
    @drt.hypothesis
    def narrow(m):
        """No layer is wider than two."""
        return max(m.widths) <= 2

    try:
        for n, reason in ((2, ""), (3, "narrow: No layer is wider than two.")):
            w = witness("theorem1.function", [identity(n)], [identity(n)], [1] * n)
            assert unmet(("narrow",), TWINS[w.quantity](ExactNetwork(w), 0, 128, True)) == reason
    finally:
        del hypotheses["narrow"]
