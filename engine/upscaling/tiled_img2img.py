"""A large picture redrawn part by part, at low strength: its opaque colour, or a transparent layer as such.

Knows tiles, a base model and its codec; knows no upscaling: the picture has its size already. Each part sees the results of those
before it, and all are made from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from acetate.raster import RGB, RGBA, Mask, crop, lanczos, to_u8
from acetate.vocabulary.box import Box
from numpy.typing import NDArray
from torch import Tensor

from ..families import recipes_for
from ..models.codec import most_passes
from ..models.model import Model
from ..pixels.inpaint_region import paste
from ..pixels.tiles import TilePass, Tiling, tile_passes, windows
from ..sampling.denoising_loop import noise_like
from ..sampling.guidance import pictures_at_once
from ..sampling.installed_weights import InstalledWeights
from ..sampling.runs import denoised, guidance_of, loop_for
from ..values.recipes import Recipe
from ..values.request import Progress, Request
from .meter import Meter

OPAQUE = Recipe(frames=("background",), weights=None)
"""The unpatched base model: the patched one's latents are not meant for a plain decode (layerdiffuse.md 9.2)."""

PREVIEW_SIDE = 512


@dataclass(frozen=True, eq=False)
class Redraw:
    """Redraws one picture; this is what all its parts share."""

    model: Model
    weights: InstalledWeights
    request: Request
    seed: int
    strength: float
    meter: Meter

    def colour(self, colour: RGB, alpha: Mask, tiling: Tiling) -> Generator[Progress, None, RGB]:
        """Tiled img2img of opaque colour, `(H, W, 3)` uint8, to a copy; parts that `alpha`, `(H, W)`, hides stay as they are."""
        canvas = colour.copy()
        size = (colour.shape[1], colour.shape[0])
        parts = [part for part in tile_passes(tiling, size) if alpha[part.crop.slices].any()]
        plan = [(part, self._steps(self._strength(part, tiling))) for part in parts]
        plan = [(part, steps) for part, steps in plan if steps]
        count = _Counter(self.meter, sum(steps + 1 for _, steps in plan), sum(steps for _, steps in plan), len(plan))
        preview = partial(_preview, canvas, alpha)
        self._prepare([part.size for part, _ in plan])
        for part, _ in plan:
            view = canvas[part.crop.slices]
            clean = self.model.codec.encode_opaque(_opaque(lanczos(view, part.size)))
            latents = yield from self._denoise(clean, OPAQUE, self._strength(part, tiling), count, preview)
            drawn = self.model.codec.decode_opaque(latents)[..., :3]
            share = part.mask(size)[..., None]
            drawn = lanczos(drawn, (view.shape[1], view.shape[0]))
            view[:] = (view + share * (drawn.astype(np.float32) - view) + 0.5).astype(np.uint8)
            yield count.next("decode", preview)
        return canvas

    def layer(self, rgba: RGBA, side: int) -> Generator[Progress, None, RGBA]:
        """Tiled `refine` of a straight `(H, W, 4)` layer in overlapping windows of `side` pixels. Empty ones stay empty.

        Transparency stays in the latents, so alpha is redrawn with the colour, unless the request locks it.
        """
        recipe = recipes_for(self.model.family, "refine", frozenset(), self.request.injection)[0]
        passes = self.request.alpha_passes or self.model.defaults.alpha_passes
        canvas = rgba.copy()
        steps = self._steps(self.strength)
        cut = windows((rgba.shape[1], rgba.shape[0]), side, side // 4) if steps else []
        parts = [part for part in cut if rgba[part.box.slices][..., 3].any()]
        most = most_passes(passes)
        count = _Counter(self.meter, len(parts) * (steps + most), len(parts) * steps, len(parts) * most)
        preview = partial(_preview, canvas, None)
        self._prepare([(side, side)] if parts else [])
        for part in parts:
            seen = crop(canvas, part.box)
            latents = yield from self._denoise(self.model.codec.encode(seen), recipe, self.strength, count, preview)
            decoding = self.model.codec.decode(latents, passes)
            for _ in decoding:
                yield count.next("decode", preview)
            drawn = np.dstack([decoding.rgba[..., :3], seen[..., 3]]) if self.request.lock_alpha else decoding.rgba
            pasted = paste(seen, drawn, to_u8(part.share())[..., 0], Box(0, 0, side, side))
            view = canvas[part.box.slices]
            view[:] = pasted[: view.shape[0], : view.shape[1]]
        return canvas

    def _denoise(
        self, clean: Tensor, recipe: Recipe, strength: float, count: _Counter, preview: Callable[[], RGBA]
    ) -> Generator[Progress, None, Tensor]:
        """img2img from `(1, C, h, w)` latents in sampling space."""
        model, request = self.model, self.request
        loop = loop_for(model, request, strength, clean.shape[2] * clean.shape[3])
        noise = noise_like((1, *clean.shape[1:]), self.seed).to(clean)
        with self.weights.installed(model, recipe, request, {}) as switch:
            asked = replace(request, seed=self.seed)
            shown = None if model.recall is None else clean
            steps = denoised(loop, loop.start(noise, clean), model, recipe, asked, latents={}, switch=switch, reference=shown)
            for _ in steps:
                yield count.next("denoise", preview)
        return loop.latents

    def _prepare(self, sizes: list[tuple[int, int]]) -> None:
        """Choose how the model uses memory for the largest of the parts."""
        if sizes:
            largest = max(sizes, key=lambda size: size[0] * size[1])
            self.model.memory.prepare(*largest, pictures_at_once(self.request, OPAQUE, guidance_of(self.request, self.model)))

    def _steps(self, strength: float) -> int:
        """The number of steps for a strength; 0 if it is less than one step: then nothing is redrawn."""
        return loop_for(self.model, self.request, strength, tokens=1).count

    def _strength(self, part: TilePass, tiling: Tiling) -> float:
        return tiling.seam_strength if part.seam and tiling.seam_strength is not None else self.strength


class _Counter:
    """Counts the events of one phase."""

    def __init__(self, meter: Meter, events: int, steps: int, decodes: int) -> None:
        self._meter, self._events = meter, max(events, 1)
        self._totals = {"denoise": steps, "decode": decodes}
        self._done = {"denoise": 0, "decode": 0}

    def next(self, stage: Literal["denoise", "decode"], preview: Callable[[], RGBA]) -> Progress:
        self._done[stage] += 1
        share = sum(self._done.values()) / self._events
        return self._meter.at(stage, self._done[stage], self._totals[stage], share, preview)


def _opaque(colour: RGB) -> RGBA:
    return np.dstack([colour, np.full(colour.shape[:2], 255, np.uint8)])


def _preview(canvas: NDArray[np.uint8], alpha: Mask | None) -> RGBA:
    """The state so far, thinned to at most `PREVIEW_SIDE` pixels a side."""
    every = -(-max(canvas.shape[:2]) // PREVIEW_SIDE)
    thin = canvas[::every, ::every]
    return np.ascontiguousarray(thin) if alpha is None else np.dstack([thin, alpha[::every, ::every]])
