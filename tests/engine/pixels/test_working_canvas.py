"""Targets of any size on the canvases that networks can do."""

import numpy as np
import pytest
from acetate.engine.pixels.working_canvas import WorkingSizes
from hypothesis import given
from hypothesis import strategies as st

SKETCH = WorkingSizes(128, square_only=True, multiple_of=8)
SDXL = WorkingSizes(1024, multiple_of=64)
sides = st.integers(1, 8192)


@given(sides, sides)
def test_working_sizes_are_multiples_and_bounded(width: int, height: int) -> None:
    frame = SDXL.frame(width, height, "contain")
    assert all(side % 64 == 0 and side > 0 for side in frame.working)
    assert frame.working[0] >= frame.scaled[0]
    assert frame.working[1] >= frame.scaled[1]
    if min(width, height) * 64 >= max(width, height):  # a side has at least a pixel, however narrow the target
        assert frame.scaled[0] * frame.scaled[1] <= SDXL.largest * SDXL.native**2 * 1.01


@pytest.mark.parametrize("size", [(1024, 1024), (896, 1152), (1000, 600), (333, 517)])
def test_usual_targets_are_not_rescaled_more_than_needed(size: tuple[int, int]) -> None:
    frame = SDXL.frame(*size, "cover")
    area = size[0] * size[1]
    if area >= 0.5 * 1024**2:
        assert frame.scaled == size


@pytest.mark.parametrize("size", [(128, 128), (512, 512), (640, 480), (100, 300), (1, 1), (33, 57)])
@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_a_picture_comes_back_at_the_targets_size(size: tuple[int, int], fit: str) -> None:
    frame = SKETCH.frame(*size, fit)  # type: ignore[arg-type]
    width, height = size
    assert frame.from_working(np.full((128, 128, 4), 200, np.uint8)).shape == (height, width, 4)
    assert frame.to_working(np.full((height, width, 4), 200, np.uint8)).shape == (128, 128, 4)


def test_a_source_survives_the_way_there_and_back() -> None:
    picture = np.zeros((64, 96, 4), np.uint8)
    picture[20:40, 30:60] = (200, 100, 50, 255)
    frame = SKETCH.frame(96, 64, "contain")
    back = frame.from_working(frame.to_working(picture)).astype(int)
    assert np.abs(back[24:36, 34:56] - picture[24:36, 34:56]).max() <= 2
    assert back[:15, :, 3].max() <= 2


def test_what_is_generated_stands_in_the_middle_of_a_wide_target() -> None:
    frame = SKETCH.frame(256, 128, "cover")
    placed = frame.from_working(np.full((128, 128, 4), 255, np.uint8))
    assert (placed[:, 64:192, 3] == 255).all()
    assert (placed[:, :64, 3] == 0).all()


def test_masks_travel_with_their_pictures() -> None:
    frame = SKETCH.frame(200, 100, "contain")
    mask = np.zeros((100, 200), np.uint8)
    mask[:, :100] = 255
    working = frame.mask_to_working(mask)
    assert working.shape == (128, 128)
    assert working[64, 20] == 255
    assert working[64, 100] == 0
    assert working[5, 20] == 0, "outside the source nothing is selected"
