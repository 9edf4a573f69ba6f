"""State dicts that lie on the disk: a tensor is read when it is asked for, its shape without reading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from acetate.engine.files.gguf_headers import STORED
from acetate.engine.files.weight_files import WeightFile, WeightFiles, listed, shapes_of
from acetate.engine.values.errors import ModelBroken, ModelMissing
from diffusers.quantizers.gguf.utils import dequantize_functions
from safetensors.torch import save_file
from torch import Tensor

from ..checkpoints.gguf_files import finished

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b.weight": torch.ones(4, dtype=torch.float16), "c": torch.tensor(7)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_file(WEIGHTS, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def test_a_file_is_a_mapping_of_the_tensors_that_were_written(path: Path) -> None:
    with WeightFile(path) as file:
        assert sorted(file) == sorted(WEIGHTS) and len(file) == 3
        assert "a" in file and "d" not in file and 5 not in file
        for key, tensor in file.items():
            assert torch.equal(tensor, WEIGHTS[key]) and tensor.dtype == WEIGHTS[key].dtype
        with pytest.raises(KeyError, match="d"):
            file["d"]


def test_a_file_that_is_missing_or_damaged_is_named_when_it_is_opened(path: Path) -> None:
    with pytest.raises(ModelMissing, match="nowhere"):
        WeightFile(path.with_name("nowhere"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelBroken, match=r"m\.safetensors"):
        WeightFile(path)


def test_a_tensor_that_cannot_be_read_is_named(path: Path) -> None:
    with WeightFile(path) as file:
        pass  # closed: nothing can be read any more
    with pytest.raises(ModelBroken, match=r"m\.safetensors.*'a'"):
        file["a"]


def test_several_files_are_one_with_their_number_before_every_key(path: Path) -> None:
    save_file({"a": torch.zeros(1), "x:y": torch.ones(2)}, path.with_name("n.safetensors"))
    with WeightFile(path) as first, WeightFile(path.with_name("n.safetensors")) as second:
        files = WeightFiles([first, second])
        assert sorted(files) == ["0:a", "0:b.weight", "0:c", "1:a", "1:x:y"] and len(files) == 5
        assert torch.equal(files["0:a"], WEIGHTS["a"])
        assert torch.equal(files["1:x:y"], torch.ones(2))
        assert shapes_of(files) == {"0:a": (2, 3), "0:b.weight": (4,), "0:c": (), "1:a": (1,), "1:x:y": (2,)}


def test_shapes_are_known_without_reading_a_tensor(
    write_sparse: Callable[[Path, Mapping[str, tuple[int, ...]]], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {"a": (2, 3), "b": (), "large": (2**10, 2**10)}
    monkeypatch.setattr(WeightFile, "__getitem__", lambda self, key: pytest.fail(f"{key} was read"))
    with WeightFile(write_sparse(tmp_path / "m.safetensors", shapes)) as file:
        assert shapes_of(file) == shapes
    plain: dict[str, Tensor] = dict(WEIGHTS)
    assert shapes_of(plain) == {"a": (2, 3), "b.weight": (4,), "c": ()}


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, ""), (1, "k0"), (8, "k0, k1, k2, k3, k4, k5, k6, k7"), (10, "k0, k1, k2, k3, k4, k5, k6, k7 and 2 more")],
)
def test_of_many_keys_the_first_are_listed(count: int, text: str) -> None:
    assert listed(reversed([f"k{i}" for i in range(count)])) == text
    assert listed(["b", "a"], limit=1) == "a and 1 more"


def test_the_types_of_gguf_that_are_read_are_those_that_diffusers_reads() -> None:
    assert {name for name, *_ in STORED.values()} == {kind.name for kind in dequantize_functions} | {"F32", "F16"}


@pytest.mark.parametrize("number", [number for number, (_, values, _) in STORED.items() if values > 1])
def test_blocks_of_every_type_are_worked_out_as_the_format_says(tmp_path: Path, number: int) -> None:
    kind = gguf.GGMLQuantizationType(number)
    values, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.random.default_rng(number).integers(0, 60, (3, 2 * size), dtype=np.uint8)  # no exponent of NaN
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "sdxl")
    writer.add_tensor("a.weight", blocks, raw_dtype=kind)
    with WeightFile(finished(writer, tmp_path / "m.gguf")) as file:
        assert file["a.weight"].shape == (3, 2 * values)
        torch.testing.assert_close(file["a.weight"], torch.from_numpy(gguf.quants.dequantize(blocks, kind)))
