"""How well a transparent layer is enlarged: `python tests/bench/upscale_quality.py [--scale 4] [--upscaler FILE] [--refine 0.2]`.

The pictures of `upscale_pictures.py`; with `--model` also layers that the built-in model draws. Of each way of enlarging:

  worst, spread  The result over black, white, grey and magenta, against the uncut picture enlarged the same way and cut out with
                 the ideal alpha, which cannot have a fringe: least PSNR in dB where alpha varies, and best minus worst. Above
                 50 dB (less than one level in 255) nothing is counted. For a model's layer its padded colour is the uncut one.
  haze           Percent of the picture that is covered although the source is empty there and all around.
  iou            Soft intersection over union of alpha with the ideal one: Lanczos in floating point.
  inside         The result shrunk again, against the source, premultiplied: PSNR in dB. For `refine` beside the codec's own.
  seams          Mean gradient where tiles meet, as a multiple of that elsewhere; both against the network's own result in one
                 piece, or for `refine` against plain enlargement.

The first two rows of each picture are what goes wrong without care: colour under alpha 0 taken as it is, and as black. `refine`
draws anew and is only compared; so is alpha by a network, whose point is to be crisper than the ideal. Exits with 1 when another
way misses a gate.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from acetate.engine import Engine, Picture, Request
from acetate.engine.pixels.alpha import resize_padded
from acetate.engine.pixels.tiles import windows
from acetate.engine.upscaling import upscalers
from acetate.engine.upscaling.upscale import padded
from acetate.raster import crop, premultiply, to_float, to_u8
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from upscale_pictures import PICTURES, RGBA, Float, draw, uncut

Enlarge = Callable[[RGBA], RGBA]

BACKGROUNDS = {"black": (0, 0, 0), "white": (1, 1, 1), "grey": (0.5, 0.5, 0.5), "magenta": (1, 0, 1)}
UNSEEN = 50.0
"""dB above which no difference is counted."""
GATES = {"worst": 40.0, "spread": 1.0, "iou": 0.97, "seams": 1.05}
PROMPTS = ("a red apple", "a glass bottle", "grey smoke")


@dataclass(frozen=True)
class Case:
    """A layer, and its colour with nothing cut away."""

    name: str
    source: RGBA
    uncut: RGBA


@dataclass(frozen=True)
class Way:
    """A way of enlarging."""

    name: str
    enlarge: Enlarge
    whole: Enlarge
    """Without tiles, for opaque pictures too."""
    tiles: tuple[int, int, int] | None = None
    """Side, overlap and enlargement of the tiles."""
    gates: tuple[str, ...] = tuple(GATES)
    """Which of the gates it must pass."""
    ideal_alpha: bool = True
    """False: its own alpha counts as ideal where colour is judged."""


@dataclass(frozen=True)
class Measured:
    """One way of enlarging one picture."""

    worst: float
    spread: float
    haze: float
    iou: float
    inside: float
    seams: float | None = None

    def missed(self, gates: tuple[str, ...]) -> list[str]:
        low = [name for name in ("worst", "iou") if name in gates and getattr(self, name) < GATES[name]]
        return low + [name for name in ("spread", "seams") if name in gates and (getattr(self, name) or 0) > GATES[name]]

    def __str__(self) -> str:
        seam = "" if self.seams is None else f"{self.seams:.3f}"
        return f"{self.worst:6.1f} {self.spread:6.2f} {self.haze:6.2f} {self.iou:7.4f} {self.inside:7.1f} {seam:>6}"


def measure(case: Case, way: Way) -> Measured:
    result = way.enlarge(case.source)
    size = (result.shape[1], result.shape[0])
    kinds = (ImageFilter.MinFilter, ImageFilter.MaxFilter)
    least, most = (_neighbours(case.source[..., 3], kind, size) for kind in kinds)
    ideal = enlarged_float(to_float(case.source[..., 3:]), *size)[..., 0]
    varying = (least != most) & (ideal > 0.01) & (ideal < 0.99)
    colour = to_float(way.whole(case.uncut)[..., :3])
    without_fringe = np.dstack([colour, ideal if way.ideal_alpha else to_float(result[..., 3])])
    ratios = [min(psnr(over(to_float(result), b), over(without_fringe, b), varying), UNSEEN) for b in BACKGROUNDS.values()]
    shrunk = premultiply(to_float(resize_padded(result, case.source.shape[1], case.source.shape[0])))
    return Measured(
        worst=min(ratios),
        spread=max(ratios) - min(ratios),
        haze=100 * float(((result[..., 3] > 0) & (most == 0)).mean()),
        iou=soft_iou(to_float(result[..., 3]), ideal),
        inside=psnr(shrunk, premultiply(to_float(case.source))),
        seams=None if way.tiles is None else seams(result, way.whole(case.source), *way.tiles),
    )


def psnr(found: Float, wanted: Float, where: NDArray[np.bool_] | None = None) -> float:
    """dB, of values in [0, 1]."""
    error = (found - wanted) ** 2
    return float(-10 * np.log10(max((error if where is None else error[where]).mean(), 1e-12)))


def soft_iou(a: Float, b: Float) -> float:
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def over(straight: Float, background: tuple[float, float, float]) -> Float:
    return straight[..., :3] * straight[..., 3:] + np.array(background, np.float32) * (1 - straight[..., 3:])


def enlarged_float(values: Float, width: int, height: int) -> Float:
    """Plain Lanczos of every channel in floating point, clipped."""
    channels = [Image.fromarray(np.ascontiguousarray(values[..., i])) for i in range(values.shape[2])]
    parts = [np.asarray(channel.resize((width, height), Image.Resampling.LANCZOS)) for channel in channels]
    return np.clip(np.stack(parts, axis=2), 0, 1)


def seams(result: RGBA, whole: RGBA, side: int, overlap: int, scale: int) -> float | None:
    """Gradient where windows share pixels, and at their very edges, against elsewhere; each relative to `whole`, the largest."""
    cut = windows((result.shape[1] // scale, result.shape[0] // scale), side, overlap)
    found = []
    for axis, spans in ((0, {part.down for part in cut}), (1, {part.across for part in cut})):
        jumps, expected = (np.abs(np.diff(premultiply(to_float(p)), axis=axis)).mean(axis=(1 - axis, 2)) for p in (result, whole))
        shared, edges = np.zeros(len(jumps), bool), np.zeros(len(jumps), bool)
        for start, end in ((span.start * scale, (span.start + span.before) * scale) for span in spans if span.before):
            shared[start:end] = True
            edges[[start - 1, start, end - 1, min(end, len(jumps) - 1)]] = True
        elsewhere = _ratio(jumps, expected, ~shared)
        found += [_ratio(jumps, expected, at) / elsewhere for at in (shared, edges) if at.any()]
    return max(found, default=None)


def _ratio(jumps: Float, expected: Float, at: NDArray[np.bool_]) -> float:
    return float(jumps[at].sum() / max(expected[at].sum(), 1e-9))


def _neighbours(alpha: NDArray[np.uint8], kind: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Least or most of each pixel and its neighbours, repeated to `size`."""
    return np.asarray(Image.fromarray(alpha).filter(kind(3)).resize(size, Image.Resampling.NEAREST))


