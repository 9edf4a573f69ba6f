"""Weights that are read from a safetensors file one tensor at a time, when asked for. Knows nothing of their use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..values.errors import ModelBroken, ModelMissing, OutOfMemory
from .gguf_headers import INSTALL_GGUF, NO_GGUF, read_gguf_header
from .gguf_headers import SUFFIX as GGUF
from .headers import Header, read_header


class WeightFile(Mapping[str, Tensor]):
    """A state dict that lies on the disk: `file[key]` reads one tensor to the CPU, nothing is kept.

    Use it where a whole file need not be in memory, which is everywhere that weights are merged one by one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        quantised = path.suffix.lower() == GGUF
        self.header = read_gguf_header(path) if quantised else read_header(path)
        try:
            # The library refuses a file that goes on after its tensors, as some programs leave them.
            own = _Gguf if quantised else _Padded if self.header.trailing else None
            self._file = own(path, self.header) if own else safe_open(path, framework="pt", device="cpu")
        except (SafetensorError, OSError) as error:
            if "Cannot allocate memory" in str(error):
                hint = "Close other programs or models."
                raise OutOfMemory(f"{path.name} does not fit into the memory that is left: {error}", hint) from error
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


class _Padded:
    """A file that the library refuses, read as it reads others: one with more bytes than its tensors take."""

    def __init__(self, path: Path, header: Header) -> None:
        self._header = header
        self._bytes = np.memmap(path, mode="r")

    def get_tensor(self, key: str) -> Tensor:
        return self._raw(key).view(TYPES[self._header.dtype(key)]).reshape(self._header.shape(key))

    def _raw(self, key: str) -> Tensor:
        """The bytes of a tensor."""
        start, end = (self._header.data_begins + offset for offset in self._header.tensors[key]["data_offsets"])
        return torch.from_numpy(self._bytes[start:end].copy())

    def __exit__(self, *ignored: object) -> None:
        del self._bytes


class _Gguf(_Padded):
    """A GGUF file. Blocks of a few bits come as float32, worked out by diffusers."""

    def __init__(self, path: Path, header: Header) -> None:
        super().__init__(path, header)
        try:
            from diffusers.quantizers.gguf.utils import GGML_QUANT_SIZES, dequantize_functions
        except ImportError as error:
            raise ModelMissing(f"{path.name} cannot be opened: {NO_GGUF}", INSTALL_GGUF) from error
        self._ways = {kind.name: (way, *GGML_QUANT_SIZES[kind]) for kind, way in dequantize_functions.items()}

    def get_tensor(self, key: str) -> Tensor:
        kind = self._header.dtype(key)
        if kind in TYPES:
            return super().get_tensor(key)
        way, values, size = self._ways[kind]
        blocks: Tensor = way(self._raw(key).reshape(-1, size), values, size, torch.float32)
        return blocks.reshape(self._header.shape(key))


TYPES = {
    **{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "BOOL": torch.bool},
    **{"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "U8": torch.uint8, "I8": torch.int8},
    **{"I64": torch.int64, "I32": torch.int32, "I16": torch.int16},
}
"""Names of types in a header -> torch's."""


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
