"""Laws fitted to data made by each of them: parameters come back, and no other law with as few parameters is closer."""

import numpy as np
import pytest
from scipy import stats

from drt.experiments import laws

ETA = np.arange(100) / 1000
RHO = np.array([3.0, 5.0, 8.0, 2.0])


def made(name, factor, shape):
    with np.errstate(divide="ignore"):
        return 10 ** (np.log10(factor) + laws.LAWS[name].log10_shape(ETA, shape, RHO))


@pytest.mark.parametrize(
    ("name", "factor", "shape"),
    [
        ("deep relative trust", 1, 1),
        ("spectral relative trust", 1, 1),
        ("linear", 40.0, 1),
        ("scaled", 1, 8.1),
        ("scaled spectral", 1, 1.9),
        ("power", 30.0, 1.7),
        ("exponential", 0.3, 60.0),
        ("effective depth", 0.2, 45.0),
    ],
)
def test_a_law_recovers_itself(name, factor, shape):
    fits = laws.fit_all(ETA, made(name, factor, shape), RHO)
    assert fits[name].factor == pytest.approx(factor, rel=1e-3)
    assert fits[name].shape == pytest.approx(shape, rel=1e-3)
    assert fits[name].error < 1e-4
    assert fits[name].r2 > 1 - 1e-6
    others = [f.error for other, f in fits.items() if laws.LAWS[other].parameters <= laws.LAWS[name].parameters]
    assert min(others) == pytest.approx(fits[name].error, abs=1e-4)


def test_the_formulas_are_what_they_say():
    eta = 0.05
    at = int(eta * 1000)
    assert made("deep relative trust", 1, 1)[at] == pytest.approx((1 + eta) ** 4 - 1)
    assert made("spectral relative trust", 1, 1)[at] == pytest.approx(np.prod(1 + eta * RHO) - 1)
    assert made("scaled", 1, 3.0)[at] == pytest.approx((1 + 3 * eta) ** 4 - 1)
    assert made("exponential", 2.0, 7.0)[at] == pytest.approx(2 * (np.exp(7 * eta) - 1))
    assert made("effective depth", 2.0, 9.0)[at] == pytest.approx(2 * ((1 + eta) ** 9 - 1))


def test_an_error_is_in_decades():
    """Twice the law at every other point: half of log10 2 on either side of the fit."""
    change = made("linear", 5.0, 1) * np.where(np.arange(100) % 2, 2.0, 1.0)
    assert laws.fit("linear", ETA, change, RHO).error == pytest.approx(np.log10(2) / 2, rel=1e-3)


def test_points_that_cannot_be_used_are_left_out():
    change = made("linear", 5.0, 1)
    change[::3] = np.nan
    change[1] = np.inf
    assert laws.fit("linear", ETA, change, RHO).factor == pytest.approx(5.0)
    assert laws.fit_all(ETA, np.full(100, np.nan), RHO) == {}


def test_growth_and_the_first_point_that_reaches_a_level():
    change = 0.5 * 10 ** (30 * ETA)
    assert laws.slope(ETA, change) == pytest.approx(30)
    assert laws.first_reach(ETA, change, 1.0) == pytest.approx(0.011)
    assert np.isnan(laws.first_reach(ETA, change, 1e9))
    assert np.isnan(laws.slope(ETA, np.full(100, np.nan)))


def noisy(name, factor, shape, rng, autocorrelation, size=0.05):
    """A slice of 25 η whose log₁₀ errors are a stationary autoregression."""
    eta = np.geomspace(1e-3, 0.1, 25)
    errors = rng.normal(size=len(eta))
    for i in range(1, len(eta)):
        errors[i] = autocorrelation * errors[i - 1] + np.sqrt(1 - autocorrelation**2) * errors[i]
    return eta, 10 ** (np.log10(factor) + laws.LAWS[name].log10_shape(eta, shape, RHO) + size * errors)


@pytest.mark.parametrize("autocorrelation", [0.0, 0.8, 0.95])
def test_the_interval_holds_the_true_effective_depth_about_95_times_in_100(autocorrelation):
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        eta, change = noisy("effective depth", 0.3, 60.0, rng, autocorrelation)
        found = laws.fit("effective depth", eta, change, RHO)
        low, high = laws.interval(found, eta, change, RHO)
        assert low <= found.shape <= high
        held += low <= 60 <= high
    assert held >= 89  # 95 − 2.7 standard deviations of the count, √(100·0.95·0.05) = 2.2


def test_errors_that_go_together_widen_the_interval():
    rng = np.random.default_rng(1)
    lows, highs = {}, {}
    for autocorrelation in (0.0, 0.8):
        ends = []
        for _ in range(20):
            eta, change = noisy("effective depth", 0.3, 60.0, rng, autocorrelation)
            ends.append(laws.interval(laws.fit("effective depth", eta, change, RHO), eta, change, RHO))
        lows[autocorrelation], highs[autocorrelation] = np.median(ends, axis=0)
    assert lows[0.8] < lows[0.0] < 60 < highs[0.0] < highs[0.8]


def test_an_exact_law_has_an_interval_of_one_point_and_a_line_no_lower_end():
    change = made("effective depth", 0.2, 45.0)
    low, high = laws.interval(laws.fit("effective depth", ETA, change, RHO), ETA, change, RHO)
    assert low == pytest.approx(45, rel=1e-3)
    assert high == pytest.approx(45, rel=1e-3)
    eta, change = noisy("power", 1.0, 0.5, np.random.default_rng(2), 0.0)
    found = laws.fit("effective depth", eta, change, RHO)
    assert laws.interval(found, eta, change, RHO)[0] == 0
    assert laws.fit("power", eta, change, RHO).error < 0.25 * found.error


def log10_residuals(eta, change, exponent):
    """log₁₀ of measured over C[(1+η)ᴱ − 1], C the best for this E."""
    gap = np.log10(change) - np.log10(np.expm1(exponent * np.log1p(eta)))
    return gap - gap.mean()


@pytest.mark.parametrize("autocorrelation", [0.0, 0.6, 0.9])
def test_the_ends_of_an_interval_are_where_the_profile_reaches_its_level(autocorrelation):
    """Transcribed: error²(b) = error²(b̂)·[1 + F₀.₉₅(1, ν)/ν], ν = n(1−r)/(1+r) − 2, r the residuals' own plus (2+3r)/n."""
    rng, freedoms = np.random.default_rng(3), []
    for _ in range(10):
        eta, change = noisy("effective depth", 0.3, 60.0, rng, autocorrelation)
        found = laws.fit("effective depth", eta, change, RHO)
        gap, n = log10_residuals(eta, change, found.shape), len(eta)
        raw = max((gap[1:] * gap[:-1]).sum() / (gap**2).sum(), 0.0)
        r = min(raw + (2 + 3 * raw) / n, 1.0)
        freedom = max(n * (1 - r) / (1 + r) - 2, 1.0)
        level = (gap**2).sum() * (1 + stats.t.ppf(0.975, freedom) ** 2 / freedom)
        ends = laws.interval(found, eta, change, RHO)
        for end in ends[ends[0] == 0 :]:  # 0: the level is not reached on the way down
            assert (log10_residuals(eta, change, end) ** 2).sum() == pytest.approx(level, rel=1e-6)
        freedoms.append(freedom)
    if not autocorrelation:
        assert np.median(freedoms) > 5, "the floor of one degree of freedom is not all that is tested"
