"""Straight-alpha pictures as arrays: padding, resizing, canvases, tiles; numpy, no torch."""
