"""Fromage and LARS, and what a real step of an optimiser did."""
