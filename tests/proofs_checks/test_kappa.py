from proofs_checks import kappa
from tests.proofs_checks.common import m_of, named


def test_kappa_left_out_of_the_conditioning():
    def wrong(t):
        zero = t.numbers["κ"] * 0
        t = t.put("matrices", above=zero, own=t.numbers["κ"] + t.numbers["δ"])
        return t.put("signal matrices", above=zero, own=zero)

    assert named(kappa.FUNCTION, 9, wrong, m_of(kappa.FUNCTION)) == [9]


def test_never_above_theorem1():
    from proofs_checks import theorem1

    m = m_of(kappa.FUNCTION)
    assert (kappa.FUNCTION.walk(m).logs[..., -1] <= theorem1.FUNCTION.walk(m).logs[..., -1] + 1e-12).all()
