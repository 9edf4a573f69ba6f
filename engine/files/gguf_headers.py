"""The header of a GGUF file, in the form of any other: names, types and shapes of its tensors, without reading one of them.

Knows the format, version 2 and 3, and nothing of what the names mean; knows no torch. `weight_files` reads the values.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from ..values.errors import ModelBroken, ModelMissing
from .headers import DOWNLOAD_AGAIN, Header, truncated

SUFFIX = ".gguf"
NO_GGUF = "GGUF files are read with the package gguf, which is not installed"
INSTALL_GGUF = "pip install gguf"

LIMIT = 64_000_000
"""Bytes of header that are read at most; a language model's vocabulary takes some ten million."""

STORED: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    30: ("BF16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
}
"""Number of a type -> its name, and how many values a block of how many bytes holds: the types that diffusers reads."""

_UNREAD = {
    **{9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S", 29: "IQ1_M"},
    **{24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 34: "TQ1_0", 35: "TQ2_0"},
}
"""Types that it does not read, as people call them."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_SHAPE = "comfy.gguf.orig_shape."
"""Before the name of a tensor that was stored in rows of 256 values: ComfyUI's note of its own shape."""
_DIMENSIONS = 4


def read_gguf_header(path: Path) -> Header:
    """The checked header of a GGUF file. Raises `ModelMissing` if there is none, `ModelBroken` if it is damaged.

    Types that are not in `STORED` are called `GGML NAME`. The metadata are texts, also of numbers, with no lists.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Reading(path, file, size).header()
    except FileNotFoundError as error:
        raise ModelMissing(f"{path} does not exist") from error
    except OSError as error:
        raise ModelBroken(f"{path} cannot be read: {error.strerror or error}") from error


class _Reading:
    """One pass over the beginning of a file."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        self._limit = min(size, LIMIT)

    def header(self) -> Header:
        if self._file.read(4) != b"GGUF":
            raise self._broken("it does not begin with the letters GGUF")
        version = self._scalar("I")
        if version not in (2, 3):
            raise ModelBroken(f"{self._path} is a GGUF file of version {version}; versions 2 and 3 can be read")
        count, notes = self._scalar("Q"), self._scalar("Q")
        metadata: dict[str, str] = {}
        shapes: dict[str, list[int]] = {}
        for _ in range(notes):
            name, value = self._text(), self._value(self._scalar("I"))
            if isinstance(value, list):
                if name.startswith(_SHAPE):
                    shapes[name.removeprefix(_SHAPE)] = value
            else:
                metadata[name] = str(value)
        tensors = dict(self._tensor(shapes) for _ in range(count))
        begins = self._aligned(metadata.get("general.alignment", "32"))
        needed = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        if begins + needed > self._size:
            raise truncated(self._path, needed, max(0, self._size - begins))
        return Header(tensors, metadata, self._size, begins, needed)

    def _tensor(self, shapes: Mapping[str, list[int]]) -> tuple[str, dict[str, Any]]:
        name, dimensions = self._text(), self._scalar("I")
        if dimensions > _DIMENSIONS:
            raise self._broken(f"tensor {name!r} has {dimensions} dimensions")
        stored = [self._scalar("Q") for _ in range(dimensions)][::-1]
        number, offset = self._scalar("I"), self._scalar("Q")
        kind, values, size = STORED.get(number, (f"GGML {_UNREAD.get(number, number)}", 1, 0))
        if size and (stored[-1] if stored else 1) % values:
            raise self._broken(f"tensor {name!r} of shape {stored} cannot have type {kind}")
        shape = shapes.get(name, stored)
        if prod(shape) != prod(stored) or any(side < 0 for side in shape):
            raise self._broken(f"tensor {name!r} has shape {stored}, and shape {shape} by its note")
        return name, {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + prod(stored) // values * size]}

    def _aligned(self, alignment: str) -> int:
        """Where the tensors begin."""
        if not alignment.isdecimal() or not int(alignment):
            raise self._broken(f"its alignment is {alignment}")
        return -(-self._file.tell() // int(alignment)) * int(alignment)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            inner, count = self._scalar("I"), self._scalar("Q")
            if inner in _SCALARS:
                return list(struct.unpack(f"<{count}{_SCALARS[inner]}", self._bytes(count * struct.calcsize(_SCALARS[inner]))))
            if inner != _STRING:
                raise self._broken(f"it has a list of values of type {inner}")
            return [self._text() for _ in range(count)]
        if kind not in _SCALARS:
            raise self._broken(f"it has a value of type {kind}")
        return self._scalar(_SCALARS[kind])

    def _text(self) -> str:
        return self._bytes(self._scalar("Q")).decode("utf-8", errors="replace")

    def _scalar(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self._bytes(struct.calcsize(f"<{form}")))[0]

    def _bytes(self, count: int) -> bytes:
        if self._file.tell() + count > self._limit:
            raise self._broken(f"it ends within {self._limit:,} bytes of header")
        return self._file.read(count)

    def _broken(self, why: str) -> ModelBroken:
        return ModelBroken(f"{self._path} has a corrupt GGUF header: {why}", DOWNLOAD_AGAIN)
