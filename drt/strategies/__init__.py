"""Hypothesis strategies: `from drt import strategies`, then `strategies.instances(claim=…)`."""

from drt.strategies.strategies import activations, inputs, instances, matrices, networks, perturbations, widths

__all__ = ["activations", "inputs", "instances", "matrices", "networks", "perturbations", "widths"]
