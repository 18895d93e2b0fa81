"""The largest certified actual/bound over a grid of κ, β/α, δ, depth and width."""
