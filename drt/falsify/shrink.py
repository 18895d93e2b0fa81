"""From a violation to one that a person can read: fewest layers, smallest widths, then simple rational entries.

Every step is kept only if the witness is still certified as a violation, so what comes out needs no second look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from flint import fmpq

from drt.errors import InputError
from drt.network.activations import parse_activation
from drt.witness.witness import Witness

Accept = Callable[[Witness], bool]
Matrix = tuple[tuple[fmpq, ...], ...]
# An entry is replaced by the first of these that keeps the violation, else by the shortest decimal.
SIMPLE = [fmpq(n) for n in (0, 1, -1, 2, -2, 3, -3, 10, -10)] + [
    fmpq(p, q) for q in (2, 3, 4, 10, 100, 1000) for p in (1, -1)
]
DIGITS = (1, 2, 3, 5, 8)
PLAIN = ("x", "target")  # fields that are one vector
MAX_POLISHED = 300  # entries beyond which only whole matrices are simplified


def shrink(witness: Witness, violated: Accept, candidates: int) -> Witness:
    """The smallest violation reached by greedy steps that look at so many candidates."""
    left = candidates

    def accept(candidate: Witness) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and violated(candidate)

    for proposals in (_fewer_layers, _fewer_units, _simpler_activations, _fewer_biases, _simpler_matrices, _scaled):
        witness = _descend(witness, proposals, accept)
    witness = _rounded(witness, accept)
    witness = _descend(witness, _simpler_matrices, accept)
    if _size(witness) <= MAX_POLISHED:
        witness = _polish(witness, accept)
    # Zeros may have made units superfluous.
    return _descend(witness, _fewer_units, accept)


def _descend(witness: Witness, proposals: Callable[[Witness], Iterator[Witness]], accept: Accept) -> Witness:
    """Take the first proposal that is accepted, and start over, until none is."""
    while True:
        for candidate in proposals(witness):
            if candidate != witness and accept(candidate):
                witness = candidate
                break
        else:
            return witness


def _try(witness: Witness, **changes: object) -> Witness | None:
    try:
        return replace(witness, **changes)  # type: ignore[arg-type]
    except InputError:
        return None


def _size(w: Witness) -> int:
    return sum(len(m) * len(m[0]) for m in w.weights)


def _without(items: tuple, index: int) -> tuple:
    return items[:index] + items[index + 1 :]


def _fewer_layers(w: Witness) -> Iterator[Witness]:
    """One layer less: the last (with all below it), the first, or a square one."""
    if len(w.weights) == 1:
        return
    for k in reversed(range(len(w.weights))):
        square = len(w.weights[k]) == len(w.weights[k][0])
        if k < len(w.weights) - 1 and not square:
            continue
        changes: dict[str, object] = {
            name: _without(getattr(w, name), k) for name in ("weights", "dweights", "activations")
        }
        if w.biases is not None:
            changes["biases"] = _without(w.biases, k)
        if w.dbiases is not None:
            changes["dbiases"] = _without(w.dbiases, k)
        candidate = _try(w, **changes)
        if candidate is not None:
            yield candidate


def _fewer_units(w: Witness) -> Iterator[Witness]:
    """One unit less: everywhere at once, at all levels up to one, or at one level."""
    widths = [len(w.x), *(len(m) for m in w.weights)]
    depth = len(w.weights)
    spans = [(0, depth)] + [(0, k) for k in range(depth)] + [(k, depth) for k in range(1, depth + 1)]
    spans += [(k, k) for k in range(depth + 1)]
    for first, last in dict.fromkeys(spans):
        smallest = min(widths[first : last + 1])
        if smallest < 2:
            continue
        halves = [range(smallest // 2, smallest)] if smallest >= 4 else []
        for units in (*halves, *([i] for i in reversed(range(smallest)))):
            gone = set(units)
            candidate = _remove_units(w, first, last, gone)
            if candidate is not None:
                yield candidate


def _remove_units(w: Witness, first: int, last: int, gone: set[int]) -> Witness | None:
    def kept(level: int, items: tuple) -> tuple:
        return tuple(v for i, v in enumerate(items) if not (first <= level <= last and i in gone))

    def cut(matrices: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
        return tuple(tuple(kept(k, row) for row in kept(k + 1, m)) for k, m in enumerate(matrices))

    changes: dict[str, object] = {"weights": cut(w.weights), "dweights": cut(w.dweights), "x": kept(0, w.x)}
    if w.target is not None:
        changes["target"] = kept(len(w.weights), w.target)
    for name in ("biases", "dbiases"):
        group = getattr(w, name)
        if group is not None:
            changes[name] = tuple(None if b is None else kept(k + 1, b) for k, b in enumerate(group))
    return _try(w, **changes)


def _simpler_activations(w: Witness) -> Iterator[Witness]:
    """φ the identity, or leaky ReLU with a slope of one digit, in all layers."""
    if all(spec == "identity" for spec in w.activations):
        return
    for spec in ("identity", "leaky_relu:0.5", "leaky_relu:0.1"):
        if all(s == spec for s in w.activations) or (spec != "identity" and "identity" in w.activations):
            continue
        if _complexity(spec) >= max(map(_complexity, w.activations)):
            continue
        candidate = _try(w, activations=(spec,) * len(w.weights))
        if candidate is not None:
            yield candidate


def _complexity(spec: str) -> tuple[int, int]:
    order = ("identity", "relu", "leaky_relu", "piecewise_linear", "negated", "softplus_blend", "tanh_blend")
    return order.index(spec.partition(":")[0]), len(parse_activation(spec).spec)


def _fewer_biases(w: Witness) -> Iterator[Witness]:
    """One bias less."""
    for k, b in enumerate(w.biases or ()):
        if b is not None and w.biases is not None:
            dbiases = w.dbiases and (*w.dbiases[:k], None, *w.dbiases[k + 1 :])
            candidate = _try(w, biases=(*w.biases[:k], None, *w.biases[k + 1 :]), dbiases=dbiases)
            if candidate is not None:
                yield candidate


def _simpler_matrices(w: Witness) -> Iterator[Witness]:
    """A whole ΔW_l zero, a whole W_l the identity (rectangular ones too)."""
    for k, m in enumerate(w.dweights):
        if any(any(row) for row in m):
            zero = tuple(tuple(fmpq(0) for _ in row) for row in m)
            candidate = _try(w, dweights=(*w.dweights[:k], zero, *w.dweights[k + 1 :]))
            if candidate is not None:
                yield candidate
    for k, m in enumerate(w.weights):
        eye = tuple(tuple(fmpq(int(i == j)) for j in range(len(row))) for i, row in enumerate(m))
        if m != eye:
            candidate = _try(w, weights=(*w.weights[:k], eye, *w.weights[k + 1 :]))
            if candidate is not None:
                yield candidate


def _scaled(w: Witness) -> Iterator[Witness]:
    """Largest entries 1: of x, of a ΔW_l alone, of a W_l together with its ΔW_l."""

    def top(matrix: Matrix) -> fmpq:
        return max(abs(v) for row in matrix for v in row)

    def divided(matrix: Matrix, by: fmpq) -> Matrix:
        return tuple(tuple(v / by for v in row) for row in matrix)

    candidates = []
    size = max(abs(v) for v in w.x)
    if size != 1:
        candidates.append(_try(w, x=tuple(v / size for v in w.x)))
    for k, (m, dm) in enumerate(zip(w.weights, w.dweights, strict=True)):
        before, after = w.dweights[:k], w.dweights[k + 1 :]
        if top(dm) not in (0, 1):
            candidates.append(_try(w, dweights=(*before, divided(dm, top(dm)), *after)))
        if top(m) != 1:
            weights = (*w.weights[:k], divided(m, top(m)), *w.weights[k + 1 :])
            candidates.append(_try(w, weights=weights, dweights=(*before, divided(dm, top(m)), *after)))
    # Only what brings another largest entry to 1 is progress: W_l and ΔW_l would take turns for ever.
    yield from (c for c in candidates if c is not None and _tops(c) < _tops(w))


def _tops(w: Witness) -> int:
    """How many of the matrices and x have a largest entry other than 1 (or 0)."""
    matrices = [*w.weights, *w.dweights, (w.x,)]
    return sum(max(abs(v) for row in m for v in row) not in (0, 1) for m in matrices)


def _decimal(value: fmpq, digits: int) -> fmpq:
    """The value to so many significant digits."""
    short = Fraction(f"{float(Fraction(int(value.p), int(value.q))):.{digits - 1}e}")
    return fmpq(short.numerator, short.denominator)


def _map(w: Witness, change: Callable[[fmpq], fmpq]) -> Witness | None:
    changes: dict[str, object] = {
        name: tuple(tuple(tuple(change(v) for v in row) for row in m) for m in getattr(w, name))
        for name in ("weights", "dweights")
    }
    changes["x"] = tuple(change(v) for v in w.x)
    if w.target is not None:
        changes["target"] = tuple(change(v) for v in w.target)
    for name in ("biases", "dbiases"):
        group = getattr(w, name)
        if group is not None:
            changes[name] = tuple(None if b is None else tuple(change(v) for v in b) for b in group)
    return _try(w, **changes)


def _rounded(w: Witness, accept: Accept) -> Witness:
    """Every entry to the fewest digits that keep the violation."""
    for digits in DIGITS:
        candidate = _map(w, lambda v, digits=digits: _decimal(v, digits))  # type: ignore[misc]
        if candidate is not None and accept(candidate):
            return candidate
    return w


def _polish(w: Witness, accept: Accept) -> Witness:
    """Each entry replaced by the simplest number that keeps the violation."""
    for name in ("dweights", "weights", "biases", "x", "target"):
        group = getattr(w, name)
        if group is None:
            continue
        nested = [group] if name in PLAIN else group
        for k, part in enumerate(nested):
            rows = [part] if name in (*PLAIN, "biases") else part
            for i, row in enumerate(rows or ()):
                for j in range(len(row or ())):
                    w = _simplify_entry(w, name, k, i, j, accept)
    return w


def _entry(w: Witness, name: str, k: int, i: int, j: int) -> fmpq:
    group = getattr(w, name)
    return group[j] if name in PLAIN else group[k][j] if name == "biases" else group[k][i][j]


def _with_entry(w: Witness, name: str, k: int, i: int, j: int, value: fmpq) -> Witness | None:
    def put(items: tuple, index: int, new: object) -> tuple:
        return (*items[:index], new, *items[index + 1 :])

    group = getattr(w, name)
    if name in PLAIN:
        return _try(w, **{name: put(group, j, value)})
    inner = put(group[k], j, value) if name == "biases" else put(group[k], i, put(group[k][i], j, value))
    return _try(w, **{name: put(group, k, inner)})


def _cost(value: fmpq) -> int:
    """How much there is to read in a number."""
    return len(str(value)) if value != 0 else 0


def _simplify_entry(w: Witness, name: str, k: int, i: int, j: int, accept: Accept) -> Witness:
    old = _entry(w, name, k, i, j)
    options = [*SIMPLE, *(_decimal(old, d) for d in DIGITS if old != 0)]
    for value in sorted(options, key=_cost):
        if _cost(value) >= _cost(old):
            break
        candidate = _with_entry(w, name, k, i, j, value)
        if candidate is not None and accept(candidate):
            return candidate
    return w
