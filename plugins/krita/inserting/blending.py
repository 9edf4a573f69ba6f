"""Blending modes as files and the protocol name them, and as Krita does."""

from __future__ import annotations

from acetate.vocabulary.blend_modes import KRITA_MODES

PASS_THROUGH = "pass-through"
"""The mode of a group that is not composed by itself; in Krita this is a property of its own."""


def krita_mode(name: str) -> str | None:
    """Krita's identifier; `None` for the normal mode and for those that Krita lacks, which become normal."""
    return KRITA_MODES.get(name.lower().replace("_", "-").replace(" ", "-"))
