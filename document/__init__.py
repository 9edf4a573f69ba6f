"""Layered documents: one value type and its file formats. Knows no torch, no socket and no editor."""
