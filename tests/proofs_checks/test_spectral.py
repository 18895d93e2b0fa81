from proofs_checks import spectral
from tests.proofs_checks.common import extremal_instances, m_of, named, of


def test_induction_that_forgets_kappa_for_function_is_still_below_but_upside_down_is_not():
    def upside_down(t):
        return t.put("induction", kept=t.numbers["s"] - t.numbers["‖W‖"])

    assert named(spectral.FUNCTION, 8, upside_down, m_of(spectral.FUNCTION)) == [8]
    assert named(spectral.JACOBIAN, 8, upside_down, m_of(spectral.JACOBIAN)) == [8]


def test_perturbation_left_out_of_the_new_norm():
    aligned = m_of(spectral.JACOBIAN, delta=1.0, perturbation="aligned", batch=64)
    assert named(spectral.JACOBIAN, 5, lambda t: t.put("matrices", above=t.numbers["‖W‖"]), aligned) == [5]


def test_nearly_attained_where_the_error_takes_the_other_channel():
    """rank_one_channels: all steps but the induction and the triangle lose next to nothing at one layer."""
    m = of(spectral.FUNCTION, extremal_instances(depth=1, alpha=1.0)["rank_one_channels"])
    walk = spectral.FUNCTION.walk(m)
    assert (walk.slack.sum(-1).abs() < 1e-9).all()
