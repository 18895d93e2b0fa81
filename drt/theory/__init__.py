"""Claims, hypotheses and verdicts: one module a result."""
