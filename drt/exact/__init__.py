"""The certifier: rationals, surds and balls; its arithmetic is independent of the floating-point code."""
