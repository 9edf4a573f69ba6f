"""Files of layers that plug-ins send and receive: the formats by their names, and writing one whole or not at all.

Knows names and bytes; knows no editor and no layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

FORMATS: dict[str, Literal["psd", "ora", "png"]] = {".psd": "psd", ".ora": "ora", ".png": "png"}
"""Suffix of a file's name, in small letters -> its format on the wire."""


def named(path: str, suffix: str) -> Path:
    """The file that a dialog's answer means: one with no suffix of ours gets `suffix`, even if it has a dot of its own."""
    return Path(path) if Path(path).suffix.lower() in FORMATS else Path(f"{path}.{suffix.lstrip('.')}")


def write(path: Path, data: bytes) -> None:
    """Write the file under another name, then rename it: what was there stays until all is written. Raises `OSError`."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
