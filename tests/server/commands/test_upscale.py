"""`acetate upscale` as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(("words", "size"), [(("--scale", 3), (120, 90)), (("--size", "100x75"), (100, 75)), ((), (80, 60))])
def test_a_layer_becomes_larger_and_stays_transparent(
    acetate: Command, layer_file: Path, words: tuple[object, ...], size: tuple[int, int]
) -> None:
    code, out, err = acetate("upscale", layer_file, "-o", "large.png", *words, "--alone")
    assert (code, out) == (0, "large.png\n"), err
    large = np.asarray(Image.open("large.png"))
    assert large.shape == (size[1], size[0], 4)
    assert large[0, 0, 3] == 0
    assert large[size[1] // 2, size[0] // 2, 3] == 255


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--scale", 0), "scale is 0"), (("--scale", "nan"), "scale is nan"), (("--upscaler", "nothing"), "'nothing'")],
)
def test_wrong_values_are_named(acetate: Command, layer_file: Path, words: tuple[object, ...], named: str) -> None:
    code, _, err = acetate("upscale", layer_file, "-o", "large.png", *words, "--alone")
    assert code in (1, 2)
    assert named in err
    assert not Path("large.png").exists()
