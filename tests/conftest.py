"""What every test shares: one thread, the same Hypothesis examples in every run, shapes checked in signatures."""

import jaxtyping

# Before drt is imported: every annotated function of these modules checks its arguments' shapes at run time.
# Lines such as `x: Float[Tensor, "... n"]` in signatures would otherwise never be seen to be wrong.
# Not drt.spectra and drt.propagate: their many small calls would double the time of the suite (these four add a tenth).
jaxtyping.install_import_hook(
    [
        "drt.network.network",
        "drt.measurement.instance",
        "drt.measurement.measurement",
        "drt.measurement.rounding",
        "drt.theory.verdict",
    ],
    "beartype.beartype",
)

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

torch.set_num_threads(1)
settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


def pytest_configure(config):
    config.addinivalue_line("markers", "bad_input: passes what signatures forbid; drt's own validation must catch it")


@pytest.fixture(autouse=True)
def _signatures_unchecked_for_bad_input(request):
    unchecked = request.node.get_closest_marker("bad_input") is not None
    jaxtyping.config.update("jaxtyping_disable", unchecked)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
