import torch

from proofs_checks import neyshabur
from proofs_checks.terms import Log
from tests.proofs_checks.common import m_of, named


def test_one_for_the_exponential():
    assert named(
        neyshabur.FUNCTION, 8, lambda t: t.put("matrices", above=t.numbers["‖W‖"]), m_of(neyshabur.FUNCTION)
    ) == [8]


def test_rho_at_most_one_over_l_squared():
    def wrong(t):
        share = torch.full_like(t.numbers["β"].value, 1 / len(t.order) ** 2)
        return t.put("matrices", above=t.numbers["‖W‖"] + Log(share, torch.zeros_like(share)))

    m = m_of(neyshabur.FUNCTION, delta=0.3, norm="rho")
    assert named(neyshabur.FUNCTION, 9, wrong, m) == [9]


def test_beyond_small_perturbations_it_does_not_apply():
    assert not neyshabur.FUNCTION.walk(m_of(neyshabur.FUNCTION, delta=3.0, norm="rho")).applicable.any()
