"""The extremal steps attain what they are said to attain, and break what is false."""

import math

import pytest
import torch

import drt
from drt.descent.losses import MeanSquaredError
from drt.descent.measurement import measure_descent
from drt.falsify.extremal_descent import NAMES, allowed, steps
from drt.theory.verdict import Verdicts
from tests.instances import array


def largest(claim_id, name):
    """The largest actual/bound over a construction's instances."""
    found = [Verdicts(drt.claims[claim_id], m).log_ratio.nan_to_num(-math.inf).max() for _, m in steps([name])]
    return math.exp(max(found))


@pytest.mark.parametrize(
    ("claim_id", "name", "least"),
    [
        ("lemma2", "towards", 0.499),  # half at most: the mean is at most half of the largest change
        ("lemma2.mean", "towards", 0.998),
        ("lemma2.constant", "towards", 0.499),
        ("spectral-relative-trust.constant", "away", 1 - 1e-12),
        ("lemma1", "early_kink", 0.9998),
        ("condition4", "early_kink", 0.998),
    ],
)
def test_what_is_true_is_attained_and_not_exceeded(claim_id, name, least):
    assert least <= largest(claim_id, name) <= 1 + 1e-12


@pytest.mark.parametrize(
    ("claim_id", "name"),
    [("lemma2.unconditional", "towards"), ("deep-relative-trust", "away"), ("spectral-relative-trust", "away")],
)
def test_what_is_false_breaks(claim_id, name):
    assert sum(Verdicts(drt.claims[claim_id], m).count("violated") for _, m in steps([name])) > 0
    assert largest(claim_id, name) > 10


def test_every_name_is_built():
    assert {name for name, _ in steps()} == set(NAMES)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_allowed_eta(depth):
    lemma2, mean = allowed(depth)
    assert (1 + lemma2) ** depth == pytest.approx(2)
    assert ((1 + mean) ** (depth + 1) - 1) / ((depth + 1) * mean) == pytest.approx(2, rel=1e-12)


def test_away_by_hand():
    """f = w₂w₁ from 1 to 1.1², y = 1 − r: the residual grows from r to r + 0.21, g_1 by a further 1.1."""
    net = drt.Network([array([1.0]), array([1.0])], "identity")
    m = measure_descent(net, [array([0.1]), array([0.1])], array([1.0]), MeanSquaredError(array([0.5])))
    assert m.step_change.tolist() == pytest.approx([(0.5 + 0.21) / 0.5 * 1.1 - 1] * 2, rel=1e-12)
    assert float(m.gamma) == pytest.approx(0.42)
    assert torch.allclose(m.rho, torch.tensor(0.1, dtype=torch.float64))
