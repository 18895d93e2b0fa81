"""The audit in numbers and in words: what its slices say of deep relative trust, no more."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from drt import laws
from drt.audit import KINDS, Breakdown, Point
from drt.wording import number

Results = Sequence[tuple[Point, Breakdown | None]]
DRAWS = 1000


def summarise(results: Results, expected: int) -> dict:
    """The audit's numbers.

    networks: one row for each depth and kind, `_network`. optimisers: for each kind, optimiser and depth the medians over
    its checkpoints of L_eff, and over its seeds of the accuracy at the end. laws: kind → law → medians of its fits, and on
    how many slices it is closest of those with as many parameters. against_plain: kind → `_against_plain`. missing:
    checkpoints without a slice, by the reason; expected: checkpoints planned.
    """
    found = [(p, b) for p, b in results if b is not None]
    nets = sorted({(p.depth, list(KINDS).index(p.kind), p.kind) for p, _ in results})
    return {
        "expected": expected,
        "measured": len(found),
        "missing": dict(Counter(p.status for p, b in results if b is None).most_common()),
        "points": sum(int(np.isfinite(b.ratio).sum()) for _, b in found),
        "exceeded": sum(int((b.ratio > 1).sum()) for _, b in found),
        "networks": [_network(depth, kind, results) for depth, _, kind in nets],
        "optimisers": _optimisers(results),
        "laws": {kind: _laws([b for p, b in found if p.kind == kind]) for kind in KINDS if _has(found, kind)},
        "against_plain": {kind: _against_plain(found, kind) for kind in KINDS if kind != "plain" and _has(found, kind)},
    }


def _has(found: Iterable[tuple[Point, Breakdown]], kind: str) -> bool:
    return any(p.kind == kind for p, _ in found)


def _network(depth: int, kind: str, results: Results) -> dict:
    """All slices of one depth and kind.

    points, exceeded: η with a finite change, and those at which it is above (1+η)^L − 1; factor: [median, largest] ratio.
    effective_depth: the median of L_eff, and the ends of its 0.95 interval: percentiles of the median over DRAWS bootstrap
    samples of whole runs, whose checkpoints stay together; of a single run, `within`: the median ends of slices' intervals.
    flat: slices with L_eff < 1, which grow more slowly than a line. constant: median of the least C.
    one, two: the law with the least median error, of at most so many parameters, and that error.
    """
    own = [(p, b) for p, b in results if (p.depth, p.kind) == (depth, kind)]
    found = [b for _, b in own if b is not None]
    row: dict = {"depth": depth, "kind": kind, "slices": len(found), "of": len(own)}
    if not found:
        return row
    ratios = np.concatenate([b.ratio[np.isfinite(b.ratio)] for b in found])
    runs = defaultdict(list)
    for p, b in own:
        if b is not None:
            runs[p.optimiser, p.seed].append(b.effective_depth.shape)
    errors = {law: float(np.median([b.fits[law].error for b in found])) for law in laws.LAWS}
    best = [min((n for n in errors if laws.LAWS[n].parameters <= k), key=lambda n: errors[n]) for k in (1, 2)]
    depths = list(runs.values())
    within = [float(np.median([b.interval[i] for b in found])) for i in (0, 1)]
    return row | {
        "points": len(ratios),
        "exceeded": int((ratios > 1).sum()),
        "factor": [float(np.median(ratios)), float(ratios.max())],
        "effective_depth": [
            float(np.median(np.concatenate(depths))),
            *(_bootstrap(depths) if len(runs) > 1 else within),
        ],
        "within": within,
        "flat": sum(b.effective_depth.shape < 1 for b in found),
        "constant": float(np.median([b.constant for b in found])),
        "one": [best[0], errors[best[0]]],
        "two": [best[1], errors[best[1]]],
    }


def _bootstrap(runs: Sequence[Sequence[float]]) -> list[float]:
    chosen = np.random.default_rng(0).integers(len(runs), size=(DRAWS, len(runs)))
    medians = [np.median(np.concatenate([runs[i] for i in row])) for row in chosen]
    return [float(q) for q in np.quantile(medians, (0.025, 0.975))]


def _optimisers(results: Results) -> list[dict]:
    groups = defaultdict(list)
    for p, b in results:
        groups[p.kind, p.optimiser, p.depth].append((p, b))
    last = max(p.step for p, _ in results)
    rows = []
    for (kind, optimiser, depth), own in sorted(groups.items(), key=lambda g: (list(KINDS).index(g[0][0]), *g[0][1:])):
        depths = [b.effective_depth.shape for _, b in own if b is not None]
        ends = [p.accuracy for p, _ in own if p.step == last and np.isfinite(p.accuracy)]
        rows.append({
            "kind": kind, "optimiser": optimiser, "depth": depth, "slices": len(depths), "of": len(own),
            "effective_depth": float(np.median(depths)) if depths else np.nan,
            "accuracy": float(np.median(ends)) if ends else np.nan,
        })  # fmt: skip
    return rows


def _laws(found: Sequence[Breakdown]) -> dict:
    closest: Counter[str] = Counter()
    for b in found:
        for k in (0, 1, 2):
            rivals = [n for n in laws.LAWS if laws.LAWS[n].parameters == k]
            closest[min(rivals, key=lambda n: b.fits[n].error)] += 1
    return {
        n: {
            "error": float(np.median([b.fits[n].error for b in found])),
            "r2": float(np.median([b.fits[n].r2 for b in found])),
            "shape": float(np.median([b.fits[n].shape for b in found])),
            "closest": closest[n],
            "slices": len(found),
        }
        for n in laws.LAWS
    }


def _against_plain(found: Sequence[tuple[Point, Breakdown]], kind: str) -> dict:
    """Slices of a kind beside those of the plain network of the same depth, optimiser, seed and step.

    shallower, less: pairs in which L_eff, and the least C, is below the plain network's. effective_depth, constant: [median
    of the kind, of plain]; constant_ratio: median of C over the plain network's.
    """
    every = {(p.depth, p.optimiser, p.seed, p.step, p.kind): b for p, b in found}
    pairs = [
        (b, every[*key[:-1], "plain"]) for key, b in every.items() if key[-1] == kind and (*key[:-1], "plain") in every
    ]
    depths = np.array([[b.effective_depth.shape for b in pair] for pair in pairs]).reshape(-1, 2)
    constants = np.array([[b.constant for b in pair] for pair in pairs]).reshape(-1, 2)
    return {
        "pairs": len(pairs),
        "shallower": int((depths[:, 0] < depths[:, 1]).sum()),
        "less": int((constants[:, 0] < constants[:, 1]).sum()),
        "effective_depth": np.median(depths, axis=0).tolist() if pairs else [],
        "constant": np.median(constants, axis=0).tolist() if pairs else [],
        "constant_ratio": float(np.median(constants[:, 0] / constants[:, 1])) if pairs else np.nan,
    }


def short(x: float) -> str:
    """Two digits: 0.013, 57, 4,800, 1e7; ∞; – for NaN."""
    if not np.isfinite(x):
        return "∞" if x > 0 else "–"
    return number(float(f"{x:.2g}"))


def layers(x: float) -> str:
    """An effective depth: below 1 the law is flatter than any number of layers makes it, and its value means nothing."""
    return "<1" if x < 1 else short(x)


def percent(x: float) -> str:
    """97 %; – for NaN."""
    return "–" if np.isnan(x) else f"{100 * x:.0f} %"


def share(count: float, of: float) -> str:
    """100 % and 0 % only where it is so."""
    return f"{count:.0f}/{of:.0f}" if of < 10 else "100 %" if count == of else f"{min(100 * count / of, 99.9):.1f} %"


def text(summary: dict) -> str:
    """The tables and the sentences, 100 columns wide."""
    lines = [" L  network   slices  above  median largest L_eff (0.95)       C  1 parameter     2 parameters"]
    for row in summary["networks"]:
        slices = f"{row['slices']}/{row['of']}"
        start = f"{row['depth']:>2}  {row['kind']:<10}{slices:>6}"
        if not row["slices"]:
            lines.append(f"{start}  nothing measured")
            continue
        depth, low, high = map(layers, row["effective_depth"])
        one, two = (f"{laws.LAWS[law].formula.replace(' ', '')} {error:.2f}" for law, error in (row["one"], row["two"]))
        lines.append(
            f"{start} {share(row['exceeded'], row['points']):>6} {short(row['factor'][0]):>7} {short(row['factor'][1]):>7}"
            f" {f'{depth} ({low}–{high})':<13} {short(row['constant']):>6}  {one:<15} {two}"
        )
    depths = sorted({row["depth"] for row in summary["optimisers"]})
    lines += [
        "",
        "L_eff, and accuracy at the end:",
        "network     optimiser " + "".join(f"{f'L = {d}':>15}" for d in depths),
    ]
    cells = {(r["kind"], r["optimiser"], r["depth"]): f"{layers(r['effective_depth'])} {percent(r['accuracy'])}"
             for r in summary["optimisers"]}  # fmt: skip
    for kind, optimiser in dict.fromkeys(key[:2] for key in cells):
        values = "".join(f"{cells.get((kind, optimiser, d), ''):>15}" for d in depths)
        lines.append(f"{kind:<11} {optimiser:<10}{values}")
    kinds = list(summary["laws"])
    lines += ["", "law (median error in decades; slices on which it is closest of its number of parameters)"]
    lines.append(f"{'':<41}" + "".join(f"{kind:>18}" for kind in kinds))
    for name, law in laws.LAWS.items():
        own = (summary["laws"][kind][name] for kind in kinds)
        counts = "".join(f"{v['error']:>8.2f} " + f"{v['closest']}/{v['slices']}".rjust(9) for v in own)
        lines.append(f"{law.parameters} {name:<24}{law.formula:<15}{counts}")
    return "\n".join([*lines, "", *(textwrap.fill(line, 100) for line in sentences(summary))])


def sentences(summary: dict) -> list[str]:
    """What the data support."""
    said = [
        f"Deep relative trust, (1+η)ᴸ − 1, is exceeded at {summary['exceeded']:,} of {summary['points']:,} points of "
        f"{summary['measured']} slices."
    ]
    for kind, pairs in summary["against_plain"].items():
        if pairs["pairs"]:
            depth, constant = [layers(v) for v in pairs["effective_depth"]], [short(v) for v in pairs["constant"]]
            said.append(
                f"{kind.capitalize()} against plain, {pairs['pairs']} pairs: L_eff is lower in {pairs['shallower']} "
                f"(median {depth[0]} against {depth[1]}), the least C in {pairs['less']} "
                f"(median {constant[0]} against {constant[1]}; ratio {short(pairs['constant_ratio'])})."
            )
    flat = ", ".join(
        f"{sum(r.get('flat', 0) for r in summary['networks'] if r['kind'] == kind)} {kind}" for kind in summary["laws"]
    )
    said.append(f"Slices with L_eff < 1, which grow more slowly than a line: {flat}.")
    said += [f"No slice at {count} checkpoints: {why}." for why, count in summary["missing"].items()]
    left = summary["expected"] - summary["measured"] - sum(summary["missing"].values())
    return said + ([f"Interrupted: {left} of {summary['expected']} checkpoints are missing."] if left else [])
