"""What clients place on the canvas, cut to what the engine is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.engine import RGBA, BadRequest, Mask
from acetate.protocol import Box, Parameters
from acetate.protocol.messages import Conditions, Placed, Submit
from acetate.server.worker.requests import CanvasTarget, target

JOB = "job-number-1"


class Canvas:
    """Pictures by their roles, in the files of a server, and where they lie."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.placed: dict[str, Placed] = {}
        self.files: dict[str, Mapping[str, Any]] = {}

    def place(self, role: str, pixels: RGBA | Mask, x: int = 0, y: int = 0, format: str = "rgba8") -> None:
        name = f"{len(self.files):064x}"
        (self._folder / name).write_bytes(pixels.tobytes())
        self.placed[role] = Placed(name, x, y)
        height, width = pixels.shape[:2]
        self.files[name] = {"path": str(self._folder / name), "format": format, "width": width, "height": height}

    def target(self, task: str, box: Box | None = None, **parameters: Any) -> CanvasTarget:
        return target(Submit(JOB, task, Parameters(**parameters), Conditions(**self.placed), box), self.files)


@pytest.fixture
def canvas(tmp_path: Path) -> Canvas:
    return Canvas(tmp_path)


def noise(width: int, height: int, seed: int = 0) -> RGBA:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4)).astype(np.uint8)


def test_a_picture_is_cut_to_the_box_and_padded_with_transparency_where_it_does_not_reach(canvas: Canvas) -> None:
    source = noise(8, 6)
    canvas.place("source", source, 100, 50)
    found = canvas.target("refine", Box(103, 48, 10, 5))
    expected = np.zeros((5, 10, 4), np.uint8)
    expected[2:, :5] = source[:3, 3:]

    assert found.box == Box(103, 48, 10, 5)
    assert np.array_equal(found.request.source, expected)
    assert (found.request.width, found.request.height) == (None, None), "its size is its source's"


def test_a_size_that_is_asked_for_is_not_the_boxes(canvas: Canvas) -> None:
    """The box says where the result goes, and a model draws best at its own size."""
    request = canvas.target("foreground", Box(0, 0, 90, 60), width=512).request
    assert (request.width, request.height) == (512, 60)


def test_a_picture_to_be_enlarged_stays_whole_as_its_box_is_the_larger_one(canvas: Canvas) -> None:
    source = noise(8, 6)
    canvas.place("source", source, 100, 50)
    found = canvas.target("upscale", Box(90, 40, 16, 12))

    assert np.array_equal(found.request.source, source)
    assert (found.box, found.request.width, found.request.height) == (Box(90, 40, 16, 12), 16, 12)


def test_without_a_box_pictures_at_one_place_go_whole_to_the_engine(canvas: Canvas) -> None:
    """How pictures of several sizes are made to fit is a parameter of the engine."""
    canvas.place("foreground", noise(8, 6), 5, -7)
    canvas.place("blended", noise(9, 9, 1), 5, -7)
    found = canvas.target("extract-background")

    assert found.request.foreground is not None and found.request.foreground.shape == (6, 8, 4)
    assert found.request.blended is not None and found.request.blended.shape == (9, 9, 4)
    assert (found.box, found.x, found.y) == (None, 5, -7)
    assert (found.request.width, found.request.height) == (None, None)


def test_without_a_box_pictures_at_several_places_are_cut_to_the_first(canvas: Canvas) -> None:
    blended = noise(9, 9, 1)
    canvas.place("blended", blended, 3, -5)
    canvas.place("foreground", noise(4, 3), 5, -4)
    found = canvas.target("extract-background")

    assert np.array_equal(found.request.blended, blended[1:4, 2:6])
    assert (found.x, found.y) == (5, -4), "the foreground is the first, whichever was named first"


@pytest.mark.parametrize("format", ["gray8", "rgba8"])
def test_a_mask_lies_where_it_was_placed_and_selects_nothing_beyond_itself(canvas: Canvas, format: str) -> None:
    selected = np.full((2, 3), 255, np.uint8)
    canvas.place("source", noise(8, 6), 100, 50)
    canvas.place("mask", selected if format == "gray8" else np.repeat(selected[..., None], 4, axis=2), 106, 49, format)
    expected = np.zeros((6, 8), np.uint8)
    expected[0, 6:] = 255

    assert np.array_equal(canvas.target("repaint").request.mask, expected)
    assert np.array_equal(canvas.target("repaint", Box(106, 48, 4, 3)).request.mask, [[0] * 4, [255] * 3 + [0], [255] * 3 + [0]])


def test_a_picture_comes_in_the_format_of_its_client(canvas: Canvas) -> None:
    source = noise(8, 6)
    canvas.place("source", source[..., [2, 1, 0, 3]], format="bgra8")
    assert np.array_equal(canvas.target("refine").request.source, source)


@pytest.mark.parametrize(("format", "dtype"), [("rgba16", "<u2"), ("rgbaf32", "<f4")])
def test_a_picture_to_be_enlarged_comes_in_its_own_depth_too_and_any_other_in_8_bits(
    canvas: Canvas, format: str, dtype: str
) -> None:
    deep = np.linspace(0, 1, 4 * 6 * 8).reshape(6, 8, 4)
    sent = (deep * (65535 if format == "rgba16" else 1)).astype(dtype)
    canvas.place("source", sent, format=format)
    found = canvas.target("upscale", scale=2.0).request
    assert found.deep_source is not None and np.array_equal(found.deep_source, sent)
    assert found.source is not None and found.source.dtype == np.uint8
    assert canvas.target("refine", prompt="a kite").request.deep_source is None


def test_a_mask_where_a_picture_belongs_is_refused_by_its_role(canvas: Canvas) -> None:
    canvas.place("background", np.zeros((6, 8), np.uint8), format="gray8")
    with pytest.raises(BadRequest, match="background"):
        canvas.target("object")


@pytest.mark.parametrize(("said", "meant"), [({}, "sketchpad"), ({"model": "painter"}, "painter")])
def test_who_names_no_model_means_the_engines_own(canvas: Canvas, said: dict[str, str], meant: str) -> None:
    assert canvas.target("foreground", **said).request.model == meant
