"""The grid against the table that was verified with Ultimate SD Upscale itself (layerdiffuse.md 9.3); masks; job counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acetate.engine.pixels.tiles import TilePass, Tiling, grid, sample_size, tile_passes, windows
from acetate.vocabulary.box import Box
from PIL import Image, ImageDraw, ImageFilter

COMFY = Tiling(multiple_of=8)
LARGE = Tiling(tile_width=1024, tile_height=1024, multiple_of=8)


def tile(tiling: Tiling, picture: tuple[int, int], x: int, y: int) -> TilePass:
    columns, _ = grid(tiling, picture)
    return tile_passes(tiling, picture)[y * columns + x]


@pytest.mark.parametrize(
    ("tiling", "picture", "place", "crop", "size"),
    [
        (COMFY, (2048, 2048), (0, 0), (0, 0, 544, 544), (544, 544)),
        (COMFY, (2048, 2048), (1, 0), (480, 0, 1056, 576), (544, 544)),
        (COMFY, (2048, 2048), (1, 1), (480, 480, 1056, 1056), (544, 544)),
        (Tiling(), (2048, 2048), (1, 1), (480, 480, 1056, 1056), (576, 576)),
        (COMFY, (1000, 600), (1, 0), (456, 0, 1000, 544), (544, 544)),
        (COMFY, (1000, 600), (1, 1), (480, 80, 1000, 600), (544, 544)),
        (LARGE, (1792, 2304), (1, 0), (736, 0, 1792, 1056), (1056, 1056)),
        (LARGE, (1792, 2304), (1, 2), (992, 1504, 1792, 2304), (1056, 1056)),
    ],
)
def test_a_tile_is_cropped_and_sampled_as_in_the_verified_table(
    tiling: Tiling, picture: tuple[int, int], place: tuple[int, int], crop: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    found = tile(tiling, picture, *place)

    assert found.crop == Box.between(*crop)
    assert found.size == size


def test_without_uniform_tiles_each_is_sampled_at_its_own_size_rounded_up_to_8() -> None:
    own = replace(COMFY, uniform=False)

    edge = tile(own, (2048, 2048), 1, 0)
    assert (edge.crop, edge.size) == (Box.between(480, 0, 1056, 544), (576, 544))
    odd = tile(replace(own, padding=30), (2048, 2048), 1, 1)
    assert odd.crop.width == odd.crop.height == 576, "572 grown to a multiple of 8"
    assert odd.size == (576, 576)


@pytest.mark.parametrize(("multiple_of", "side"), [(64, 576), (8, 544)])
def test_the_sample_size_of_512_with_32(multiple_of: int, side: int) -> None:
    assert sample_size((512, 512), 32, multiple_of) == (side, side)  # type: ignore[arg-type]


def test_the_grid_covers_the_picture() -> None:
    assert grid(COMFY, (2048, 2048)) == (4, 4)
    assert grid(LARGE, (1792, 2304)) == (2, 3)
    assert grid(COMFY, (513, 1)) == (2, 1)


def test_linear_order_is_row_by_row() -> None:
    corners = [(t.area.x, t.area.y) for t in tile_passes(COMFY, (1024, 1024))]
    assert corners == [(0, 0), (512, 0), (0, 512), (512, 512)]


def test_chess_order_does_all_even_fields_first() -> None:
    fields = [(t.area.x // 512 + t.area.y // 512) % 2 for t in tile_passes(replace(COMFY, order="chess"), (1536, 1536))]
    assert fields == [0] * 5 + [1] * 4


def test_without_redraw_only_the_seams_are_left() -> None:
    assert tile_passes(replace(COMFY, order="none"), (2048, 2048)) == []
    assert all(t.seam for t in tile_passes(replace(COMFY, order="none", seams="band"), (2048, 2048)))


@pytest.mark.parametrize(
    ("seams", "extra"),
    [("none", 0), ("band", 3 + 4 - 2), ("half-tile", 3 * (4 - 1) + (3 - 1) * 4), ("intersections", 9 + 8 + 2 * 3)],
)
def test_the_number_of_jobs(seams: str, extra: int) -> None:
    passes = tile_passes(replace(COMFY, seams=seams), (2048, 1536))  # type: ignore[arg-type]

    assert len(passes) == 3 * 4 + extra
    assert sum(t.seam for t in passes) == extra


@pytest.mark.parametrize("padding", [24, 0])
def test_a_tiles_mask_is_that_of_the_whole_picture_blurred(padding: int) -> None:
    """The reference blurs a mask of the whole picture; ours is made of the neighbourhood alone."""
    picture = (700, 500)
    tiling = Tiling(tile_width=256, tile_height=256, padding=padding)
    for found, (x, y) in zip(tile_passes(tiling, picture), [(x, y) for y in range(2) for x in range(3)], strict=True):
        whole = Image.new("L", picture)
        ImageDraw.Draw(whole).rectangle((x * 256, y * 256, (x + 1) * 256, (y + 1) * 256), fill=255)
        expected = whole.filter(ImageFilter.GaussianBlur(8)).crop(
            (found.crop.x, found.crop.y, found.crop.right, found.crop.bottom)
        )
        assert np.array_equal(np.rint(found.mask(picture) * 255), np.asarray(expected))


def test_a_band_lies_over_the_border_and_fades_to_both_sides() -> None:
    first = tile_passes(replace(COMFY, order="none", seams="band"), (1024, 1000))[0]
    mask = first.mask((1024, 1000))

    assert first.area == Box(480, 0, 64, 1000)
    assert first.crop == Box(464, 0, 96, 1000)
    assert first.size == (96, 1000)
    profile = mask[500]
    assert profile[16:80].argmax() in (31, 32) and profile.max() > 0.98
    assert np.allclose(profile, profile[::-1])
    assert not profile[:16].any() and not profile[80:].any()
    assert (np.diff(profile[16:48]) > 0).all()


def test_half_tiles_lie_between_the_tiles() -> None:
    seams = [t for t in tile_passes(replace(COMFY, order="none", seams="half-tile", seam_blur=0), (1024, 1024))]

    assert [t.area for t in seams[:2]] == [Box(0, 256, 512, 512), Box(512, 256, 512, 512)]
    assert [t.area for t in seams[2:]] == [Box(256, 0, 512, 512), Box(256, 512, 512, 512)]
    down, across = seams[0].mask((1024, 1024)), seams[2].mask((1024, 1024))
    assert down[:, 100].max() > 0.99 and np.ptp(down[100, :512]) == 0
    assert across[100].max() > 0.99 and np.ptp(across[:512, 100]) == 0


def test_a_half_tile_that_is_cut_off_by_the_picture_still_has_its_peak_on_the_border() -> None:
    """The last row of tiles is 88 pixels high: the border lies at 512, not in the middle of what is left of the half tile."""
    seam = tile_passes(replace(COMFY, order="none", seams="half-tile", seam_blur=0), (512, 600))[0]
    peak = seam.mask((512, 600))[:, 100].argmax() + seam.crop.y

    assert peak in (511, 512)


def test_crossings_are_strongest_in_the_middle_and_nothing_in_the_corners() -> None:
    crossing = tile_passes(replace(COMFY, order="none", seams="intersections", seam_blur=0), (1024, 1024))[-1]
    mask = np.rint(crossing.mask((1024, 1024)) * 255)

    assert crossing.area == crossing.crop == Box(256, 256, 512, 512)
    assert mask[256, 256] >= 254
    assert [mask[0, 256], mask[256, 0], mask[511, 255]] == pytest.approx([74, 74, 74], abs=1)
    assert mask[0, 0] == mask[-1, -1] == 0


@pytest.mark.parametrize("picture", [(1, 1), (40, 3000), (511, 513), (8192, 100), (1024, 1024)])
@pytest.mark.parametrize("seams", ["none", "band", "intersections"])
def test_every_crop_lies_in_the_picture_and_the_redraw_reaches_every_pixel(picture: tuple[int, int], seams: str) -> None:
    tiling = Tiling(seams=seams, mask_blur=0)  # type: ignore[arg-type]
    reached = np.zeros(picture[::-1], bool)
    for found in tile_passes(tiling, picture):
        crop = found.crop
        assert 0 <= crop.x < crop.right <= picture[0] and 0 <= crop.y < crop.bottom <= picture[1]
        assert found.size[0] % 8 == found.size[1] % 8 == 0
        part = reached[crop.slices]
        if not found.seam:
            part |= found.mask(picture) == 1
    assert reached.all()


@pytest.mark.parametrize("picture", [(100, 100), (128, 129), (1000, 600), (333, 77), (224, 224), (225, 225)])
def test_windows_cover_the_picture_and_their_weights_add_up_to_one(picture: tuple[int, int]) -> None:
    """Each window paints one of its own colours, so that the result shows every window's weight at every pixel."""
    cut = windows(picture, 128, 32)
    canvas = np.full((max(picture[1], 128), max(picture[0], 128), len(cut)), np.nan, np.float32)
    for index, window in enumerate(cut):
        box, share = window.box, window.share()
        assert window.across.before >= 32 or box.x == 0
        assert window.down.before >= 32 or box.y == 0
        part = canvas[box.slices]
        part[:] = np.where(share < 1, np.nan_to_num(part) * (1 - share), 0) + share * np.eye(len(cut), dtype=np.float32)[index]

    seen = canvas[: picture[1], : picture[0]]
    assert np.allclose(seen.sum(axis=2), 1, atol=1e-5)
    for index, window in enumerate(cut):
        weight = np.pad(seen[..., index], 200)[200 + window.down.start :, 200 + window.across.start :][:128, :128]
        assert weight.max() > 0.99
        for shared, edge in ((window.across.before, weight[:, 0]), (window.across.after, weight[:, -1])):
            assert not shared or not edge.any(), "what lies at a window's border is not used"
        for shared, edge in ((window.down.before, weight[0]), (window.down.after, weight[-1])):
            assert not shared or not edge.any()


def test_windows_fade_evenly_over_the_middle_of_what_they_share() -> None:
    second = windows((224, 128), 128, 32)[1]

    assert (second.across.before, second.across.after, second.down.before) == (32, 0, 0)
    ramp = second.share()[0, :, 0]
    assert not ramp[:8].any()
    assert ramp[8:24] == pytest.approx((np.arange(16) + 0.5) / 16)
    assert (ramp[24:] == 1).all()
