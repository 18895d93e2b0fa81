"""What everything rests on: words of a formula, norms and spectra, caching, worker processes."""
