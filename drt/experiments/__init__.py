"""What the figures need: slices, laws, audits, step sizes, invariant layers."""