def ways(engine: Engine, scale: int, upscaler: str | None, strengths: list[float], prompt: str) -> Iterator[Way]:
    """All that are compared."""
    plain = by_engine(engine, scale=scale)
    yield Way("hidden colour as it is", hidden_as_it_is(scale), plain, gates=())
    yield Way("hidden colour black", hidden_black(scale), plain, gates=())
    yield Way("lanczos", plain, plain)
    if upscaler:
        tiles = (upscalers.SIDES["cpu"], upscalers.OVERLAP, engine_scale(engine, upscaler))
        for alpha in ("lanczos", "network"):
            network = by_engine(engine, scale=scale, upscaler=upscaler, upscaling={"alpha": alpha})
            ideal = alpha == "lanczos"
            gates = tuple(GATES) if ideal else ("worst", "spread", "seams")
            yield Way(f"network, alpha by {alpha}", network, in_one_piece(network), tiles, gates, ideal)
    for strength, locked in ((strength, locked) for strength in strengths for locked in (False, True)):
        asked = {"strength": strength, "lock_alpha": locked, "prompt": prompt, "upscaling": {"mode": "refine"}}
        name = f"refine {strength:g}{', alpha locked' if locked else ''}"
        yield Way(name, by_engine(engine, scale=scale, **asked), plain, (128, 32, 1), gates=())


