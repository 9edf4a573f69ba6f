"""Tasks of several layers that begin from a rough picture: each layer from one of its own kind, at the asked strength."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine import Engine, Picture, Progress, Request
from acetate.engine.pixels.alpha import fit
from acetate.engine.pixels.initial_images import starts, strength_of
from acetate.engine.sampling.denoising_loop import DenoisingLoop, noise_like
from acetate.engine.sampling.samplers import Sampler
from acetate.raster import over, to_float, to_u8
from numpy.typing import NDArray
from torch import Tensor

Layer = NDArray[np.uint8]
GIVEN: dict[str, tuple[str, ...]] = {
    "scene": (),
    "object": ("background",),
    "background": ("foreground",),
    "blend": ("background",),
    "extract-background": ("foreground", "blended"),
    "extract-foreground": ("background", "blended"),
}
CASES = [(family, task) for family in ("sd15", "sdxl") for task in GIVEN if family == "sdxl" or not task.startswith(("bl", "ex"))]
BOTH = pytest.mark.parametrize("family", ["sd15", "sdxl"])


def run(engine: Engine, **values: Any) -> list[Progress | Picture]:
    request = Request(**{"prompt": "a bottle", "model": "tiny", "steps": 4, "alpha_passes": 1, **values})
    return list(engine.run(request))


def layers(engine: Engine, **values: Any) -> dict[str, Layer]:
    return {event.role: event.rgba for event in run(engine, **values) if isinstance(event, Picture)}


@pytest.fixture
def engine_for(shared_for: Callable[[str], Engine]) -> Callable[[str], Engine]:
    return shared_for


@pytest.fixture
def rough(picture: Layer) -> Layer:
    """Another picture than the conditions."""
    return np.ascontiguousarray(picture[::-1, ::-1])


@pytest.mark.parametrize(("family", "task"), CASES)
def test_without_strength_every_layer_is_what_it_began_from(
    engine_for: Callable[[str], Engine], picture: Layer, rough: Layer, family: str, task: str
) -> None:
    """As the model's own codec gives it back: a foreground with its transparency, the others over mid-grey."""
    engine = engine_for(family)
    given = dict.fromkeys(GIVEN[task], picture)
    events = run(engine, task=task, source=rough, strength=0, **given)
    made = {event.role: event.rgba for event in events if isinstance(event, Picture)}
    codec = engine.open("tiny").codec
    begun = starts(task, made, rough, given)  # type: ignore[arg-type]
    assert made
    for role, rgba in made.items():
        if role == "foreground":
            decoding = codec.decode(codec.encode(begun[role]), 1)
            list(decoding)
            expected = decoding.rgba
        else:
            expected = codec.decode_opaque(codec.encode_opaque(begun[role]))
        assert np.array_equal(rgba, expected), role
    assert not [event for event in events if isinstance(event, Progress) and event.stage == "denoise"]


@pytest.mark.parametrize(("family", "task"), CASES)
def test_half_the_strength_runs_half_the_steps_and_changes_every_layer(
    engine_for: Callable[[str], Engine], picture: Layer, rough: Layer, family: str, task: str
) -> None:
    engine = engine_for(family)
    asked = {"task": task, "source": rough, **dict.fromkeys(GIVEN[task], picture)}
    events = run(engine, strength=0.5, **asked)
    progress = [event for event in events if isinstance(event, Progress)]
    assert {event.steps for event in progress if event.stage == "denoise"} == {2}
    assert progress[-1].fraction == 1
    kept, new = layers(engine, strength=0, **asked), layers(engine, **{**asked, "source": None})
    for event in events:
        if isinstance(event, Picture):
            assert not np.array_equal(event.rgba, kept[event.role]) and not np.array_equal(event.rgba, new[event.role])


@BOTH
def test_every_layer_of_a_scene_begins_from_the_picture_and_noise_of_its_own(
    engine_for: Callable[[str], Engine], rough: Layer, family: str
) -> None:
    engine = engine_for(family)
    model = engine.open("tiny")
    inputs: list[Tensor] = []
    with model.unet.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone())):
        layers(engine, task="scene", source=rough, strength=0.5, guidance_scale=1.0, scheduler="euler")
    roles = [["foreground", "background", "blended"]] if family == "sd15" else [["foreground"], ["blended"], ["background"]]
    clean = {
        "foreground": model.codec.encode(rough),
        **dict.fromkeys(("background", "blended"), model.codec.encode_opaque(rough)),
    }
    for number, frames in enumerate(roles):
        denoiser = DenoisingLoop(Sampler("euler", model.scheduler_config), 4, 0.5, model.device)
        begun = denoiser.start(noise_like((len(frames), 4, 8, 8), 0), torch.cat([clean[role] for role in frames]))
        expected = denoiser.scheduler.scale_model_input(begun, denoiser.timesteps[0])
        found = inputs[number * len(inputs) // len(roles)]
        torch.testing.assert_close(found[:, :4].float(), expected, atol=2e-3, rtol=0)


def test_the_blended_picture_begins_from_both_composed(picture: Layer, rough: Layer) -> None:
    both = to_u8(over(to_float(rough), to_float(picture)))
    assert np.array_equal(starts("object", ["blended"], rough, {"background": picture})["blended"], both)
    assert np.array_equal(starts("background", ["blended"], picture, {"foreground": rough})["blended"], both)


@BOTH
def test_a_source_of_another_size_is_brought_to_the_conditions(
    engine_for: Callable[[str], Engine], picture: Layer, rough: Layer, family: str
) -> None:
    engine = engine_for(family)
    wide = np.ascontiguousarray(np.repeat(rough, 2, axis=1))
    for mode in ("crop", "stretch", "fill"):
        asked = {"task": "object", "background": picture, "strength": 0.5, "resize_mode": mode}
        found = layers(engine, source=wide, **asked)
        expected = layers(engine, source=fit(wide, 64, 64, mode), **asked)
        assert all(np.array_equal(found[role], expected[role]) for role in found)
        assert found["foreground"].shape == (64, 64, 4)


@BOTH
def test_a_scenes_source_gives_the_size_when_nothing_else_does(
    engine_for: Callable[[str], Engine], rough: Layer, family: str
) -> None:
    made = layers(engine_for(family), task="scene", source=rough[:40], strength=0.5)
    assert {rgba.shape for rgba in made.values()} == {(40, 64, 4)}


def test_the_strength_is_the_requests_or_the_tasks_own(picture: Layer) -> None:
    assert strength_of(Request(task="scene")) == 1
    assert strength_of(Request(task="scene", source=picture)) == strength_of(Request(task="refine", source=picture)) == 0.6
    assert strength_of(Request(task="repaint", source=picture)) == 1
    assert strength_of(Request(task="object", source=picture, strength=0.2)) == 0.2
