from proofs_checks import telescoping
from tests.proofs_checks.common import extremal_instances, m_of, named, of


def test_norm_of_the_old_weights_for_the_new():
    m = m_of(telescoping.FUNCTION, delta=2.0, perturbation="aligned", batch=64)
    assert named(telescoping.FUNCTION, 3, lambda t: t.put("matrices", above=t.numbers["‖W‖"] * 1), m) == [3]


def test_alpha_for_beta():
    def wrong(t):
        return t.put("slopes", above=t.numbers["α"], own=t.numbers["α"])

    assert named(telescoping.FUNCTION, 2, wrong, m_of(telescoping.FUNCTION)) == [2]


def test_any_widths_and_relu():
    m = of(telescoping.FUNCTION, extremal_instances(depth=2, alpha=0.0)["late_fall"])
    walk = telescoping.FUNCTION.walk(m)
    assert walk.applicable.all()
    assert walk.named() == ""
