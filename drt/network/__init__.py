"""Activations, networks, and how they are saved."""
