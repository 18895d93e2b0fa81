from proofs_checks import equation3
from tests.proofs_checks.common import m_of, named


def test_product_of_the_changes_left_out():
    m = m_of(equation3.FUNCTION, delta=1.0, perturbation="aligned", batch=64)
    assert named(equation3.FUNCTION, 2, lambda t: t.put("matrices", above=t.numbers["‖W‖"]), m) == [2]


def test_is_an_equality_where_both_changes_grow():
    m = m_of(equation3.FUNCTION, delta=0.5, perturbation="aligned", batch=64)
    walk = equation3.FUNCTION.walk(m)
    net, (first, second) = m.instance.net, m.instance.dweights
    grow = ((first / net.weights[0]).flatten() > 0) & ((second / net.weights[1]).flatten() > 0)
    assert grow.any()
    assert (walk.slack.sum(-1)[grow].abs() < 1e-12).all()
