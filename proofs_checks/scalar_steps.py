"""The scalar inequality behind each step of the chains: left ≤ right, and why.

    right − left = Σ Π factors,   every factor a hypothesis ("given" ≥ 0), a square or a positive number

modulo equations ("such that" = 0). A mutant is the same step with a mistake in it; it must have a counter-model.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Rational, symbols


@dataclass(frozen=True)
class ScalarStep:
    """left ≤ right (or left = right). gap: the products whose sum is right − left. mutant: (left, right), false."""

    name: str
    statement: str
    left: Expr
    right: Expr
    given: tuple[Expr, ...]
    gap: tuple[tuple[Expr, ...], ...]
    mutant: tuple[Expr, Expr]
    equations: tuple[Expr, ...] = ()
    equality: bool = False


u1, u2, v1, v2 = symbols("u1 u2 v1 v2", real=True)
alpha, beta, b, c, y = symbols("alpha beta b c y", real=True)
s1, s2, c1, c2, c3, S, s, t = symbols("s1 s2 c1 c2 c3 S s t", real=True)
K, p, q, r, x, d, C, D, P, R, X = symbols("K p q r x d C D P R X", real=True)
A, B, n, m, e, f, E, F = symbols("A B n m e f E F", real=True)
M, F1, F2, w1, w2, a, w, eta, gamma = symbols("M F1 F2 w1 w2 a w eta gamma", real=True)
TWO, HALF = Integer(2), Rational(1, 2)

SCALAR_STEPS = (
    ScalarStep(
        "cauchy-schwarz",
        "⟨u,v⟩² ≤ ‖u‖²‖v‖²: Lagrange's identity, in two coordinates",
        (u1 * v1 + u2 * v2) ** 2,
        (u1**2 + u2**2) * (v1**2 + v2**2),
        (),
        (((u1 * v2 - u2 * v1) ** 2,),),
        ((u1 * v1 + u2 * v2) ** 2, u1**2 * v1**2 + u2**2 * v2**2),
    ),
    ScalarStep(
        "triangle",
        "‖u + v‖² ≤ (‖u‖ + ‖v‖)², where ⟨u,v⟩ = d ≤ ‖u‖‖v‖",
        n**2 + 2 * d + m**2,
        (n + m) ** 2,
        (n, m, n * m - d),
        ((TWO, n * m - d),),
        (n**2 + 2 * d + m**2, n**2 + m**2),
    ),
    ScalarStep(
        "absolute-values",
        "|u + v| ≤ |u| + |v| for numbers",
        (e + f) ** 2,
        (E + F) ** 2,
        (E - e, E + e, F - f, F + f),
        ((E - e, F + f), (E + e, F - f), (E - e, E + e), (F - f, F + f)),
        ((e + f) ** 2, E**2 + F**2),
    ),
    ScalarStep(
        "slope-at-most",
        "|by| ≤ β|y| for a slope |b| ≤ β",
        b**2 * y**2,
        beta**2 * y**2,
        (beta - b, beta + b),
        ((beta - b, beta + b, y**2),),
        (b**2 * y**2, beta * b * y**2),
    ),
    ScalarStep(
        "slope-change",
        "|b − c| ≤ β − α for two slopes in [α, β]",
        (b - c) ** 2,
        (beta - alpha) ** 2,
        (alpha, b - alpha, c - alpha, beta - b, beta - c),
        ((beta - b, beta - c), (beta - b, b - alpha), (c - alpha, beta - c), (c - alpha, b - alpha)),
        ((b - c) ** 2, (beta - alpha) ** 2 / 4),
    ),
    ScalarStep(
        "slope-at-least",
        "α|y| ≤ |by| for a slope b ≥ α ≥ 0",
        alpha**2 * y**2,
        b**2 * y**2,
        (alpha, b - alpha),
        (((b - alpha) ** 2, y**2), (TWO, alpha, b - alpha, y**2)),
        (alpha * beta * y**2, b**2 * y**2),
    ),
    ScalarStep(
        "operator-norm",
        "Σ s_i²c_i² ≤ S²Σ c_i²: ‖Av‖ ≤ s_max‖v‖ in singular vectors",
        s1**2 * c1**2 + s2**2 * c2**2,
        S**2 * (c1**2 + c2**2),
        (s1, s2, S - s1, S - s2),
        (
            ((S - s1) ** 2, c1**2),
            (TWO, s1, S - s1, c1**2),
            ((S - s2) ** 2, c2**2),
            (TWO, s2, S - s2, c2**2),
        ),
        (s1**2 * c1**2 + s2**2 * c2**2, s1**2 * (c1**2 + c2**2)),
    ),
    ScalarStep(
        "smallest-singular-value",
        "s²Σ c_i² ≤ Σ s_i²c_i²: ‖Av‖ ≥ s_min‖v‖; the mutant has a direction that A kills, as a wide layer does",
        s**2 * (c1**2 + c2**2),
        s1**2 * c1**2 + s2**2 * c2**2,
        (s, s1 - s, s2 - s),
        (
            ((s1 - s) ** 2, c1**2),
            (TWO, s, s1 - s, c1**2),
            ((s2 - s) ** 2, c2**2),
            (TWO, s, s2 - s, c2**2),
        ),
        (s**2 * (c1**2 + c2**2 + c3**2), s1**2 * c1**2 + s2**2 * c2**2),
    ),
    ScalarStep(
        "spectral-by-frobenius",
        "r‖A‖₂² ≤ κ²‖A‖_F² for rank r: ‖A‖₂ = p, the others at least q ≥ p/κ",
        r * p**2,
        K**2 * (p**2 + (r - 1) * q**2),
        (K - 1, r - 1, p, K * q - p),
        (((K - 1) ** 2, p**2), (TWO, K - 1, p**2), (r - 1, (K * q - p) ** 2), (TWO, r - 1, p, K * q - p)),
        (r * p**2, K * (p**2 + (r - 1) * q**2)),
    ),
    ScalarStep(
        "frobenius-by-spectral",
        "‖A‖_F² ≤ r‖A‖₂² for rank r",
        S**2 + (r - 1) * t**2,
        r * S**2,
        (r - 1, t, S - t),
        ((r - 1, (S - t) ** 2), (TWO, r - 1, t, S - t)),
        (S**2 + (r - 1) * t**2, S**2),
    ),
    ScalarStep(
        "condition-number",
        "S(1 + x) ≤ κs(1 + x), where S ≤ κs",
        S * (1 + x),
        K * s * (1 + x),
        (x, K * s - S),
        ((K * s - S,), (K * s - S, x)),
        (S * (1 + x), K * s),
    ),
    ScalarStep(
        "kappa-squared",
        "κ(1 + κδ) ≤ κ²(1 + δ)",
        K * (1 + K * d),
        K**2 * (1 + d),
        (K - 1, d),
        (((K - 1) ** 2,), (K - 1,)),
        (K * (1 + K * d), K * (1 + d)),
    ),
    ScalarStep(
        "induction-function",
        "c((1+d)r + d) ≤ Cc((1+d)P − 1), where r ≤ C(P − 1) and C ≥ 1",
        c * ((1 + d) * r + d),
        C * c * ((1 + d) * P - 1),
        (c, d, C - 1, C * (P - 1) - r),
        ((c, C * (P - 1) - r), (c, d, C * (P - 1) - r), (c, d, C - 1)),
        (c * ((1 + d) * r + d), c * ((1 + d) * P - 1)),
    ),
    ScalarStep(
        "induction-jacobian",
        "K(Dr + D − 1) ≤ CK(DP − 1), where r ≤ C(P − 1), C ≥ 1 and D ≥ 1",
        K * (D * r + D - 1),
        C * K * (D * P - 1),
        (K, D - 1, C - 1, C * (P - 1) - r),
        ((K, C * (P - 1) - r), (K, D - 1, C * (P - 1) - r), (K, C - 1, D - 1)),
        (K * (D * r + D - 1), C * K * D * (P - 1)),
    ),
    ScalarStep(
        "ratio-at-least-one",
        "αX ≤ βX",
        alpha * X,
        beta * X,
        (X, alpha, beta - alpha),
        ((X, beta - alpha),),
        (beta * X, alpha * X),
    ),
    ScalarStep(
        "equation3",
        "(1+e)(1+f) − 1 ≤ (1+|e|)(1+|f|) − 1",
        (1 + e) * (1 + f) - 1,
        (1 + E) * (1 + F) - 1,
        (E - e, E + e, F - f, F + f),
        ((E - e,), (F - f,), (HALF, E - e, F + f), (HALF, E + e, F - f)),
        ((1 + e) * (1 + f) - 1, E + F),
    ),
    ScalarStep(
        "equation3-negative",
        "1 − (1+e)(1+f) ≤ (1+|e|)(1+|f|) − 1",
        1 - (1 + e) * (1 + f),
        (1 + E) * (1 + F) - 1,
        (E - e, E + e, F - f, F + f),
        ((E + e,), (F + f,), (HALF, E - e, F - f), (HALF, E + e, F + f)),
        (1 - (1 + e) * (1 + f), E * F),
    ),
    ScalarStep(
        "exponential",
        "1 + r ≤ E, where E = e^r = 1 + r + R, R = ∫₀^r (r−s)e^s ds ≥ 0",
        1 + r,
        E,
        (r, R),
        ((R,),),
        (1 + 2 * r, E),
        equations=(E - 1 - r - R,),
    ),
    ScalarStep(
        "monotone-product",
        "px ≤ qt for 0 ≤ p ≤ q, 0 ≤ x ≤ t",
        p * x,
        q * t,
        (p, x, q - p, t - x),
        ((q - p, t - x), (q - p, x), (p, t - x)),
        (p * x, q * t / 2),
    ),
    ScalarStep(
        "mean-at-most-maximum",
        "w₁F₁ + w₂F₂ ≤ M for weights that sum to 1",
        w1 * F1 + w2 * F2,
        M,
        (w1, w2, M - F1, M - F2),
        ((w1, M - F1), (w2, M - F2)),
        (w1 * F1 + w2 * F2, F1),
        equations=(w1 + w2 - 1,),
    ),
    ScalarStep(
        "condition4",
        "a(cos θ − m) ≤ fall = a cos θ − R, where Lemma 1's remainder is R ≤ am",
        a * (c - m),
        a * c - R,
        (a, a * m - R),
        ((a * m - R,),),
        (a * c, a * c - R),
    ),
    ScalarStep(
        "prefactor",
        "2s(1 − 1/s) ≤ sη², where s² = 1 + η², s ≥ 1: 1 − p ≤ η²/2",
        2 * s - 2,
        s * eta**2,
        (s - 1,),
        (((s - 1) ** 2, s - 1), (Integer(3), (s - 1) ** 2)),
        (2 * s - 2, s * eta**2 / 4),
        equations=(s**2 - 1 - eta**2,),
    ),
    ScalarStep(
        "pythagoras",
        "‖W + ΔW‖² = (1 + η²)‖W‖², where ⟨W, ΔW⟩ = 0 and ‖ΔW‖ = η‖W‖",
        w**2 + 2 * d + e**2,
        (1 + eta**2) * w**2,
        (w, eta),
        (),
        (w**2 + 2 * d + e**2, (1 + eta) ** 2 * w**2),
        equations=(d, e - eta * w),
        equality=True,
    ),
    ScalarStep(
        "fixed-point",
        "s² ≤ (1 + η)², where s² = 1 + η²: p(1 + η) ≥ 1",
        s**2,
        (1 + eta) ** 2,
        (eta, s),
        ((TWO, eta),),
        (s**2, (1 + eta / 2) ** 2),
        equations=(s**2 - 1 - eta**2,),
    ),
    ScalarStep(
        "relative-size",
        "‖W⁺ − W‖²/‖W‖² = 2(1 − p)(1 + pηc), where p²(1 + η²) = 1",
        (1 - p) ** 2 + 2 * (1 - p) * p * eta * c + p**2 * eta**2,
        2 * (1 - p) * (1 + p * eta * c),
        (p, eta),
        (),
        ((1 - p) ** 2 + 2 * (1 - p) * p * eta * c + p**2 * eta**2, eta**2),
        equations=(p**2 * (1 + eta**2) - 1,),
        equality=True,
    ),
    ScalarStep(
        "lars-reviewer",
        "βγ = pηβ(1 + β): LARS with β(1 + β) = (s − 1)/η and γβ = 1 − p is Fromage",
        beta * gamma,
        p * eta * beta * (1 + beta),
        (eta, beta),
        (),
        (beta * gamma, eta * beta * (1 + beta)),
        equations=(
            p * s - 1,
            s**2 - 1 - eta**2,
            q * eta - s + 1,
            beta**2 + beta - q,
            gamma * beta - 1 + p,
        ),
        equality=True,
    ),
    ScalarStep(
        "lars-published",
        "pηq = 1 − p: published LARS with γ = pη(1 + q), q = (s − 1)/η, is Fromage",
        p * eta * q,
        1 - p,
        (eta, s),
        (),
        (eta * q, 1 - p),
        equations=(p * s - 1, s**2 - 1 - eta**2, q * eta - s + 1),
        equality=True,
    ),
)
