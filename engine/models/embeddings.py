"""Textual inversion embeddings: their vectors, from files, and put in the place of tokens. Knows text encoders, no prompt."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..adapters.embeddings import read_embedding
from ..adapters.lora_keys import sort_keys
from ..files.weight_files import WeightFile
from ..values.errors import ModelBroken
from ..weights.finite import check_finite

Place = tuple[int, int, Tensor]
"""Row and column of a token in a batch, and the vector `(width,)` that it is."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """What takes the place of a name in a prompt."""

    vectors: tuple[Tensor, ...]
    """For each text encoder `(count, width)`, fp32, on the CPU."""
    stamp: Hashable
    """Equal for equal vectors."""


def open_embedding(path: Path, text_widths: tuple[int, ...]) -> Embedding:
    """The embedding in a file, for text encoders of these widths. Raises `ModelBroken`."""
    with WeightFile(path) as file:
        return _embedding(file, {key: key for key in file}, text_widths)


def open_bundled(path: Path, text_widths: tuple[int, ...]) -> tuple[dict[str, Embedding], dict[str, str]]:
    """The embeddings that were trained together with the LoRA in a file, by name, and why others of them cannot be used."""
    found: dict[str, Embedding] = {}
    problems: dict[str, str] = {}
    with WeightFile(path) as file:
        for name, parts in sort_keys(file).embeddings.items():
            try:
                found[name] = _embedding(file, parts, text_widths)
            except ModelBroken as error:
                problems[name] = str(error)
    return found, problems


@contextlib.contextmanager
def in_place(encoder: Any, places: Sequence[Place]) -> Iterator[None]:
    """While this is entered, `encoder` sees the vectors at these places of its input instead of tokens."""

    def put(layer: Any, ids: Any, embedded: Tensor) -> Tensor:
        embedded = embedded.clone()
        for row, column, vector in places:
            embedded[row, column] = vector.to(embedded)
        return embedded

    if not places:
        yield
        return
    handle = encoder.get_input_embeddings().register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()


def _embedding(file: WeightFile, parts: Mapping[str, str], text_widths: tuple[int, ...]) -> Embedding:
    """`parts`: part of the embedding -> key."""
    reading = read_embedding({part: file.header.shape(key) for part, key in parts.items()}, text_widths)
    if reading is None:
        raise ModelBroken(f"{file.path.name} has no embedding of a known kind")
    if problem := reading.problem(text_widths):
        raise ModelBroken(f"{file.path.name}: {problem}")
    check_finite(file.path)
    vectors = (file[parts[reading.keys[index]]].to(torch.float32) for index in range(len(text_widths)))
    status = file.path.stat()
    return Embedding(
        tuple(tensor.reshape(-1, tensor.shape[-1]) for tensor in vectors), (str(file.path), *parts, status.st_mtime_ns)
    )
