"""Slices of the audit made by known laws."""

import numpy as np

from drt.experiments.audit import ETAS, CheckpointRecord, breakdown

ETA = np.array(ETAS)


def slices(depth, kind, effective_depth, factor, seed=0):
    change = factor * np.expm1(effective_depth * np.log1p(ETA))
    return [
        (
            CheckpointRecord(depth, kind, "sgd", seed, step, "measured", 0.5, 0.8),
            breakdown(ETAS, change, np.linspace(2, 5, depth)),
        )
        for step in (1, 4)
    ]


def planted():
    """Plain networks of 4 layers: E = 8 with C = 2 and, of another seed, E = 10 with C = 3; a residual one E = 6, C = 1."""
    results = [*slices(4, "plain", 8, 2.0), *slices(4, "plain", 10, 3.0, seed=1), *slices(4, "residual", 6, 1.0)]
    return [*results, (CheckpointRecord(4, "batch norm", "sgd", 0, 1, "diverged"), None)]
