"""A Qwen-Image-2.1 folder that somebody owns, through the engine: listed, drawn as diffusers draws, refused where it cannot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, ModelBroken, Picture, Progress, Request
from acetate.engine.files.library import Library
from acetate.engine.native_rgba.qwen_folders import fitted_preview
from acetate.engine.native_rgba.rgba_vae import RGBAVAECodec, snapped
from numpy.typing import NDArray

from .tiny_qwen import TinyQwen


@pytest.fixture(scope="module")
def engine(tiny: TinyQwen, turbo: TinyQwen, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    home = tmp_path_factory.mktemp("home")
    library = Library(models=home / "models", settings=home, cache=home)
    for one in (tiny, turbo):
        library.add(one.folder)
    return Engine(device="cpu", library=library, acceleration="eager")


def events(engine: Engine, **values: Any) -> list[Progress | Picture]:
    asked = {"prompt": "a red apple", "model": "tiny-qwen", "steps": 2, "width": 512, "height": 512, "wrap": "off", **values}
    return list(engine.run(Request(**asked)))


def picture(engine: Engine, **values: Any) -> Picture:
    (found,) = [event for event in events(engine, **values) if isinstance(event, Picture)]
    return found


@pytest.fixture
def layer() -> NDArray[np.uint8]:
    rgba = np.zeros((70, 100, 4), np.uint8)
    rgba[15:50, 20:80] = (200, 30, 30, 255)
    rgba[:, :10, :3] = 90
    return rgba


def test_the_folder_is_listed_with_its_licence_and_its_tasks(engine: Engine) -> None:
    one = engine.library.find("tiny-qwen", "checkpoint")
    assert "Qwen-Image-2.1" in one.kind.what
    assert "not for commercial use" in one.kind.what
    (offer,) = [model for model in engine.describe()["models"] if model["name"] == "tiny-qwen"]
    assert offer["family"] == "qwen21"
    assert set(offer["tasks"]) == {"foreground", "refine", "repaint", "edit", "extract", "decompose", "upscale"}
    assert engine.describe()["families"]["qwen21"]["schedulers"] == ["flow-euler"]


@pytest.mark.parametrize("seed", [7, 8])
def test_a_layer_is_what_diffusers_pipeline_draws(engine: Engine, tiny: TinyQwen, seed: int) -> None:
    asked = {"num_inference_steps": 2, "width": 512, "height": 512}
    (own,) = tiny.pipeline("a red apple", generator=torch.Generator().manual_seed(seed), **asked).images
    found = picture(engine, seed=seed).rgba
    assert np.abs(found.astype(int) - snapped(np.asarray(own))).max() <= 1


def test_guidance_leads_away_from_an_empty_prompt_as_in_diffusers(engine: Engine, tiny: TinyQwen) -> None:
    asked = {"num_inference_steps": 2, "width": 512, "height": 512, "true_cfg_scale": 4.0, "negative_prompt": " "}
    (own,) = tiny.pipeline("a red apple", generator=torch.Generator().manual_seed(7), **asked).images
    found = picture(engine, seed=7, guidance_scale=4.0).rgba
    assert np.abs(found.astype(int) - snapped(np.asarray(own))).max() <= 1


def test_the_authors_words_are_put_around_a_prompt_unless_they_are_not_wanted(engine: Engine, tiny: TinyQwen) -> None:
    words = "This is an RGBA image with transparency. a red apple. The image has alpha channel and the background is transparent."
    asked = {"num_inference_steps": 2, "width": 512, "height": 512}
    found = picture(engine, seed=7, wrap="on")
    (own,) = tiny.pipeline(words, generator=torch.Generator().manual_seed(found.seed), **asked).images
    assert np.abs(found.rgba.astype(int) - snapped(np.asarray(own))).max() <= 1
    assert found.parameters["wrap"] == "on"
    assert found.seed == 9
    assert found.warnings[-1].startswith("the model drew a background 3 times")


def test_a_model_distilled_to_eight_steps_takes_them_by_itself(engine: Engine, turbo: TinyQwen) -> None:
    (own,) = turbo.pipeline("a red apple", width=512, height=512, generator=torch.Generator().manual_seed(7)).images
    found = picture(engine, model="tiny-turbo", steps=None, seed=7)
    assert found.parameters["steps"] == 8
    assert np.abs(found.rgba.astype(int) - snapped(np.asarray(own))).max() <= 1


def test_refining_by_nothing_gives_the_layer_back_and_by_something_another(engine: Engine, layer: NDArray[np.uint8]) -> None:
    asked = {"task": "refine", "source": layer, "width": None, "height": None}
    assert (picture(engine, strength=0.0, **asked).rgba == layer).all()
    assert (picture(engine, strength=0.6, **asked).rgba != layer).any()


def test_repainting_changes_nothing_outside_the_mask(engine: Engine, layer: NDArray[np.uint8]) -> None:
    mask = np.zeros(layer.shape[:2], np.uint8)
    mask[20:40, 30:60] = 255
    found = picture(engine, task="repaint", source=layer, mask=mask, width=None, height=None).rgba
    assert (found[mask == 0] == layer[mask == 0]).all(), "hidden colour included"
    assert (found[mask > 0] != layer[mask > 0]).any()


@pytest.mark.parametrize("mode", ["refine", "redraw"])
def test_enlarging_draws_anew_in_parts(engine: Engine, layer: NDArray[np.uint8], mode: str) -> None:
    asked = {"task": "upscale", "source": layer, "strength": 0.6, "upscaling": {"mode": mode}, "width": None, "height": None}
    found = picture(engine, **asked)
    assert found.rgba.shape == (140, 200, 4)


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(engine: Engine) -> None:
    one, again, other = (picture(engine, seed=seed).rgba for seed in (3, 3, 4))
    assert (one == again).all()
    assert (one != other).any()


def test_a_preview_shows_where_colour_will_be(engine: Engine) -> None:
    steps = [event for event in events(engine) if isinstance(event, Progress) and event.preview is not None]
    assert steps[-1].preview is not None
    assert steps[-1].preview().shape == (32, 32, 4)


def test_the_fit_of_a_preview_is_near_what_the_codec_decodes(tiny: TinyQwen) -> None:
    """Of latents that it was not fitted to."""
    codec = RGBAVAECodec(tiny.vae)
    matrix = fitted_preview(codec)
    assert matrix.shape == (65, 4)
    assert torch.isfinite(matrix).all()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"scheduler": "euler"}, "flow-euler"),
        ({"clip_skip": 2}, "clip_skip"),
        ({"spacing": "karras"}, "spacing"),
        ({"fast": True}, "few steps"),
        ({"task": "scene"}, "scene"),
        ({"loras": (("ink", 1.0),)}, "take none"),
        ({"injection": "convolution"}, "injection"),
    ],
    ids=str,
)
def test_what_would_change_nothing_is_refused_by_name(engine: Engine, values: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequest) as found:
        events(engine, **values)
    assert named in f"{found.value} {found.value.hint}"


def test_a_scheduler_for_the_flow_is_refused_for_other_models(engine: Engine) -> None:
    with pytest.raises(BadRequest, match="flow-euler"):
        list(engine.run(Request(prompt="x", model="sketchpad", scheduler="flow-euler")))


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder", "processor"])
def test_a_folder_without_a_part_says_which(tiny: TinyQwen, tmp_path: Path, part: str) -> None:
    folder = tmp_path / "models" / "half"
    shutil.copytree(tiny.folder, folder)
    shutil.rmtree(folder / part)
    library = Library(models=tmp_path / "models", settings=tmp_path, cache=tmp_path)
    with pytest.raises(ModelBroken, match=part):
        list(Engine(device="cpu", library=library, acceleration="eager").run(Request(prompt="x", model="half", steps=1)))
