"""Larger layers: networks in tiles, redrawing."""
