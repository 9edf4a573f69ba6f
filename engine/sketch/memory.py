"""The memory of drawings: one file of small pictures, each in premultiplied RGBA when it is asked for."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from acetate.raster import RGBA
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

MEMORY = "memory.safetensors"
"""The file in a model's folder."""
PICTURES, ENDS = "pictures", "ends"
"""Tensors of the file: the WebP files one behind the other, and where each ends."""
QUALITY = 90
"""WebP's, for colour; alpha is kept as it is."""


class Memory:
    """The drawings in a file of safetensors; a picture is decoded as it is taken.

    WebP instead of the codec's latents, as those take twice the room (48 latents of 8 bits for each of 256 patches are 12 KB) and
    give back less; and a codec that is trained again leaves it as it is.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read before something is asked. Raises `OSError` or safetensors' own error then."""
        self.path = path

    @cached_property
    def names(self) -> list[str]:
        """What each drawing shows, in English; a subject's number is its place here."""
        with safe_open(self.path, "np") as stored:
            names: list[str] = json.loads(stored.metadata()["names"])
        return names

    @cached_property
    def _files(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        with safe_open(self.path, "np") as stored:
            return stored.get_tensor(PICTURES), stored.get_tensor(ENDS)

    def picture(self, number: int) -> RGBA:
        """Drawing `number`, `(H, W, 4)` premultiplied. Raises `IndexError` beyond the last."""
        files, ends = self._files
        start = int(ends[number - 1]) if number else 0
        return _premultiplied(np.asarray(Image.open(io.BytesIO(files[start : int(ends[number])].tobytes())).convert("RGBA")))


def write(path: Path, pictures: Sequence[RGBA], names: Sequence[str], notice: str) -> None:
    """Keep drawings, `(H, W, 4)` straight with colour padded under alpha 0, and whose they are."""
    files = []
    for picture in pictures:
        kept = io.BytesIO()
        Image.fromarray(picture).save(kept, "WEBP", quality=QUALITY, method=4, alpha_quality=100)
        files.append(kept.getvalue())
    ends = np.cumsum([len(one) for one in files]).astype(np.int64)
    tensors: dict[str, NDArray[Any]] = {PICTURES: np.frombuffer(b"".join(files), np.uint8), ENDS: ends}
    save_file(tensors, path, {"names": json.dumps(list(names)), "notice": notice})


def _premultiplied(straight: RGBA) -> RGBA:
    made = straight.copy()
    made[..., :3] = (straight[..., :3].astype(np.uint16) * straight[..., 3:] + 127) // 255
    return made
