"""Figures: one module each; `data(...)` computes, `draw(...)` draws."""
