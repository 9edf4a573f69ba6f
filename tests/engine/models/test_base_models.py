"""Base models of people who have not all of the files, and VAEs that lie beside them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, ModelBroken, ModelMissing, Picture, Request
from acetate.engine.files import catalogue
from acetate.engine.files import companions as companions_module
from acetate.engine.files.companions import companions
from acetate.engine.files.gguf_headers import NO_GGUF
from acetate.engine.files.library import Library
from acetate.engine.models.checkpoints import open_vae
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ..checkpoints.saved_layouts import UNET_ALONE, write_gguf


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """To a level: a matrix product may round by where in memory its weights lie, and those of a mapped file lie anywhere."""
    return int(np.abs(one.astype(int) - other).max()) <= 1


def draw(engine: Engine, **values: Any) -> NDArray[np.uint8]:
    request = Request(**{"prompt": "a bottle", "model": "tiny", "steps": 2, "alpha_passes": 1, **values})
    return next(event.rgba for event in engine.run(request) if isinstance(event, Picture))


def test_a_redraw_needs_no_file_of_layerdiffuse_and_what_does_is_named_with_the_command(
    engine_for: Callable[[str], Engine], models: dict[str, Path], tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    """And files that come later are taken up without a restart."""
    bare = tmp_path / "bare"
    shutil.copytree(models["sd15"] / "checkpoints", bare / "checkpoints")
    enlarge = {"task": "upscale", "source": picture, "scale": 1.5, "strength": 0.5, "steps": 4, "prompt": ""}
    expected = draw(engine_for("sd15"), **enlarge)
    engine = Engine("cpu", Library(bare, tmp_path / "s", tmp_path / "c"))
    with pytest.raises(ModelMissing, match="'transparent-attention' are not installed; .*'transparent-decoder'") as refused:
        draw(engine)
    assert refused.value.hint == "acetate models pull sd15-transparent-attention; acetate models pull sd15-transparent-decoder"
    assert "tiny" not in engine._models, "the refusal comes before the checkpoint is read"
    assert (draw(engine, **enlarge) == expected).all()
    with pytest.raises(ModelMissing, match="'transparent-decoder'"):
        draw(engine, **enlarge, upscaling={"mode": "refine"})
    shutil.copytree(models["sd15"] / "layer_model", bare / "layer_model")
    assert (draw(engine) == draw(engine_for("sd15"))).all()


def test_only_the_encoder_may_be_missing_for_a_refine(
    engine_for: Callable[[str], Engine], models: dict[str, Path], tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    part = tmp_path / "part"
    shutil.copytree(models["sd15"], part)
    for row in catalogue.candidates("sd15", "transparent-encoder"):
        (part / "layer_model" / row.file).unlink(missing_ok=True)
    engine = Engine("cpu", Library(part, tmp_path / "s", tmp_path / "c"))
    assert draw(engine, task="refine", source=picture).shape == picture.shape


@pytest.fixture
def own(engine_for: Callable[[str], Engine], models: dict[str, Path], tmp_path: Path) -> Path:
    """The checkpoint of a copy of the models of SD 1.5, which may be changed."""
    shutil.copytree(models["sd15"], tmp_path / "own")
    return tmp_path / "own" / "checkpoints" / "tiny.safetensors"


def damage(path: Path, key: str, value: float) -> None:
    tensors = load_file(path)
    tensors[key] = torch.full_like(tensors[key], value)
    save_file(tensors, path)


@pytest.fixture
def quantised(own: Path, tiny_sd15: Any) -> Path:
    """A GGUF of the same UNet beside that checkpoint."""
    tensors = UNET_ALONE["UNet alone, bare names"](tiny_sd15)
    return write_gguf(tensors, own.with_name("small.gguf"), "BF16", architecture="sd1")


def test_a_gguf_draws_with_the_text_encoders_and_the_vae_of_another_checkpoint(
    own: Path, quantised: Path, tmp_path: Path
) -> None:
    engine = Engine("cpu", Library(own.parents[1], tmp_path / "s", tmp_path / "c"), "eager")
    (small,) = [one for one in engine.library.installed("checkpoint") if one.path == quantised]
    assert (small.name, small.problem) == ("small", "")
    whole, found = draw(engine).astype(int), draw(engine, model="small").astype(int)
    assert np.abs(found - whole).mean() < 3
    assert draw(engine, model="small.gguf").any()


def test_without_the_package_gguf_the_listing_says_what_to_install(
    own: Path, quantised: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(own.parents[1], tmp_path / "s", tmp_path / "c")
    monkeypatch.setattr(companions_module, "find_spec", lambda name: None)
    (small,) = [one for one in library.installed("checkpoint") if one.path == quantised]
    assert (small.problem, small.hint) == (NO_GGUF, "pip install gguf")
    with pytest.raises(ModelMissing, match="the package gguf, which is not installed") as refused:
        library.find("small", "checkpoint")
    assert refused.value.hint == "pip install gguf"
    monkeypatch.undo()
    assert not library.find("small", "checkpoint").problem


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "model.diffusion_model.out.2.weight",
            float("nan"),
            "the UNet of tiny.safetensors holds NaN or infinity in conv_out.weight",
        ),
        ("model.diffusion_model.time_embed.0.bias", float("inf"), "holds NaN or infinity in time_embedding.linear_1.bias"),
        ("model.diffusion_model.out.2.weight", 0, "holds nothing but zeros in conv_out.weight"),
        ("first_stage_model.decoder.conv_out.weight", float("nan"), "the VAE of tiny.safetensors holds NaN or infinity"),
        (
            "cond_stage_model.transformer.text_model.final_layer_norm.weight",
            float("nan"),
            "the text encoder of tiny.safetensors holds NaN or infinity in",
        ),
    ],
)
def test_damaged_values_are_named_when_a_checkpoint_is_opened_and_then_in_the_listing(
    own: Path, tmp_path: Path, key: str, value: float, words: str
) -> None:
    library = Library(own.parents[1], tmp_path / "s", tmp_path / "c")
    sound = own.read_bytes()
    damage(own, key, value)
    assert not library.find("tiny", "checkpoint").problem
    with pytest.raises(ModelBroken, match=re.escape(words)) as refused:
        draw(Engine("cpu", library, "eager"))
    assert library.installed("checkpoint")[0].problem == str(refused.value)
    with pytest.raises(ModelBroken, match=re.escape(words)):
        library.find("tiny", "checkpoint")
    own.write_bytes(sound)
    assert draw(Engine("cpu", library, "eager")).any()


def test_what_lies_in_the_place_of_a_vae_and_is_none_is_named_in_the_listing(own: Path, tmp_path: Path) -> None:
    beside = own.with_name("tiny.vae.safetensors")
    save_file({"decoder.conv_in.weight": torch.ones(8, 16, 3, 3), "encoder.conv_in.weight": torch.ones(8, 3, 3, 3)}, beside)
    library = Library(own.parents[1], tmp_path / "s", tmp_path / "c")
    with pytest.raises(ModelMissing, match=r"tiny.vae.safetensors next to it would be its VAE, and is an autoencoder of another"):
        library.find("tiny", "checkpoint")


def test_a_vae_of_other_widths_is_refused_by_name(tiny_sd15: Any, tmp_path: Path) -> None:
    tensors = tiny_sd15.vae_tensors()
    tensors["decoder.conv_in.weight"] = torch.zeros(16, 4, 3, 3)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, tmp_path / "wide.safetensors")
    with pytest.raises(ModelBroken, match=r"the VAE of wide\.safetensors is of another kind of model: decoder\.conv_in"):
        open_vae(tmp_path / "wide.safetensors", torch.float32, tiny_sd15.write_configs(tmp_path / "c"))


def test_a_checkpoint_that_was_exchanged_says_so_with_the_picture(own: Path, tmp_path: Path) -> None:
    engine = Engine("cpu", Library(own.parents[1], tmp_path / "s", tmp_path / "c"), "eager")
    draw(engine)
    damage(own, "model.diffusion_model.out.2.bias", 0.1)
    engine.unload()
    events = engine.run(Request(prompt="a bottle", model="tiny", steps=2, alpha_passes=1))
    (warnings,) = [event.warnings for event in events if isinstance(event, Picture)]
    assert [said for said in warnings if "tiny.safetensors is not the file that was first used on" in said]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "models", tmp_path / "settings", tmp_path / "cache")


def vae_of(name: str, library: Library) -> Path | None:
    return companions(next(one for one in library.installed() if one.name == name), library.installed()).vae


def test_a_vae_is_taken_from_beside_the_checkpoint_the_vae_folder_or_another_checkpoint(library: Library, tiny: Any) -> None:
    folder = library.models / "checkpoints"
    folder.mkdir(parents=True)
    (library.models / "vae").mkdir()
    path = tiny.write_file(folder / "bare.safetensors", vae=False)
    with pytest.raises(ModelMissing, match="it has no VAE inside, and no other installed file has one for it") as refused:
        library.find("bare", "checkpoint")
    assert refused.value.hint == "Put one next to it as bare.vae.safetensors."
    listed = next(one for one in library.installed() if one.name == "bare")
    assert listed.problem in str(refused.value), "the listing says what the job will say"

    whole = tiny.write_file(folder / "whole.safetensors")
    assert vae_of("bare", library) == whole
    assert vae_of("whole", library) is None
    vae = {key: tensor.contiguous() for key, tensor in tiny.vae_tensors().items()}
    for name in ("sdxl_vae", "vae-ft-mse"):
        save_file(vae, library.models / "vae" / f"{name}.safetensors")
    suitable = "sdxl_vae" if tiny.family == "sdxl" else "vae-ft-mse"
    assert vae_of("bare", library) == library.models / "vae" / f"{suitable}.safetensors"
    beside = path.with_name("bare.vae.safetensors")
    save_file(vae, beside)
    assert vae_of("bare", library) == beside


def test_a_unet_alone_draws_with_the_text_encoders_and_the_vae_of_another_checkpoint_and_says_whose(
    engine_for: Callable[[str], Engine], tiny_sd15: Any, tmp_path: Path
) -> None:
    engine = engine_for("sd15")
    tiny_sd15.write_file(tmp_path / "unet.safetensors", vae=False, text=False)
    engine.library.add(tmp_path / "unet.safetensors")
    requests = (Request(prompt="a bottle", model=name, steps=2, alpha_passes=1) for name in ("tiny", "unet"))
    expected, found = (next(event for event in engine.run(one) if isinstance(event, Picture)) for one in requests)
    assert alike(found.rgba, expected.rgba)
    assert (found.parameters["vae"], found.parameters["text_encoders"]) == ("tiny.safetensors", "tiny.safetensors")
    assert "vae" not in expected.parameters


def test_a_vae_without_encoder_draws_and_says_what_it_cannot(
    engine_for: Callable[[str], Engine], tiny_sd15: Any, tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    engine = engine_for("sd15")
    tiny_sd15.write_file(tmp_path / "bare.safetensors", vae=False)
    tensors = {key: tensor.contiguous() for key, tensor in tiny_sd15.vae_tensors().items() if "decoder" in key or "post" in key}
    save_file(tensors, tmp_path / "bare.vae.safetensors")
    engine.library.add(tmp_path / "bare.safetensors")
    assert alike(draw(engine, model="bare"), draw(engine))
    with pytest.raises(ModelMissing, match="VAE has no encoder: it draws, but cannot work on a layer") as refused:
        draw(engine, model="bare", task="refine", source=picture)
    assert "whole VAE" in refused.value.hint


def test_a_checkpoint_without_vae_draws_with_the_one_beside_it(
    engine_for: Callable[[str], Engine], tiny_sd15: Any, tmp_path: Path
) -> None:
    engine = engine_for("sd15")
    tiny_sd15.write_file(tmp_path / "bare.safetensors", vae=False)
    save_file({key: tensor.contiguous() for key, tensor in tiny_sd15.vae_tensors().items()}, tmp_path / "bare.vae.safetensors")
    engine.library.add(tmp_path / "bare.safetensors")
    assert alike(draw(engine, model="bare"), draw(engine))
    assert torch.equal(engine.open("bare").codec.networks[0].decoder.conv_in.weight, tiny_sd15.vae.decoder.conv_in.weight)
