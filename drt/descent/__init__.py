"""A loss and its gradients along the segment W + tΔW."""