def by_engine(engine: Engine, **request: Any) -> Enlarge:
    def enlarge(rgba: RGBA) -> RGBA:
        *_, picture = engine.run(Request(task="upscale", source=rgba, **request))
        assert isinstance(picture, Picture)
        return picture.rgba

    return enlarge


def hidden_as_it_is(scale: int) -> Enlarge:
    """Every channel for itself."""
    return lambda rgba: to_u8(enlarged_float(to_float(rgba), rgba.shape[1] * scale, rgba.shape[0] * scale))


def hidden_black(scale: int) -> Enlarge:
    """Colour under alpha 0 made black first."""
    return lambda rgba: hidden_as_it_is(scale)(np.where(rgba[..., 3:] > 0, rgba, 0))


def in_one_piece(enlarge: Enlarge) -> Enlarge:
    """The network without tiles."""

    def whole(rgba: RGBA) -> RGBA:
        side, upscalers.SIDES["cpu"] = upscalers.SIDES["cpu"], max(rgba.shape)
        try:
            return enlarge(rgba)
        finally:
            upscalers.SIDES["cpu"] = side

    return whole


def engine_scale(engine: Engine, upscaler: str) -> int:
    """The network's own enlargement."""
    return upscalers.open_network(Path(upscaler), engine.device).scale


def codec_error(engine: Engine, source: RGBA, scale: int, side: int = 128) -> float:
    """What the built-in model's codec alone does to the enlarged layer, part by part, shrunk again: PSNR in dB."""
    codec, canvas = engine.open("sketchpad").codec, by_engine(engine, scale=scale)(source).copy()
    for part in windows((canvas.shape[1], canvas.shape[0]), side, side // 4):
        decoding = codec.decode(codec.encode(crop(canvas, part.box)), 4)
        list(decoding)
        view = canvas[part.box.slices]
        view[:] = decoding.rgba[: view.shape[0], : view.shape[1]]
    return psnr(premultiply(to_float(resize_padded(canvas, source.shape[1], source.shape[0]))), premultiply(to_float(source)))


def cases(engine: Engine, side: int, *, model: bool) -> Iterator[Case]:
    for name in PICTURES:
        yield Case(name, draw(name, side), uncut(name, side))
    for seed, prompt in enumerate(PROMPTS if model else ()):
        *_, picture = engine.run(Request(prompt=prompt, seed=seed))
        assert isinstance(picture, Picture)
        yield layer_case(prompt, picture.rgba)


def layer_case(name: str, layer: RGBA) -> Case:
    """A layer whose uncut colour nobody knows: its padded one counts."""
    return Case(name, layer, np.dstack([padded(layer), np.full_like(layer[..., 3], 255)]))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=128, help="of the sources, in pixels (128)")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--upscaler", type=lambda path: str(Path(path).absolute()), help="a network's file")
    parser.add_argument("--refine", type=float, nargs="*", default=[], metavar="STRENGTH", help="also refine, built-in model")
    parser.add_argument("--model", action="store_true", help="also enlarge layers that the built-in model draws")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    engine, rows = Engine("cpu"), []
    print(f"{'picture':14} {'way':26} {'worst':>6} {'spread':>6} {'haze':>6} {'iou':>7} {'inside':>7} {'seams':>6}")
    for case in cases(engine, options.side, model=options.model):
        for way in ways(engine, options.scale, options.upscaler, options.refine, case.name):
            measured = measure(case, way)
            missed = measured.missed(way.gates)
            rows.append({"picture": case.name, "way": way.name, **asdict(measured), "missed": missed})
            print(f"{case.name:14} {way.name:26} {measured} {'misses ' + ', '.join(missed) if missed else ''}", flush=True)
        if options.refine:
            print(f"{case.name:14} {'the codec alone':26} {codec_error(engine, case.source, options.scale):37.1f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))
    return int(any(row["missed"] for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
