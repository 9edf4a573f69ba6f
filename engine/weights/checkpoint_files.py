"""A checkpoint's tensors under their original names and as plain numbers, whatever program saved it. Knows no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor

from ..checkpoints.original_names import original_names
from ..checkpoints.stored_values import is_beside, scale_of
from ..families import NEWEST_FIRST
from ..files.weight_files import WeightFile


class CheckpointFile(Mapping[str, Tensor]):
    """A state dict that lies on the disk: `file[name]` reads one tensor to the CPU, nothing is kept.

    Weights in 8 bit with a scale are multiplied by it, in float32; what says how they are stored is not among the names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = WeightFile(path)
        names = original_names(self._file.keys(), NEWEST_FIRST) or {name: name for name in self._file}
        self._names = {original: name for original, name in names.items() if not is_beside(name)}

    def __getitem__(self, key: str) -> Tensor:
        name = self._names[key]
        tensor = self._file[name]
        scale = scale_of(name, self._file.keys())
        if scale is None:
            return tensor
        factor = self._file[scale].to(torch.float32)
        if factor.ndim == 1 and len(factor) > 1:  # of each row
            factor = factor.reshape(-1, *[1] * (tensor.ndim - 1))
        return tensor.to(torch.float32) * factor

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def __enter__(self) -> CheckpointFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._file.__exit__(kind, error, traceback)
