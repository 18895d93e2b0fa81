import pytest
import torch

from drt.measurement.measurement import Measurement
from drt.measurement.quantity import JACOBIAN
from drt.network.activations import TanhBlend
from proofs_checks import proposition1
from tests.proofs_checks.common import assert_holds, extremal_instances, of, random_instance, trained_instances


@pytest.mark.parametrize("activation", ["leaky_relu:0.1", "tanh_blend:0.3", "identity", "relu"])
def test_holds_on_random_networks(activation):
    assert_holds(proposition1.JACOBIAN, of(proposition1.JACOBIAN, random_instance(proposition1.JACOBIAN, activation)))


def test_holds_on_extremal_and_trained_networks():
    for instance in extremal_instances().values():
        assert_holds(proposition1.JACOBIAN, Measurement.of(instance, JACOBIAN, 0), some=False)
    assert_holds(proposition1.JACOBIAN, Measurement.of(trained_instances()[0], JACOBIAN, 1))


def test_a_wrong_derivative_is_caught_and_named(monkeypatch):
    m = of(proposition1.JACOBIAN, random_instance(proposition1.JACOBIAN, "tanh_blend:0.3"))
    monkeypatch.setattr(TanhBlend, "slope", lambda self, z: self.a + (1 - self.a) / torch.cosh(z))
    walk = proposition1.JACOBIAN.walk(m)
    assert walk.named().startswith("proposition1#1, chain rule")
