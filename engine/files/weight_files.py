"""Weights that are read from a safetensors file one tensor at a time, when asked for. Knows nothing of their use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..values.errors import ModelBroken
from .headers import read_header


class WeightFile(Mapping[str, Tensor]):
    """A state dict that lies on the disk: `file[key]` reads one tensor to the CPU, nothing is kept.

    Use it where a whole file need not be in memory, which is everywhere that weights are merged one by one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = read_header(path)
        try:
            self._file = safe_open(path, framework="pt", device="cpu")
        except (SafetensorError, OSError) as error:
            raise ModelBroken(f"{path} cannot be opened: {error}", "Download the file again.") from error

    def __getitem__(self, key: str) -> Tensor:
        if key not in self.header.tensors:
            raise KeyError(key)
        try:
            tensor: Tensor = self._file.get_tensor(key)
        except (SafetensorError, OSError) as error:
            raise ModelBroken(f"{self.path}: tensor {key!r} cannot be read: {error}", "Download the file again.") from error
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self.header.tensors)

    def __len__(self) -> int:
        return len(self.header.tensors)

    def __contains__(self, key: object) -> bool:
        return key in self.header.tensors

    def __enter__(self) -> WeightFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._file.__exit__(kind, error, traceback)


class WeightFiles(Mapping[str, Tensor]):
    """Several files as one: the keys of file i have `i:` in front."""

    def __init__(self, files: Sequence[WeightFile]) -> None:
        self.files = files

    def __getitem__(self, key: str) -> Tensor:
        index, _, name = key.partition(":")
        return self.files[int(index)][name]

    def __iter__(self) -> Iterator[str]:
        return (f"{index}:{key}" for index, file in enumerate(self.files) for key in file)

    def __len__(self) -> int:
        return sum(map(len, self.files))


def shapes_of(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes of tensors by their keys; a weight file answers from its header, without reading a tensor."""
    if isinstance(weights, WeightFile):
        return {key: weights.header.shape(key) for key in weights}
    if isinstance(weights, WeightFiles):
        return {f"{i}:{key}": file.header.shape(key) for i, file in enumerate(weights.files) for key in file}
    return {key: tuple(tensor.shape) for key, tensor in weights.items()}


def listed(keys: Iterable[str], limit: int = 8) -> str:
    """The first keys of many, for an error message: `a, b, c and 12 more`."""
    keys = sorted(keys)
    return ", ".join(keys[:limit]) + (f" and {len(keys) - limit} more" if len(keys) > limit else "")
