"""Falsification: attack a claim, shrink the counterexample, certify it."""
