"""A layer changed by an instruction and a subject cut out of it: as diffusers draws, and nothing else touched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import BadRequest, Engine, Picture, Request
from acetate.engine.files.library import Library
from acetate.engine.models.model import Model
from acetate.engine.native_rgba.references import References, brought_to_size
from acetate.engine.native_rgba.rgba_vae import snapped
from acetate.engine.pixels import kept_pixels
from acetate.engine.sampling.denoising_loop import generator_of
from acetate.raster import over, to_float
from numpy.typing import NDArray
from PIL import Image

from .tiny_qwen import TinyQwen


@pytest.fixture(scope="module")
def engine(tiny: TinyQwen, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    home = tmp_path_factory.mktemp("home")
    library = Library(models=home / "models", settings=home, cache=home)
    library.add(tiny.folder)
    return Engine(device="cpu", library=library, acceleration="eager")


def photo(seed: int = 0, width: int = 512, height: int = 512) -> NDArray[np.uint8]:
    """Opaque, smooth and of many colours."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    colour = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    return np.dstack([colour, np.full((height, width), 255, np.uint8)])


def picture(engine: Engine, **values: Any) -> Picture:
    asked = {"task": "edit", "prompt": "make it red", "model": "tiny-qwen", "steps": 1, "wrap": "off", **values}
    (found,) = [event for event in engine.run(Request(**asked)) if isinstance(event, Picture)]
    return found


@pytest.fixture
def taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that is taken over as it is."""
    monkeypatch.setattr(kept_pixels, "WHOLE", -1.0)
    monkeypatch.setattr(kept_pixels, "MEANT", -1.0)


@pytest.mark.usefixtures("taken_whole")
@pytest.mark.parametrize(("count", "guidance"), [(0, 4.0), (2, 1.0)])
def test_an_edit_is_what_diffusers_pipeline_draws(engine: Engine, tiny: TinyQwen, count: int, guidance: float) -> None:
    source, *others = [photo(seed) for seed in range(1 + count)]
    model: Model = engine.open("tiny-qwen")
    seed = References.of(model.codec, source, others).seed(7)
    asked: dict[str, Any] = {"num_inference_steps": 2, "output_resolution": 512, "generator": generator_of(seed)}
    if guidance > 1:
        asked |= {"true_cfg_scale": guidance, "negative_prompt": " "}
    seen = [Image.fromarray(one) for one in (source, *others)]
    (own,) = tiny.pipeline("make it red", image=seen, **asked).images
    found = picture(engine, source=source, references=tuple(others), seed=7, guidance_scale=guidance, steps=2)
    assert np.abs(found.rgba.astype(int) - snapped(np.asarray(own))).max() <= 1


def test_references_and_their_order_change_the_edit(engine: Engine) -> None:
    source, one, other = photo(0, 256, 256), photo(1, 40, 30), photo(2, 300, 20)
    mask = np.full((256, 256), 255, np.uint8)
    made = [picture(engine, source=source, mask=mask, references=refs).rgba for refs in ((), (one, other), (other, one))]
    assert (made[0] != made[1]).any()
    assert (made[1] != made[2]).any()


@pytest.mark.parametrize("size", [(20, 20), (3000, 40), (4000, 3000), (1, 1)])
def test_a_reference_of_any_size_is_brought_to_one_that_the_encoder_leaves_alone(size: tuple[int, int]) -> None:
    found = brought_to_size(photo(0, *size))
    height, width = found.shape[:2]
    assert height % 32 == width % 32 == 0
    assert 256 * 256 <= height * width <= 1200 * 1200 or size == (3000, 40)
    assert found[..., 3].min() == 255, "an opaque one has no clear margin"


def test_an_edit_through_a_mask_changes_nothing_outside_it(engine: Engine) -> None:
    source = photo(0, 100, 70)
    mask = np.zeros((70, 100), np.uint8)
    mask[20:40, 30:60] = 255
    found = picture(engine, source=source, mask=mask).rgba
    assert (found[mask == 0] == source[mask == 0]).all()
    assert (found[mask > 0] != source[mask > 0]).any()


def test_an_edit_keeps_the_layers_size(engine: Engine) -> None:
    assert picture(engine, source=photo(0, 47, 33)).rgba.shape == (33, 47, 4)


def test_a_cut_out_is_the_source_where_it_is_opaque_and_nothing_outside_the_selection(engine: Engine) -> None:
    source = photo(0, 100, 70)
    mask = np.zeros((70, 100), np.uint8)
    mask[20:40, 30:60] = 255
    found = picture(engine, task="extract", prompt="", source=source, mask=mask)
    assert found.rgba.shape == source.shape
    assert (found.rgba[mask == 0][:, 3] == 0).all()
    assert found.parameters["task"] == "extract"


def test_an_opaque_cut_out_is_tried_again_and_that_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = engine.open("tiny-qwen").codec
    plain = type(codec).pixels

    def opaque(self: Any, latents: torch.Tensor) -> NDArray[np.uint8]:
        rgba = plain(self, latents)
        rgba[..., 3] = 255
        return rgba

    monkeypatch.setattr(type(codec), "pixels", opaque)
    found = picture(engine, task="extract", prompt="the kite", source=photo(0, 64, 64), wrap="auto", seed=5)
    assert found.seed == 7
    assert "3 times" in found.warnings[-1]


@pytest.mark.parametrize(
    ("task", "given", "said"),
    [
        ("edit", {"prompt": ""}, "prompt is empty"),
        ("extract", {"references": (photo(0, 8, 8),)}, "does not use a reference picture"),
        ("edit", {"references": (photo(0, 8, 8),) * 10}, "at most 9"),
        ("edit", {"model": "sketchpad"}, "model of family qwen21"),
        ("extract", {"model": "sketchpad"}, "model of family qwen21"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_is_refused_in_words(engine: Engine, task: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as found:
        picture(engine, **{"task": task, "source": photo(0, 64, 64), **given})
    assert said in f"{found.value} {found.value.hint}"


def test_a_picture_is_taken_apart_into_layers_that_show_it_exactly(engine: Engine) -> None:
    source = photo(0, 100, 70)
    asked = Request(task="decompose", prompt="the kite", model="tiny-qwen", steps=1, source=source, seed=3)
    front, back = [event for event in engine.run(asked) if isinstance(event, Picture)]
    assert (front.role, back.role) == ("foreground", "background")
    seen = over(to_float(front.rgba), to_float(back.rgba))
    assert np.abs(seen - to_float(source)).max() * 255 <= 1.01
