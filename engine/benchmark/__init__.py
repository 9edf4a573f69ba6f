"""Measurements of this engine, side by side with others in the same run. Knows no terminal: `acetate bench` prints them."""
