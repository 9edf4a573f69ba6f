"""Reading headers: intact ones, and every way in which a download can be damaged."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from acetate.engine.files.headers import HEADER_LIMIT, read_header
from acetate.engine.values.errors import ModelBroken, ModelMissing
from safetensors.numpy import save_file


def written(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_names_types_shapes_and_metadata_are_read(tmp_path: Path) -> None:
    arrays = {"a": np.zeros((2, 3), np.float16), "b": np.zeros((), np.float32), "c": np.zeros((0, 4), np.int64)}
    save_file(arrays, tmp_path / "m.safetensors", {"modelspec.title": "x"})
    header = read_header(tmp_path / "m.safetensors")
    assert [header.shape(name) for name in "abc"] == [(2, 3), (), (0, 4)]
    assert [header.dtype(name) for name in "abc"] == ["F16", "F32", "I64"]
    assert (header.metadata, header.parameters()) == ({"modelspec.title": "x"}, 7)
    assert header.file_bytes == (tmp_path / "m.safetensors").stat().st_size


@pytest.mark.parametrize(
    ("header", "data", "complaint"),
    [
        (b"{", b"", "corrupt header"),
        (b"\xff\xfe{}", b"", "corrupt header"),
        (b"[" * 100_000, b"", "corrupt header"),
        ([1], b"", "its JSON is a list, not an object"),
        ({"a": 1}, b"", "tensor 'a' is described as 1"),
        ({"a": {"dtype": "F32", "shape": [1]}}, b"", "tensor 'a' is described as"),
        ({"a": entry([2], 0, 4)}, b"\0" * 4, r"tensor 'a' of shape \[2\] and type F32 has 4 bytes"),
        ({"a": entry([2], 8, 0)}, b"\0" * 8, "tensor 'a' of shape"),
        ({"a": entry([1], 0, 4), "b": entry([1], 4, 8)}, b"\0" * 7, "is truncated: its tensors need 8 bytes, the file has 7"),
    ],
)
def test_damage_is_named(tmp_path: Path, header: object, data: bytes, complaint: str) -> None:
    with pytest.raises(ModelBroken, match=complaint):
        read_header(written(tmp_path / "m.safetensors", header, data))


def test_files_that_are_something_else_are_refused_without_reading_them(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"1234")
    (tmp_path / "pickle").write_bytes(b"\x80\x02ctorch._utils\n" * 100)
    with pytest.raises(ModelBroken, match="has 4 bytes; a safetensors file has at least 8"):
        read_header(tmp_path / "short")
    with pytest.raises(ModelBroken, match=f"more than the {HEADER_LIMIT:,} that are read"):
        read_header(tmp_path / "pickle")
    with pytest.raises(ModelBroken, match="is truncated: its header has 1,000 bytes, but the file ends after 2"):
        read_header(written(tmp_path / "cut", b"{}", length=1000))
    with pytest.raises(ModelMissing, match="nothing does not exist"):
        read_header(tmp_path / "nothing")
    with pytest.raises(ModelBroken, match="cannot be read"):
        read_header(tmp_path)


def test_newer_types_are_let_through(tmp_path: Path) -> None:
    assert read_header(written(tmp_path / "m", {"a": entry([3], 0, 2, "F4")}, b"\0\0")).dtype("a") == "F4"
