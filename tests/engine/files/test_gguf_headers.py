"""GGUF headers: what a converter wrote is read, and every damaged file is refused quickly, in words."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
from acetate.engine.files.gguf_headers import STORED, read_gguf_header
from acetate.engine.values.errors import ModelBroken, ModelMissing

from ..checkpoints.gguf_files import finished

BEGIN = b"GGUF" + struct.pack("<I", 3)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(shape: tuple[int, ...], kind: int = 0) -> bytes:
    return text("a") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], kind, 0)


def note(name: str, form: str, *values: int) -> bytes:
    return text(name) + struct.pack(form, *values)


def begin(tensors: int, notes: int) -> bytes:
    return BEGIN + struct.pack("<QQ", tensors, notes)


def written(path: Path) -> Path:
    writer = gguf.GGUFWriter(path, "sdxl")
    blocks = gguf.quants.quantize(np.ones((4, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("blocks.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_array("comfy.gguf.orig_shape.kernels.weight", (16, 16, 3, 3))
    writer.add_tensor("kernels.weight", np.ones((9, 256), np.float16))
    writer.add_tensor("bias", np.ones(5, np.float32))
    return finished(writer, path)


def test_names_types_shapes_and_notes_are_those_that_were_written(tmp_path: Path) -> None:
    header = read_gguf_header(written(tmp_path / "m.gguf"))
    shapes = {name: header.shape(name) for name in header.tensors}
    assert shapes == {"blocks.weight": (4, 64), "kernels.weight": (16, 16, 3, 3), "bias": (5,)}
    assert [header.dtype(name) for name in shapes] == ["Q8_0", "F16", "F32"]
    assert header.metadata["general.architecture"] == "sdxl"


def test_the_types_have_the_sizes_of_the_formats_own_blocks() -> None:
    for number, (name, *sizes) in STORED.items():
        assert gguf.GGMLQuantizationType(number).name == name
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(number)] == tuple(sizes)


DAMAGED = {
    "begin with the letters GGUF$": b"",
    "begin with the letters GGUF": b"GGML" + bytes(100),
    "version 50331648; versions 2 and 3": b"GGUF" + struct.pack(">I", 3) + bytes(16),
    "ends within 8 bytes": BEGIN,
    "ends within 24 bytes": begin(2**62, 0),
    r"ends within 24 ": begin(0, 2**62),
    "ends within 32 bytes": begin(0, 1) + struct.pack("<Q", 2**63),
    "ends within 49 bytes": begin(0, 1) + note("a", "<IIQ", 9, 4, 2**62),
    "a list of values of type 9": begin(0, 1) + note("a", "<IIQ", 9, 9, 1),
    "a value of type 99": begin(0, 1) + note("a", "<I", 99),
    "alignment is 0": begin(0, 1) + note("general.alignment", "<II", 4, 0),
    "has 5 dimensions": begin(1, 0) + tensor((1, 2, 3, 4, 5)),
    "cannot have type Q8_0": begin(1, 0) + tensor((4, 31), 8),
    "is truncated: its tensors need 64 bytes": begin(1, 0) + tensor((4, 4)) + bytes(40),
    r"has shape \[4, 4\], and shape \[3, 3\] by its note": begin(1, 1)
    + note("comfy.gguf.orig_shape.a", "<IIQ2i", 9, 5, 2, 3, 3)
    + tensor((4, 4)),
}


@pytest.mark.parametrize("complaint", DAMAGED)
def test_damage_is_named(tmp_path: Path, complaint: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(DAMAGED[complaint])
    with pytest.raises(ModelBroken, match=complaint) as refused:
        read_gguf_header(path)
    assert str(path) in str(refused.value)


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "m.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in range(0, len(whole) - 20, 7):  # what follows is padding
        cut.write_bytes(whole[:length])
        with pytest.raises(ModelBroken):
            read_gguf_header(cut)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="does not exist"):
        read_gguf_header(tmp_path / "m.gguf")
