"""Proofs that can be run: each result as a chain of inequalities; `coq/` holds the machine-checked proofs."""
