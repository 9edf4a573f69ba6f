from __future__ import annotations

from pathlib import Path

import pytest
import torch
from acetate.engine.sketch.memory import MEMORY
from acetate.engine.sketch.networks import Enlarger, PatchDecoder, PatchEncoder
from acetate.engine.sketch.phrases import WORDS

from training import packing
from training.fitting import patch_codec, recalling


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A packed model with random weights."""
    made = tmp_path / "packed"
    networks = PatchEncoder(patch_codec.LATENT_CHANNELS), PatchDecoder(patch_codec.LATENT_CHANNELS)
    packing.save(made, recalling.network(), *networks, Enlarger())
    for name in (MEMORY, WORDS):
        (made / name).write_bytes(name.encode())
    return made


def test_the_weights_of_a_packed_model_are_packed_again_as_they_were(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    packing.unpack(packed, folder)
    packing.write(folder, folder / "model")
    files = [path.relative_to(packed) for path in packed.rglob("*.safetensors")]
    assert len(files) == 6
    assert [path for path in files if (packed / path).read_bytes() != (folder / "model" / path).read_bytes()] == []


def test_training_goes_on_from_a_packed_model(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    packing.unpack(packed, folder)
    weights = packing.codec(folder)[1].linear.weight
    state = torch.load(folder / "patch_codec.pt", weights_only=True)
    assert torch.equal(state["decoder"]["linear.weight"], weights)
    assert state["done"] == 0
    with pytest.raises(FileExistsError, match=r"patch_codec\.pt"):
        packing.unpack(packed, folder)
