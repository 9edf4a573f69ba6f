"""The header of a safetensors file: names, types and shapes of its tensors, without reading one of them.

Knows nothing of what the names mean, and no torch; `recognition` reads a family out of a header.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ..values.errors import ModelBroken, ModelMissing

HEADER_LIMIT = 25_000_000
"""Bytes of JSON that are read at most. The safetensors library's own limit is 100 MB; an SDXL checkpoint needs 0.4 MB."""

BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}
"""Bytes per element of the types that are checked; files with newer types are accepted unchecked."""


@dataclass(frozen=True)
class Header:
    """The header of one file."""

    tensors: Mapping[str, Mapping[str, Any]]
    """Name -> the JSON entry: `dtype`, `shape`, `data_offsets`."""
    metadata: Mapping[str, str]
    file_bytes: int
    data_begins: int = 0
    """Where in the file the tensors begin."""
    data_bytes: int | None = None
    """What the tensors take; the file may be longer. `None` where there is no file."""

    @property
    def trailing(self) -> bool:
        """Whether the file goes on after its last tensor."""
        return self.data_bytes is not None and self.data_begins + self.data_bytes < self.file_bytes

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the tensor `name`."""
        return tuple(self.tensors[name]["shape"])

    def dtype(self, name: str) -> str:
        """The type of the tensor `name`: `F16`, `BF16`, `F32`, …"""
        return str(self.tensors[name]["dtype"])

    def parameters(self) -> int:
        """The number of values in all tensors."""
        return sum(prod(entry["shape"]) for entry in self.tensors.values())


def read_header(path: Path) -> Header:
    """The checked header of a safetensors file. Raises `ModelMissing` if there is none, `ModelBroken` if it is damaged."""
    try:
        file_bytes = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            _check_length(path, length, file_bytes)
            text = file.read(length)
    except FileNotFoundError as error:
        raise ModelMissing(f"{path} does not exist") from error
    except OSError as error:
        raise ModelBroken(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        content = json.loads(text)
    except ValueError as error:  # includes UnicodeDecodeError
        raise ModelBroken(f"{path} has a corrupt header: {error}", DOWNLOAD_AGAIN) from error
    except RecursionError as error:
        raise ModelBroken(f"{path} has a corrupt header: it is nested too deeply", DOWNLOAD_AGAIN) from error
    if not isinstance(content, dict):
        raise ModelBroken(f"{path} has a corrupt header: its JSON is a {type(content).__name__}, not an object", DOWNLOAD_AGAIN)
    metadata = content.pop("__metadata__", None) or {}
    needed = _check_entries(path, content, file_bytes - 8 - length)
    return Header(content, metadata if isinstance(metadata, dict) else {}, file_bytes, 8 + length, needed)


DOWNLOAD_AGAIN = "Download the file again."


def truncated(path: Path, needed: int, has: int) -> ModelBroken:
    """That a file ends before its tensors do, which need so many bytes."""
    return ModelBroken(f"{path} is truncated: its tensors need {needed:,} bytes, the file has {has:,}", DOWNLOAD_AGAIN)


def _check_length(path: Path, length: int, file_bytes: int) -> None:
    if file_bytes < 8:
        raise ModelBroken(f"{path} has {file_bytes} bytes; a safetensors file has at least 8", DOWNLOAD_AGAIN)
    if length > HEADER_LIMIT:
        raise ModelBroken(
            f"{path} is not a safetensors file: its first 8 bytes announce a header of {length:,} bytes, "
            f"more than the {HEADER_LIMIT:,} that are read"
        )
    if length > file_bytes - 8:
        raise ModelBroken(
            f"{path} is truncated: its header has {length:,} bytes, but the file ends after {file_bytes - 8:,}", DOWNLOAD_AGAIN
        )


def _check_entries(path: Path, entries: dict[str, Any], data_bytes: int) -> int:
    """The bytes that tensors take; every one has a type, a shape and a place inside the file that fits them."""
    last = 0
    for name, entry in entries.items():
        try:
            shape, (start, end) = entry["shape"], entry["data_offsets"]
            width = BYTES.get(entry["dtype"])
            fits = 0 <= start <= end and (width is None or prod(shape) * width == end - start)
        except (TypeError, KeyError, ValueError) as error:
            message = f"{path} has a corrupt header: tensor {name!r} is described as {entry!r}"
            raise ModelBroken(message, DOWNLOAD_AGAIN) from error
        if not fits:
            kind = f"shape {shape} and type {entry['dtype']}"
            message = f"{path} has a corrupt header: tensor {name!r} of {kind} has {end - start} bytes"
            raise ModelBroken(message, DOWNLOAD_AGAIN)
        last = max(last, end)
    if last > data_bytes:
        raise truncated(path, last, data_bytes)
    return last
