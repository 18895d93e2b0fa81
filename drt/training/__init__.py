"""Data, training, and trained networks."""
