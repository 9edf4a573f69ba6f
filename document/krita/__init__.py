"""Krita's own files: layers in tiles, and what is around them."""
