"""Looks through the values of a weight file for NaN and infinity, which would show only in the picture. Knows no use of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch

from ..files.weight_files import WeightFile
from ..values.errors import ModelBroken


def check_finite(path: Path) -> None:
    """Look at every value of a file, once as long as it stays the same. Raises `ModelBroken` for NaN and infinity."""
    status = path.stat()
    if broken := _broken(path, status.st_size, status.st_mtime_ns):
        raise ModelBroken(f"{path.name} holds NaN or infinity in {broken}", "Download the file again, or choose another version.")


@lru_cache(maxsize=256)
def _broken(path: Path, size: int, changed: int) -> str:
    """The first tensor that holds NaN or infinity; empty for none."""
    with WeightFile(path) as file:
        return next(_not_finite(file), "")


def _not_finite(file: WeightFile) -> Iterator[str]:
    for key, tensor in file.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.to(torch.float32)).all()):
            yield key
