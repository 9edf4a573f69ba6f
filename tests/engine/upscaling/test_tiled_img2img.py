"""Tiled img2img with a model whose drawing is known: a codec without loss, and a denoiser that arrives at a chosen picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from acetate.engine import Request
from acetate.engine.device.memory_plans import LATENT_DIFFUSION
from acetate.engine.families import FAMILIES, Defaults
from acetate.engine.models.model import Model, Text
from acetate.engine.models.runtime import Runtime
from acetate.engine.pixels.tiles import Tiling, grid
from acetate.engine.pixels.working_canvas import WorkingSizes
from acetate.engine.upscaling.tiled_img2img import Meter, Redraw
from acetate.engine.values.recipes import Recipe
from numpy.typing import NDArray
from torch import Tensor, nn

Draw = Callable[[Tensor], Tensor]
NOISE = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).square()
KEPT = (1 - NOISE).cumprod(0)
"""`alphas_cumprod` of SD 1.5."""


class Known(nn.Module):
    """A network to the eye of whoever counts its bytes."""

    dtype = torch.float32

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Linear(1, 1)


class LosslessCodec:
    """Latents that are the pixels themselves, 64 to a place: `(1, 256, h/8, w/8)`."""

    multiple_of = 8
    latent_channels = 256
    pixel_work = LATENT_DIFFUSION

    def __init__(self) -> None:
        self.networks = (Known(),)
        self.notes = ()
        self.seen: list[NDArray[np.uint8]] = []
        self.latest = torch.empty(0)

    def encode(self, rgba: NDArray[np.uint8]) -> Tensor:
        self.seen.append(rgba)
        self.latest = F.pixel_unshuffle(torch.from_numpy(rgba).permute(2, 0, 1)[None].float() / 127.5 - 1, 8)
        return self.latest

    encode_opaque = encode

    def decode_opaque(self, latents: Tensor) -> NDArray[np.uint8]:
        pixels = F.pixel_shuffle(latents, 8)[0].permute(1, 2, 0) * 127.5 + 127.5
        return pixels.clamp(0, 255).round().to(torch.uint8).numpy()

    def decode(self, latents: Tensor, passes: int) -> Any:
        return _Decoding(passes, self.decode_opaque(latents))

    def within(self, memory: Any, accelerator: Any) -> LosslessCodec:
        return self


class _Decoding:
    def __init__(self, passes: int, rgba: NDArray[np.uint8]) -> None:
        self.passes, self.rgba = passes, rgba

    def __iter__(self) -> Iterator[int]:
        yield from range(1, self.passes + 1)


class KnowingDenoiser(Known):
    """Predicts the noise that leads to `draw(what was encoded)`."""

    def __init__(self, codec: LosslessCodec, draw: Draw) -> None:
        super().__init__()
        self.codec, self.draw, self.calls = codec, draw, 0

    def forward(self, sample: Tensor, timestep: Tensor, *_: Any, **__: Any) -> tuple[Tensor]:
        self.calls += 1
        kept = KEPT[int(timestep.round())]
        return ((sample - kept.sqrt() * self.draw(self.codec.latest)) / (1 - kept).sqrt(),)


class RecordedWeights:
    """Which recipes were installed."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []

    @contextmanager
    def installed(self, _model: Any, recipe: Recipe, *_: Any) -> Iterator[Any]:
        self.recipes.append(recipe)
        yield type("Switch", (), {"reached": lambda *_: False})()


class Words:
    text_encoders = (Known(),)

    def encode(self, prompts: list[str], clip_skip: int | None = None) -> Text:
        return Text(torch.zeros(len(prompts), 1, 1))


def known_model(draw: Draw = lambda clean: clean, native: int = 128) -> Model:
    codec = LosslessCodec()
    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "epsilon"}
    return Model(
        name="known",
        family=FAMILIES["sd15"],
        unet=KnowingDenoiser(codec, draw),
        text=Words(),
        codec=codec,  # type: ignore[arg-type]
        scheduler_config=schedule,
        sizes=WorkingSizes(native, multiple_of=8),
        defaults=Defaults(steps=20, guidance_scale=1.0, scheduler="dpmpp-2m-karras", alpha_passes=2),
        runtime=Runtime(torch.device("cpu")),
        preview_matrix=torch.zeros(257, 4),
    )


def redraw(model: Model, strength: float = 0.2, **request: Any) -> Redraw:
    meter = Meter()
    meter.begin(1.0)
    return Redraw(model, RecordedWeights(), Request(task="upscale", **request), request.get("seed", 0), strength, meter)  # type: ignore[arg-type]


def finished(run: Any) -> tuple[Any, list[Any]]:
    """The result, and the progress on the way."""
    events = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return end.value, events


