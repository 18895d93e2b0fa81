"""Time to a certified refutation of each planted error, by the attack and by general-purpose searches, in one run.

python benchmarks/falsify.py --budget 20        needs cma: pip install "drt[bench]"

One process, one thread each. All have the same budget per claim, the same objective, φ and certifier; see `benchmarks.peers`
for the peers' parametrisations. `kappa_power_1_9` is false only from n = 21 on, beyond the peers' widths: it does not
count as missed by them. Interpreter start-up, shrinking and writing are not timed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from drt.falsify.attack import Attack, attack
from drt.falsify.space import Space
from drt.falsify.target import Target, load_claim

ROOT = Path(__file__).resolve().parent.parent
PLANTED = ROOT / "tests" / "falsify" / "planted.py"
OURS = "drt"
PEERS = ("hypothesis", "hypothesis+target", "differential evolution", "cma-es")
SHORT = ("drt", "hypothesis", "+target", "diff.evol.", "cma-es")
WIDE = {"kappa_power_1_9"}  # outside the peers' space


def attack_once(target: Target, budget: float, seed: int) -> bool:
    """Whether the attack refutes the claim, certified, within the budget: seconds for its peers, units of work for it."""
    state = Attack(target, Space())
    attack(state, budget, seed, None, lambda done, total, what: None)
    return state.refuted is not None


def timed(search: Callable[[], bool]) -> float | None:
    """Seconds until it succeeded; None if it did not."""
    start = time.perf_counter()
    return time.perf_counter() - start if search() else None


def summary(times: dict[str, dict[str, float | None]]) -> dict[str, dict]:
    """Per contender: found, missed, and the median of its time over ours on what it finds."""
    result = {}
    for contender in (OURS, *PEERS):
        within = [name for name in times if contender == OURS or name not in WIDE]
        found = [name for name in within if times[name][contender] is not None]
        ratios = [times[name][contender] / times[name][OURS] for name in found if times[name][OURS] is not None]
        result[contender] = {
            "found": len(found),
            "of": len(within),
            "missed": [name for name in within if name not in found],
            "median_seconds": statistics.median(times[name][contender] for name in found) if found else None,
            "median_times_slower": statistics.median(ratios) if ratios else None,
        }
    return result


def show(times: dict[str, dict[str, float | None]], budget: float) -> None:
    """The summary; the table has been printed row by row."""
    print(f"\n{'':24s} {'found':>9s} {'missed':>7s} {'median s':>9s} {'slower than drt, median':>25s}")
    for contender, row in summary(times).items():
        missed = 1 - row["found"] / row["of"] if row["of"] else 0.0
        seconds = "" if row["median_seconds"] is None else f"{row['median_seconds']:.2f}"
        slower = "" if row["median_times_slower"] is None else f"{row['median_times_slower']:.1f}x"
        print(f"{contender:24s} {row['found']:4d}/{row['of']:<4d} {missed:7.0%} {seconds:>9s} {slower:>25s}")
    print(
        f"budget {budget:g} s (drt: units of work) per claim and contender; - : not found in it; * : outside the peers' widths"
    )


def main() -> int:
    """Run the benchmark; exit code 2 for bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=20.0, help="seconds per claim and contender")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these planted errors only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if importlib.util.find_spec("cma") is None:
        print("benchmarks/falsify.py: the package cma is missing: pip install 'drt[bench]'", file=sys.stderr)
        return 2
    if not arguments.budget > 0:
        print(f"benchmarks/falsify.py: --budget {arguments.budget:g} must be > 0", file=sys.stderr)
        return 2
    sys.path[:0] = [str(ROOT), str(PLANTED.parent)]
    from planted import FALSE

    from benchmarks.peers import search

    unknown = set(arguments.only or ()) - set(FALSE)
    if unknown:
        print(f"benchmarks/falsify.py: --only {' '.join(sorted(unknown))}: no such planted error", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    attack_once(load_claim("kappa.function"), 1e-3, 0)  # imports and first calls are nobody's time
    talk = sys.stderr if arguments.json else sys.stdout
    print(f"{'seconds to a certified refutation':38s}" + "".join(f"{name:>12s}" for name in SHORT), file=talk)
    times: dict[str, dict[str, float | None]] = {}
    for name in arguments.only or FALSE:
        target = load_claim(f"{PLANTED}:{name}")
        row = {OURS: timed(lambda target=target: attack_once(target, arguments.budget, arguments.seed))}
        for peer in PEERS:
            row[peer] = timed(lambda target=target, peer=peer: search(peer, target, arguments.budget, arguments.seed))
        times[name] = row
        cells = "".join(f"{'-' if v is None else f'{v:.2f}':>12s}" for v in row.values())
        print(f"{name + ('*' if name in WIDE else ''):38s}{cells}", file=talk, flush=True)
    if arguments.json:
        print(
            json.dumps({"budget": arguments.budget, "seed": arguments.seed, "times": times, "summary": summary(times)})
        )
    else:
        show(times, arguments.budget)
    return 0


if __name__ == "__main__":
    sys.exit(main())
