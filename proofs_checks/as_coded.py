"""What a claim as coded asserts, as a Coq statement: its formula and hypotheses, evaluated on the twin of a measurement.

    forall m : OfFunction.measurement, hypotheses -> left side <= formula          (of a false claim: the negation)

A twin has the fields of a measurement; each is printed as the definition of its name in coq/Measured.v, which says what it
is. Hypotheses that are formulas are the code's own text, evaluated on the twin; those that are not are in BY_NAME.
"""

from __future__ import annotations

from typing import Any

from drt.errors import InputError
from drt.theory.base import Claim
from drt.theory.hypotheses import hypotheses
from proofs_checks.coq_terms import Natural, Proposition, Term

NETWORK = ("alphas", "betas", "delta", "rho", "kappa_w", "kappa_dw", "kappa_wt", "norm_w", "norm_dw", "norm_wt")
MODULES = {"function": "OfFunction", "jacobian": "OfJacobian", "descent": "OfDescent", "step": "OfStep"}
# The fields of each quantity: numbers for each layer, numbers, natural numbers.
LAYERED = {
    "function": (*NETWORK, "norm_dwh"),
    "jacobian": NETWORK,
    "descent": (
        "alphas", "betas", "delta", "rho", "kappa_w", "norm_g", "norm_step", "lever", "cosines", "breakdown", "mean_breakdown",
    ),
    "step": (),
}  # fmt: skip
SCALAR = {
    "function": ("alpha", "beta", "kappa", "norm_x", "norm_f", "norm_df"),
    "jacobian": ("alpha", "beta", "kappa", "derivative_gap", "jacobian_rounding"),
    "descent": ("alpha", "beta", "eta", "gamma"),
    "step": (
        "eta", "cosine", "size", "lars_size", "kept", "grown", "gap", "error", "cosine_error", "formula_error", "zero_cosine",
    ),
}  # fmt: skip
NATURAL = {"function": ("depth",), "jacobian": ("depth",), "descent": ("depth", "inputs"), "step": ()}
# Python's name of a field where Coq's is another.
RENAMED = {"largest": "breakdown"}
# The numbers that are finite under a condition on matrices, which Measured.v names finite_…
FINITE = ("kappa_w", "kappa_dw", "kappa_wt", "eta")
# Hypotheses that are no formulas: the definition of Measured.v that says what each means.
BY_NAME = {
    "biases": "biases",
    "nonzero": "nonzero",
    "widths": "widths",
    "scalars": "scalars",
    "relu": "relu",
    "differentiable": "differentiable",
}
LEFTS = {
    "function": ("relative", "absolute"),
    "jacobian": ("relative",),
    "descent": ("change", "excess"),
    "step": ("deviation",),
}


class Twin:
    """The twin of a measurement: its fields are Coq terms about a measurement m."""

    def __init__(self, quantity: str):
        if quantity not in MODULES:
            raise InputError(f"quantity={quantity!r} has no twin in Coq; expected one of {', '.join(MODULES)}")
        self.quantity = quantity
        self.module = MODULES[quantity]

    def term(self, text: str, layered: bool = False) -> Term:
        """A number of this measurement."""
        return Term(text, f"({self.module}.depth m)", layered)

    def __getattr__(self, name: str) -> Any:
        coq = RENAMED.get(name, name)
        finite = f"{self.module}.finite_{coq} m" if coq in FINITE else ""
        depth = f"({self.module}.depth m)"
        if coq in LAYERED[self.quantity]:
            return Term(f"({self.module}.{coq} m k)", depth, True, finite)
        if coq in SCALAR[self.quantity]:
            return Term(f"({self.module}.{coq} m)", depth, False, finite)
        if coq in NATURAL[self.quantity]:
            return Natural(f"({self.module}.{coq} m)")
        raise InputError(f"the Coq twin of a {self.quantity} has no field {name!r}")

    def says(self, name: str) -> Proposition:
        """What Measured.v defines under this name."""
        return Proposition(f"{self.module}.{name} m")


def hypothesis_of(name: str, twin: Twin) -> str:
    """A hypothesis as a Coq proposition.

    Raises:
        InputError: it is neither a formula of the twin's fields nor in the table.
    """
    if name in BY_NAME:
        return twin.says(BY_NAME[name]).text
    hypothesis = hypotheses[name]
    if hypothesis.allowed is not None:
        t = twin.term("t")
        allowed = hypothesis.allowed(twin, t)
        change = f"{twin.module}.gradient_change m t k"
        layers = f"forall k, (k < {twin.depth})%nat -> {change} <= {allowed}"
        return f"forall t, 0 <= t <= 1 -> {layers}"
    met = hypothesis.met(twin)
    if not isinstance(met, Proposition) or met.depth:
        raise InputError(f"hypothesis {name!r} has no translation into Coq")
    return met.text


def statement(claim: Claim) -> str:
    """The claim as coded: hypotheses in alphabetical order, then the inequality.

    Raises:
        InputError: a formula or a hypothesis that cannot be translated.
    """
    twin: Any = Twin(claim.quantity)
    if isinstance(claim.left, str):
        if claim.left not in LEFTS[claim.quantity]:
            raise InputError(f"left side {claim.left!r} of {claim.id} has no translation into Coq")
        left = f"{twin.module}.{claim.left} m"
    else:
        left = _number(claim.left(twin), claim)
    right = _number(claim.formula(twin), claim)
    parts = [f"({hypothesis_of(name, twin)})" for name in sorted(claim.hypotheses)]
    return f"forall m : {twin.module}.measurement, " + " -> ".join([*parts, f"{left} <= {right}"])


def _number(value: Any, claim: Claim) -> str:
    if not isinstance(value, Term) or value.layered:
        raise InputError(f"{claim.id}: a side must be one number, got {value!r}")
    return value.text


def goal(claim: Claim, role: str) -> str:
    """What a theorem of this role must say: the claim, or that it is false."""
    return {"proves": "{}", "refutes": "~ ({})"}[role].format(statement(claim))