def picture(width: int, height: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([128 + 90 * np.sin(x / 11 + c) * np.cos(y / (7 + c)) for c in range(3)], axis=2).astype(np.uint8)


def opaque(colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.full(colour.shape[:2], 255, np.uint8)


EXACT = Tiling(tile_width=96, tile_height=96, padding=16, uniform=False)
"""No tile is resampled where the picture's sides are multiples of 8."""


@pytest.mark.parametrize("seams", ["none", "band", "half-tile", "intersections"])
def test_a_model_that_changes_nothing_changes_nothing(seams: str) -> None:
    colour = picture(320, 264)
    result, _ = finished(redraw(known_model()).colour(colour, opaque(colour), replace(EXACT, seams=seams)))  # type: ignore[arg-type]

    assert result is not colour
    assert np.abs(result.astype(int) - colour).max() <= 1


def test_uniform_tiles_cost_no_more_than_their_resampling() -> None:
    colour = picture(321, 263)
    result, _ = finished(redraw(known_model()).colour(colour, opaque(colour), replace(EXACT, uniform=True)))

    assert np.abs(result.astype(int) - colour).mean() < 0.5


def test_every_pixel_is_redrawn() -> None:
    colour = picture(200, 136)
    result, _ = finished(redraw(known_model(torch.zeros_like)).colour(colour, opaque(colour), replace(EXACT, mask_blur=0)))

    assert np.abs(result.astype(int) - 128).max() <= 2


def test_each_tile_sees_the_results_of_those_before_it() -> None:
    colour = np.zeros((96, 192, 3), np.uint8)
    model = known_model(lambda clean: torch.ones_like(clean))
    finished(redraw(model).colour(colour, opaque(colour), replace(EXACT, mask_blur=0)))

    second = model.codec.seen[1]  # type: ignore[attr-defined]
    assert (second[:, 0, 0] == 255).all(), "the padding on the left was drawn by the first tile"
    assert not second[:, -1, 0].any()


def test_the_unpatched_base_model_draws_colour_and_the_transparent_one_the_layer() -> None:
    colour = picture(128, 128)
    for_colour, for_layer = redraw(known_model()), redraw(known_model())
    finished(for_colour.colour(colour, opaque(colour), EXACT))
    finished(for_layer.layer(np.dstack([colour, opaque(colour)]), 128))

    assert {(r.weights, r.transparent) for r in for_colour.weights.recipes} == {(None, False)}  # type: ignore[attr-defined]
    assert {(r.weights, r.transparent) for r in for_layer.weights.recipes} == {("transparent-attention", True)}  # type: ignore[attr-defined]


def test_all_tiles_start_from_the_same_noise() -> None:
    """Equal tiles become equal pictures, and another seed other ones."""
    colour = np.full((192, 192, 3), 90, np.uint8)
    tiling = Tiling(tile_width=96, tile_height=96, padding=0, mask_blur=0, uniform=False)
    blank = known_model()
    blank.unet.forward = lambda sample, *_, **__: (torch.zeros_like(sample),)  # the noise stays in the picture

    result, _ = finished(redraw(blank).colour(colour, opaque(colour), tiling))
    other, _ = finished(redraw(blank, seed=1).colour(colour, opaque(colour), tiling))

    assert np.ptp(result) > 20
    assert np.array_equal(result[:96, :96], result[96:, 96:])
    assert not np.array_equal(result, other)


def test_tiles_that_alpha_hides_are_left_out() -> None:
    colour, alpha = picture(384, 384), np.zeros((384, 384), np.uint8)
    alpha[300:310, 20:40] = 7
    model = known_model(torch.zeros_like)
    result, events = finished(redraw(model).colour(colour, alpha, replace(EXACT, mask_blur=0)))

    assert len(model.codec.seen) < grid(EXACT, (384, 384))[0] * 2  # type: ignore[attr-defined]
    assert np.array_equal(result[:96], colour[:96])
    assert np.abs(result[300:310, 20:40].astype(int) - 128).max() <= 2
    assert events[-1].fraction == 1


def test_strength_and_seam_strength_decide_the_steps() -> None:
    colour = picture(192, 96)
    model = known_model()
    finished(redraw(model, strength=0.25).colour(colour, opaque(colour), EXACT))
    assert model.unet.calls == 2 * 5

    model = known_model()
    finished(redraw(model, strength=0.25).colour(colour, opaque(colour), replace(EXACT, seams="band", seam_strength=0.5)))
    assert model.unet.calls == 2 * 5 + 10

    model = known_model()
    result, events = finished(redraw(model, strength=0.02).colour(colour, opaque(colour), EXACT))
    assert (model.unet.calls, events) == (0, [])
    assert np.array_equal(result, colour)


def test_progress_counts_all_steps_and_stops_where_it_is_closed() -> None:
    colour = picture(192, 96)
    model = known_model()
    _, events = finished(redraw(model).colour(colour, opaque(colour), EXACT))
    assert [e.step for e in events if e.stage == "denoise"] == list(range(1, 9))
    assert [(e.step, e.steps) for e in events if e.stage == "decode"] == [(1, 2), (2, 2)]
    assert [e.fraction for e in events] == pytest.approx(np.arange(1, 11) / 10)
    shown = events[-1].preview()
    assert shown.shape == (96, 192, 4) and (shown[..., 3] == 255).all()

    model = known_model()
    run = redraw(model).colour(colour, opaque(colour), EXACT)
    next(run)
    run.close()
    assert model.unet.calls == 1


def test_a_blurred_mask_hides_that_each_tile_came_out_a_little_darker_or_lighter() -> None:
    """As real models do at low strength: here by 2.5 levels, up and down in turn."""
    colour = picture(384, 96)

    def jumps(tiling: Tiling) -> Any:
        """Mean gradient across the borders of the tiles, as a multiple of the original's at the same place."""
        model = known_model(lambda clean: clean + (0.02 if len(model.codec.seen) % 2 else -0.02))  # type: ignore[attr-defined]
        result, _ = finished(redraw(model).colour(colour, opaque(colour), tiling))
        found, expected = (np.abs(np.diff(part.astype(float), axis=1)).mean(axis=(0, 2)) for part in (result, colour))
        return (found / expected)[[95, 96, 191, 192, 287, 288]].max()

    assert jumps(replace(EXACT, mask_blur=0)) > 1.2
    assert jumps(EXACT) <= 1.05


def test_a_band_goes_over_the_border_and_fades_out() -> None:
    colour = np.full((96, 192, 3), 200, np.uint8)
    tiling = replace(EXACT, order="none", seams="band", seam_width=48, seam_padding=24)
    result, events = finished(redraw(known_model(torch.zeros_like)).colour(colour, opaque(colour), tiling))

    assert len([e for e in events if e.stage == "decode"]) == 1
    profile = result[50, :, 0].astype(int)
    assert np.abs(profile[95:97] - 129).max() <= 3
    assert (np.diff(profile[72:96]) < 0).all() and (np.diff(profile[97:119]) > 0).all()
    assert (profile[:72] == 200).all() and (profile[120:] == 200).all()


def layer(width: int, height: int) -> NDArray[np.uint8]:
    """A soft ellipse."""
    y, x = np.mgrid[0:height, 0:width]
    alpha = np.clip((0.4 - np.hypot(x / width - 0.5, y / height - 0.5)) * 1200, 0, 255)
    return np.dstack([picture(width, height), alpha.astype(np.uint8)])


@pytest.mark.parametrize("size", [(128, 128), (300, 200), (90, 60), (40, 333)])
def test_a_refined_layer_has_its_size_and_what_the_model_draws(size: tuple[int, int]) -> None:
    """What lies outside a small picture is transparent for the model, and cut off again."""
    rgba = layer(*size)
    same, events = finished(redraw(known_model()).layer(rgba, 128))
    assert same.shape == rgba.shape
    assert np.abs(same.astype(int) - rgba).max() <= 1
    assert events[-1].fraction == 1

    def at_most_half(clean: Tensor) -> Tensor:
        return torch.cat([clean[:, :192], clean[:, 192:].clamp(max=0)], dim=1)

    thin, _ = finished(redraw(known_model(at_most_half)).layer(rgba, 128))
    visible = rgba[..., 3] > 0
    assert np.abs(thin[..., 3].astype(int) - np.minimum(rgba[..., 3], 127))[visible].max() <= 2
    assert np.abs(thin[..., :3].astype(int) - rgba[..., :3])[rgba[..., 3] > 20].max() <= 3


def test_a_locked_alpha_stays_to_the_bit() -> None:
    rgba = layer(300, 200)
    result, _ = finished(redraw(known_model(lambda clean: -clean), lock_alpha=True).layer(rgba, 128))

    assert np.array_equal(result[..., 3], rgba[..., 3])
    assert not np.array_equal(result[..., :3], rgba[..., :3])


def test_empty_parts_of_a_layer_are_not_refined() -> None:
    rgba = np.zeros((400, 400, 4), np.uint8)
    rgba[10:20, 10:20] = (200, 0, 0, 255)
    model = known_model(lambda clean: torch.ones_like(clean))
    result, _ = finished(redraw(model).layer(rgba, 128))

    assert len(model.codec.seen) == 1  # type: ignore[attr-defined]
    assert not result[150:].any()
