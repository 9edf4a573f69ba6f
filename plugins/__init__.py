"""Thin panels inside the editors, and what installs them."""
