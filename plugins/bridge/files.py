"""Files of layers that plug-ins receive: what they are called, and writing one whole or not at all.

Knows names and bytes; knows no editor and no layer.
"""

from __future__ import annotations

from pathlib import Path

from acetate.vocabulary.layered_files import SAVED


def named(path: str, suffix: str) -> Path:
    """The file that a dialog's answer means: one with no suffix of ours gets `suffix`, even if it has a dot of its own."""
    return Path(path) if Path(path).suffix.lower() in SAVED else Path(f"{path}.{suffix.lstrip('.')}")


def write(path: Path, data: bytes) -> None:
    """Write the file under another name, then rename it: what was there stays until all is written. Raises `OSError`."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
