"""The files that hold layers, by their suffixes. The document room knows what is in them, everyone else which there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

WireFile = Literal["psd", "ora", "png"]

LAYERED = (".psd", ".psb", ".ora")
"""Hold several layers, and take one more."""
READ = (*LAYERED, ".kra")
WRITTEN = (".png", *LAYERED)
INSERTED: dict[str, WireFile] = {".psd": "psd", ".psb": "psd", ".ora": "ora", ".png": "png"}
"""What editors insert the layers of, and what it is on the wire: a PSB is a PSD with longer numbers in it."""
SAVED: dict[str, WireFile] = {".psd": "psd", ".ora": "ora", ".png": "png"}
"""What editors save a result as."""


def choice(suffixes: Iterable[str]) -> str:
    """`.png, .psd or .ora`, for a sentence."""
    *others, last = suffixes
    return f"{', '.join(others)} or {last}"


def patterns(suffixes: Iterable[str]) -> str:
    """`*.png *.psd`, as file dialogs want it."""
    return " ".join(f"*{suffix}" for suffix in suffixes)
