"""The picture that lies beside a LoRA's or a checkpoint's file, as the programs that download them put it there; made small."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

SIDE = 128
"""The longest side of a small picture, in pixels."""
LARGEST = 16 << 20
"""Bytes; what is larger is no preview."""
_ENDINGS = tuple(f"{middle}{kind}" for middle in (".preview", "") for kind in (".png", ".jpg", ".jpeg", ".webp"))


def preview_beside(path: Path) -> Path | None:
    """The picture of the file at `path`: `name.preview.png`, `name.png` or the like; `None` where there is none."""
    stem = path.with_suffix("") if path.is_file() else path
    return next((found for ending in _ENDINGS if (found := stem.with_name(stem.name + ending)).is_file()), None)


def thumbnail(path: Path) -> bytes | None:
    """The picture as a JPEG of at most `SIDE` pixels a side; `None` for what is none, or is there no longer."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _thumbnail(path, status.st_size, status.st_mtime_ns) if status.st_size <= LARGEST else None


@lru_cache(maxsize=512)
def _thumbnail(path: Path, size: int, changed: int) -> bytes | None:
    from PIL import Image  # 40 ms, for those who look at pictures

    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            picture.thumbnail((SIDE, SIDE))
            small = io.BytesIO()
            picture.convert("RGB").save(small, "JPEG", quality=85)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return small.getvalue()
