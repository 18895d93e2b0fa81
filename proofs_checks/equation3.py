"""Equation 3, step by step: the two-layer scalar case, where only two inequalities are left.

|ãb̃ − ab| = |b̃Δa + aΔb| ≤ |b̃||Δa| + |a||Δb| ≤ (|b| + |Δb|)|Δa| + |a||Δb| = |ab|·[(1 + |Δa|/|a|)(1 + |Δb|/|b|) − 1]
"""

from dataclasses import replace

from proofs_checks.steps import ALIGNED, SPLIT, network_chain

FUNCTION = network_chain(
    "equation3",
    (
        replace(ALIGNED, statement="|b̃Δa + aΔb| ≤ |b̃||Δa| + |a||Δb|", scalar=("absolute-values",)),
        replace(SPLIT, statement="|b̃| ≤ |b| + |Δb|", scalar=("absolute-values",)),
    ),
)
CHAINS = (FUNCTION,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
