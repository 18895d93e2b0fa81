"""A network, its perturbation and an input, measured exactly, with derived rounding bounds."""
