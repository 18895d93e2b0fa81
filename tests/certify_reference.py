"""A second opinion on the certifier: the same quantities at 320 digits, by mpmath, written as naively as the paper.

python tests/certify_reference.py 10000     checks that many random instances and prints what it found
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from fractions import Fraction

import mpmath as mp
from flint import arb, ctx

import drt
from drt.exact.balls import Balls
from drt.exact.certify import TWINS, Certificate, certify
from drt.exact.network import ExactNetwork
from drt.exact.surds import ball
from drt.theory.registry import of_network
from drt.witness.witness import Witness

DIGITS = 320
TRUSTED = mp.mpf(10) ** -250  # the relative error of the reference is far below this

ACTIVATIONS = (
    "identity",
    "relu",
    "leaky_relu:0.1",
    "leaky_relu:0.5",
    "tanh_blend:0.5",
    "softplus_blend:0.25",
    "piecewise_linear:-1.0,0.0,0.5/0.5,1.0,2.0,0.25",
    "negated:leaky_relu:0.3",
    "negated:tanh_blend:0.1",
)
CLAIMS = [c.id for c in of_network() if c.id not in ("proposition1", "equation3")]


def _phi(spec: str, z, derivative: bool):
    if spec.startswith("negated:"):
        return -_phi(spec.removeprefix("negated:"), z, derivative)
    name, _, rest = spec.partition(":")
    if name == "identity":
        return mp.mpf(1) if derivative else z
    if name in ("relu", "leaky_relu"):
        a = mp.mpf(float(rest)) if rest else mp.mpf(0)
        return (1 if z > 0 else a) * (1 if derivative else z)
    if name == "tanh_blend":
        a = mp.mpf(float(rest))
        return a + (1 - a) * (1 - mp.tanh(z) ** 2) if derivative else a * z + (1 - a) * mp.tanh(z)
    if name == "softplus_blend":
        a = mp.mpf(float(rest))
        return a + (1 - a) / (1 + mp.exp(-z)) if derivative else a * z + (1 - a) * (mp.log(1 + mp.exp(z)) - mp.log(2))
    kinks, slopes = ([mp.mpf(float(v)) for v in part.split(",")] for part in rest.split("/"))
    if derivative:
        return slopes[sum(1 for k in kinks if z > k)]
    if z < 0:  # ∫ of the mirrored slopes
        kinks, slopes, z, sign = [-k for k in kinks[::-1]], slopes[::-1], -z, -1
    else:
        sign = 1
    total, at = mp.mpf(0), mp.mpf(0)
    for k, slope in zip([*kinks, mp.inf], slopes, strict=True):
        if k > at:
            total += slope * max(min(z, k) - at, 0)
            at = k
    return sign * total


def _alpha_beta(spec: str) -> tuple[mp.mpf, mp.mpf]:
    name, _, rest = spec.removeprefix("negated:").partition(":")
    if name in ("identity", "relu"):
        return mp.mpf(name == "identity"), mp.mpf(1)
    if name == "piecewise_linear":
        slopes = [mp.mpf(float(v)) for v in rest.split("/")[1].split(",")]
        return min(slopes), max(slopes)
    return mp.mpf(float(rest)), mp.mpf(1)


def _number(q) -> mp.mpf:
    return mp.mpf(int(q.p)) / int(q.q)


def _singular(matrix) -> list:
    values = mp.svd_r(matrix if matrix.rows >= matrix.cols else matrix.T, compute_uv=False)
    return sorted(values, reverse=True)


def _kappa(matrix):
    s = _singular(matrix)
    return mp.inf if s[-1] <= s[0] * TRUSTED else s[0] / s[-1]


def _norm(matrix):
    return mp.sqrt(sum(v * v for v in matrix))


class Reference:
    """The measured fields and the formulas of the claims, each as the paper writes it."""

    def __init__(self, w: Witness):
        ws, dws = ([mp.matrix([[_number(v) for v in row] for row in m]) for m in g] for g in (w.weights, w.dweights))
        x = mp.matrix([_number(v) for v in w.x])
        f, slopes, hidden = self._forward(ws, w.activations, x)
        ft, slopes_t, _ = self._forward([a + b for a, b in zip(ws, dws, strict=True)], w.activations, x)
        layer = w.layer
        if w.quantity == "function":
            self.reference, moved = _norm(f), _norm(ft - f)
        else:
            j, jt = (
                self._jacobian(ws, slopes, layer),
                self._jacobian([a + b for a, b in zip(ws, dws, strict=True)], slopes_t, layer),
            )
            self.reference, moved = _norm(j), _norm(jt - j)
        if moved < self.reference * mp.mpf(10) ** (20 - DIGITS):  # all digits of the difference are lost
            moved = mp.mpf(0)
        self.norm_df = moved
        self.change = moved / self.reference if self.reference else mp.nan
        self.norm_x, self.norm_f = _norm(x), _norm(f)
        self.norm_dwh = [_norm(dw * h) for dw, h in zip(dws, hidden, strict=False)][layer:]
        ws, dws = ws[layer:], dws[layer:]
        wts = [a + b for a, b in zip(ws, dws, strict=True)]
        self.delta = [_norm(b) / _norm(a) for a, b in zip(ws, dws, strict=True)]
        self.norm_w, self.norm_dw, self.norm_wt = ([_singular(m)[0] for m in group] for group in (ws, dws, wts))
        self.rho = [b / a for a, b in zip(self.norm_w, self.norm_dw, strict=True)]
        self.kappa_w, self.kappa_wt = [_kappa(m) for m in ws], [_kappa(m) for m in wts]
        self.kappa_dw = [_kappa(m) if _norm(m) else mp.mpf(1) for m in dws]
        self.kappa = max(self.kappa_w + self.kappa_dw + self.kappa_wt)
        self.alphas, self.betas = zip(*(_alpha_beta(s) for s in w.activations[layer:]), strict=True)
        self.depth, self.quantity = len(ws), w.quantity
        self.widths = [ws[0].cols, *(m.rows for m in ws)]

    def misses(self, hypothesis: str) -> bool:
        """Whether the instance fails this hypothesis."""
        never_contract = self.widths == sorted(self.widths)
        floor = self.widths.index(min(self.widths))
        valley = self.widths[: floor + 1] == sorted(self.widths[: floor + 1], reverse=True) and self.widths[
            floor:
        ] == sorted(self.widths[floor:])
        return {
            "transmission": min(self.alphas) == 0,
            "conditioning": mp.isinf(self.kappa),
            "conditioning-w-dw": mp.isinf(max(self.kappa_w + self.kappa_dw)),
            "conditioning-w": mp.isinf(max(self.kappa_w)),
            "widths": not (never_contract if self.quantity == "function" else valley),
            "biases": False,
            "nonzero": self.reference == 0,
            "small": max(self.rho) * self.depth > 1 + TRUSTED,
            "lipschitz": max(self.betas) > 1,
            "relu": False,
        }[hypothesis]

    @staticmethod
    def _forward(ws, specs, x):
        hidden, slopes = [x], []
        for w, spec in zip(ws, specs, strict=True):
            z = w * hidden[-1]
            slopes.append([_phi(spec, v, True) for v in z])
            hidden.append(mp.matrix([_phi(spec, v, False) for v in z]))
        return hidden[-1], slopes, hidden

    @staticmethod
    def _jacobian(ws, slopes, layer):
        product = mp.eye(ws[layer].cols)
        for w, s in list(zip(ws, slopes, strict=True))[layer:]:
            product = mp.diag(s) * w * product
        return product

    def sides(self, claim: str):
        """(left, right) of a claim."""
        n, delta, rho = self.depth, self.delta, self.rho
        ratio = [b / a for a, b in zip(self.alphas, self.betas, strict=True)] if all(self.alphas) else [mp.inf] * n
        kappa_2 = max(self.kappa_w + self.kappa_dw)
        grown = mp.fprod(r * (1 + d) for r, d in zip(ratio, delta, strict=True)) - 1
        product = mp.fprod(1 + d for d in delta) - 1
        rights = {
            "theorem1.function": lambda: mp.fprod(ratio) * self.kappa ** (2 * n) * product,
            "theorem1.jacobian": lambda: mp.fprod(ratio) * self.kappa ** (2 * n) * grown,
            "kappa.function": lambda: mp.fprod(ratio) * kappa_2**n * (mp.fprod(1 + kappa_2 * d for d in delta) - 1),
            "kappa.jacobian": lambda: kappa_2 ** (2 * n) * grown,
            "spectral.function": lambda: mp.fprod(ratio) * mp.fprod(self.kappa_w) * (mp.fprod(1 + r for r in rho) - 1),
            "spectral.jacobian": lambda: (
                mp.fprod(self.kappa_w) * (mp.fprod(a * (1 + r) for a, r in zip(ratio, rho, strict=True)) - 1)
            ),
            "telescoping.function": lambda: sum(
                mp.fprod(self.betas[k:]) * mp.fprod(self.norm_wt[k + 1 :]) * self.norm_dwh[k] for k in range(n)
            ),
            "norm-product.function": lambda: (
                mp.fprod(self.betas) * mp.fprod(self.norm_w) * self.norm_x * (mp.fprod(1 + r for r in rho) - 1)
            ),
            "neyshabur.function": lambda: mp.e * self.norm_x * mp.fprod(self.norm_w) * sum(rho),
            "relu-model": lambda: self.kappa ** (2 * n) * product,
            "relu-model.jacobian": lambda: self.kappa ** (2 * n) * product,
        }
        left = self.norm_df if drt.claims[claim].left == "absolute" else self.change
        return left, rights[claim.removesuffix(".as-stated")]()


def _entry(r: random.Random, kind: str) -> Fraction:
    if kind == "integers":  # ties, kinks, singular matrices
        return Fraction(r.randint(-2, 2))
    if kind == "fractions":
        return Fraction(r.randint(-30, 30), r.randint(1, 30))
    return Fraction(r.gauss(0, 1) * (10.0 ** r.uniform(-8, 8) if kind == "scales" else 1.0))


def instance(seed: int) -> Witness:
    """A random instance: few layers, few neurons, all activations, all claims, and entries of several kinds."""
    r = random.Random(seed)
    kind = r.choice(("floats", "floats", "integers", "fractions", "scales", "multiples", "nearly singular"))
    depth = r.randint(1, 3)
    claim = drt.claims[r.choice(CLAIMS)]
    widths = [r.randint(1, 3) for _ in range(depth + 1)]
    if r.random() < 0.6:
        widths.sort()
    size = Fraction(10.0 ** r.uniform(-8, 4)) if r.random() < 0.7 else Fraction(r.randint(1, 9), 10)

    def matrix(rows: int, columns: int) -> list[list[Fraction]]:
        return [[_entry(r, kind) for _ in range(columns)] for _ in range(rows)]

    weights, dweights = [], []
    for columns, rows in zip(widths, widths[1:], strict=False):
        w, dw = matrix(rows, columns), matrix(rows, columns)
        if kind == "multiples":  # of the identity: attained
            w = [[Fraction(int(i == j)) for j in range(columns)] for i in range(rows)]
            dw = w
        if kind == "nearly singular" and rows > 1:
            w[-1] = [v * (1 + Fraction(10.0 ** r.uniform(-40, -1)) * r.random()) for v in w[0]]
        if not any(map(any, w)):
            w[0][0] = Fraction(1)
        weights.append(w)
        dweights.append([[v * size for v in row] for row in dw] if r.random() < 0.95 else [[0] * columns] * rows)
    x = [_entry(r, kind) for _ in range(widths[0])]
    x[0] = x[0] or Fraction(1)
    specs = ["relu"] * depth if claim.id.startswith("relu") else [r.choice(ACTIVATIONS) for _ in range(depth)]
    layer = 0 if claim.quantity == "function" else r.randrange(depth)
    return Witness(claim.id, claim.statement, claim.quantity, layer, tuple(specs), weights, dweights, x)


def _contains(enclosure, value) -> bool:
    with ctx.workprec(1200):
        return (
            ball(enclosure).overlaps(arb(value, abs(value) * TRUSTED))
            if mp.isfinite(value)
            else enclosure == arb("inf")
        )


SCALARS = ("change", "kappa", "norm_x", "norm_f", "norm_df")
LAYERED = (
    "delta",
    "rho",
    "kappa_w",
    "kappa_dw",
    "kappa_wt",
    "norm_w",
    "norm_dw",
    "norm_wt",
    "norm_dwh",
    "alphas",
    "betas",
)


def wrong_fields(w: Witness, reference: Reference, bits: int, exact: bool) -> list[str]:
    """The fields whose enclosures miss the reference."""
    wrong = []
    with ctx.workprec(bits):
        m = TWINS[w.quantity](ExactNetwork(w), w.layer, bits, exact)
        for name in SCALARS + LAYERED:
            if w.quantity == "jacobian" and name in ("norm_x", "norm_f", "norm_df", "norm_dwh"):
                continue
            if name == "change" and not reference.reference:
                continue
            values = getattr(reference, name)
            entries = Balls.of(getattr(m, name)).entries.ravel().tolist()
            pairs = zip(entries, values if name in LAYERED else [values], strict=True)
            if not all(_contains(e, v) for e, v in pairs):
                wrong.append(f"{name} at {bits} bits{', exact' if exact else ''}")
    return wrong


def wrong_certificate(c: Certificate, reference: Reference) -> str:
    """What is wrong with an answer and its enclosures; "" if nothing."""
    missed = [h for h in drt.claims[c.claim].hypotheses if reference.misses(h)]
    if c.answer == "inapplicable":
        return "" if c.reason.split(":")[0] in missed else f"inapplicable ({c.reason}), but it misses only {missed}"
    if c.answer == "undecided":
        return ""
    if missed:
        return f"{c.answer}, but it misses {missed}"
    left, right = reference.sides(c.claim)
    slack = abs(right) * TRUSTED
    true = {
        "violated": left > right + slack,
        "holds": left <= right + slack,
        "attained": abs(left - right) <= slack and left > 0,
    }
    if not true[c.answer]:
        return f"{c.answer}, but {mp.nstr(left, 20)} against {mp.nstr(right, 20)}"
    for name, value in (("lhs", left), ("rhs", right)):
        low, high = getattr(c, name)
        log_low, log_high = getattr(c, f"log10_{name}")
        log_value = mp.log10(value) if value else -mp.inf
        if not (low <= value * (1 + TRUSTED) and value <= high * (1 + TRUSTED)):
            return f"{name} {value} not in [{low}, {high}]"
        if not (log_low <= log_value <= log_high):
            return f"log10_{name} {log_value} not in [{log_low}, {log_high}]"
    return ""


def check(seed: int) -> tuple[str, list[str]]:
    """(answer, errors) of one random instance."""
    with mp.workdps(DIGITS):
        w = instance(seed)
        reference = Reference(w)
        certificate = certify(w)
        errors = wrong_fields(w, reference, 128, False) + wrong_fields(w, reference, 256, False)
        errors += wrong_fields(w, reference, 128, True)
        wrong = wrong_certificate(certificate, reference)
        return certificate.answer, [*errors, wrong] if wrong else errors


def main() -> None:
    """Check `argv[1]` instances."""
    answers: Counter[str] = Counter()
    failed = 0
    for seed in range(int(sys.argv[1])):
        answer, errors = check(seed)
        answers[answer] += 1
        if errors:
            failed += 1
            print(seed, errors)
    print(dict(answers), "unsound:", failed)


if __name__ == "__main__":
    main()
