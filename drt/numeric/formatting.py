"""Numbers as people read them: in tables, sentences and on axes. Nothing here computes, and nothing draws."""

from __future__ import annotations

import math

ROUNDING = 1e-12  # a ratio this close to 1 is 1 up to rounding
DECIMALS = 6  # at most so many digits after the point; a gap to 1 that needs more is written as a difference
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(x: float | None) -> str:
    """Three digits, and never 1 for what is not: 0.982, 5,040, 1.2e-9, 0.99997, 1 − 3e-10; "" for None."""
    if x is None:
        return ""
    gap = abs(x - 1)
    if gap < ROUNDING:
        return "1"
    if gap < 5e-4:  # three digits would say 1
        digit, _, exponent = f"{gap:.0e}".partition("e")
        decimals = -int(exponent)
        return f"{x:.{decimals}f}" if decimals <= DECIMALS else f"1 {'−' if x < 1 else '+'} {digit}e{int(exponent)}"
    return f"{x:,.0f}" if 999.5 <= x < 1e6 else _short(x)


def _short(x: float) -> str:
    mantissa, e, exponent = f"{x:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def orders(log10: float | None) -> str:
    """A looseness, in orders of magnitude with one decimal; "" for None."""
    return "" if log10 is None else f"{round(log10, 1) + 0.0:.1f}"  # + 0.0: no minus zero


def factor(log10: float) -> str:
    """10^log10 in words that suit its size: 1.7, 350, 13,000, 10⁹."""
    return power_of_ten(log10) if log10 >= 5 else f"{float(f'{10**log10:.2g}'):,.15g}"


def power_of_ten(exponent: float) -> str:
    """10⁻³ for −3; 1 for 0 and 10 for 1."""
    exponent = round(exponent)
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(_SUPERSCRIPTS))


def ratio(value: float | None, log: float | None) -> str:
    """A ratio, from its natural logarithm where the ratio itself is out of range; "" where there is neither."""
    if log is not None and (value is None or not 1e-300 < value < 1e300):
        return f"1e{round(log / math.log(10))}"
    return number(value)
