"""Pictures as layers of the canvas: cropped, placed, brought to their box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acetate.engine import RGBA, Picture
from acetate.protocol import Box, Layer, content_id
from acetate.server.worker.layers import layer_message, save, thumbnail
from acetate.vocabulary.names import is_clean
from acetate.vocabulary.stacking import Stacking
from acetate.vocabulary.working_sizes import Drawn

HOSTILE = "a\0b\x1b[31m\r\nc\u202ed\u2066e\u2069\u2028f\u2029\x85\udcff\ufffe\ufdd0g"
STACKING = Stacking("foreground", "a kite", ("foreground",), job="job-0001")


def saved(rgba: RGBA, box: Box, folder: Path, *, crop: bool = True) -> tuple[Layer, bytes]:
    """The message, and the pixels that were written."""
    picture = Picture(rgba=rgba, role="foreground", index=0, seed=7, parameters={})
    made, _ = save(STACKING, picture, 0, box, folder, crop=crop)
    return made.layer, (folder / made.name).read_bytes() if made.name else b""


def spot() -> RGBA:
    """12 x 10 pixels, of which 3 x 2 at (4, 5) are seen."""
    rgba = np.full((10, 12, 4), 9, np.uint8)
    rgba[..., 3] = 0
    rgba[5:7, 4:7, 3] = 200
    return rgba


def test_a_layer_is_cut_to_its_alpha_and_keeps_its_place_on_the_canvas(tmp_path: Path) -> None:
    layer, pixels = saved(spot(), Box(100, -50, 12, 10), tmp_path)
    assert (layer.x, layer.y, layer.width, layer.height, layer.bytes) == (104, -45, 3, 2, 24)
    assert layer.box == Box(100, -50, 12, 10)
    assert pixels == spot()[5:7, 4:7].tobytes()
    assert (layer.name, layer.order, layer.group, layer.visible) == ("a kite (7)", 0, (), True)


def test_a_deep_layer_is_kept_in_its_own_depth_with_the_faintest_alpha(tmp_path: Path) -> None:
    deep = np.zeros((10, 12, 4), np.uint16)
    deep[5:7, 4:7] = (1, 2, 40000, 65535)
    deep[2, 2, 3] = 1  # nothing of which is left in 8 bits
    picture = Picture(rgba=spot(), role="foreground", index=0, seed=7, parameters={}, deep=deep)
    made, _ = save(STACKING, picture, 0, Box(100, -50, 12, 10), tmp_path, crop=True)

    place = made.layer.x, made.layer.y, made.layer.width, made.layer.height
    assert (made.layer.format, place, made.layer.bytes) == ("rgba16", (102, -48, 5, 5), 5 * 5 * 8)
    assert (tmp_path / made.name).read_bytes() == deep[2:7, 2:7].tobytes()
    assert made.layer.sha256 == content_id(deep[2:7, 2:7].tobytes(), "rgba16", 5, 5)


@pytest.mark.parametrize("original", ["", HOSTILE])
@pytest.mark.parametrize("makes", [("foreground",), ("foreground", "background")])
def test_whatever_it_is_called_after_a_layer_and_its_groups_have_clean_names(original: str, makes: tuple[str, ...]) -> None:
    stacking = Stacking("foreground", HOSTILE, makes, 2, original, "job-0001")
    picture = Picture(rgba=spot(), role="foreground", index=1, seed=7, parameters={})
    layer = layer_message(stacking, picture, 0, Box(0, 0, 12, 10), None, "ab" * 32)

    assert layer.group and all(map(is_clean, (layer.name, *(group.name for group in layer.group))))
    assert layer.group[0].name.endswith("g")


def test_a_layer_tells_how_large_it_was_drawn() -> None:
    picture = Picture(rgba=spot(), role="foreground", index=0, seed=7, parameters={}, drawn=Drawn(6, 5, 2.0))
    assert layer_message(STACKING, picture, 0, Box(0, 0, 12, 10), None, "ab" * 32).drawn == Drawn(6, 5, 2.0)


def test_an_uncut_layer_fills_its_box(tmp_path: Path) -> None:
    layer, pixels = saved(spot(), Box(100, -50, 12, 10), tmp_path, crop=False)
    assert (layer.x, layer.y, layer.width, layer.height) == (100, -50, 12, 10)
    assert pixels == spot().tobytes()


def test_an_empty_layer_has_no_pixels_and_no_file(tmp_path: Path) -> None:
    layer, _ = saved(np.zeros((10, 12, 4), np.uint8), Box(3, 4, 12, 10), tmp_path)
    assert (layer.x, layer.y, layer.width, layer.height, layer.bytes) == (3, 4, 0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_brought_to_its_box_without_a_fringe(tmp_path: Path) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:4] = (250, 30, 30, 255)
    layer, pixels = saved(rgba, Box(0, 0, 16, 16), tmp_path)
    assert layer.width == 16 and 8 <= layer.height <= 8 + 3 * 2, "the upper half, and the reach of its edge"
    assert (np.frombuffer(pixels, np.uint8).reshape(-1, 4)[:, :3] == (250, 30, 30)).all()


def test_a_thumbnail_is_weighted_by_alpha() -> None:
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[..., :3] = 255
    rgba[::2] = [200, 10, 10, 255]
    small = thumbnail(rgba)

    assert small.shape == (128, 128, 4)
    assert np.abs(small[5, 5].astype(int) - [200, 10, 10, 128]).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (4096, 3), (129, 128), (4096, 4096)])
def test_a_thumbnail_fits_whatever_the_shape(shape: tuple[int, int]) -> None:
    small = thumbnail(np.full((*shape, 4), 9, np.uint8))

    assert max(small.shape[:2]) <= 128 and min(small.shape[:2]) >= 1
