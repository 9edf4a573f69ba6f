"""What a request may say about its upscaling, and the words for what it may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, Request, validation
from acetate.engine.pixels.tiles import Tiling
from acetate.engine.pixels.upscale_options import options_of
from acetate.engine.values.parameters import from_json, to_json


def test_what_is_not_said_has_the_defaults_of_ultimate_sd_upscale() -> None:
    options = options_of({})

    assert (options.mode, options.alpha) == (None, "auto")
    assert options.tiling(512) == Tiling()
    assert options.tiling(1024) == Tiling(tile_width=1024, tile_height=1024)


def test_every_field_of_a_tiling_can_be_said() -> None:
    said: dict[str, Any] = {
        "tile_width": 768,
        "tile_height": 640,
        "padding": 48,
        "mask_blur": 4,
        "order": "chess",
        "uniform": False,
        "multiple_of": 8,
        "seams": "half-tile",
        "seam_strength": 0.35,
        "seam_width": 32,
        "seam_blur": 2,
        "seam_padding": 8,
    }
    options = options_of({"mode": "redraw", "alpha": "network", **said})

    assert (options.mode, options.alpha) == ("redraw", "network")
    assert options.tiling(512) == Tiling(**said)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("mode", "paint", "mode is 'paint'; it must be one of enlarge, redraw, refine"),
        ("alpha", None, "alpha is None; it must be one of auto, lanczos, network"),
        ("uniform", 1, "uniform is 1; it must be one of True, False"),
        ("multiple_of", 16, "multiple_of is 16; it must be one of 64, 8"),
        ("multiple_of", True, "multiple_of is True"),
        ("tile_width", 63, "tile_width is 63; it must be a whole number from 64 to 4096"),
        ("padding", 1.5, "padding is 1.5; it must be a whole number"),
        ("mask_blur", True, "mask_blur is True"),
        ("seam_strength", 1.01, "seam_strength is 1.01; it must be a number from 0 to 1"),
        ("seam_strength", "1", "seam_strength is '1'"),
        ("denoise", 0.2, "unknown option 'denoise'"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: Any, said: str) -> None:
    source = np.zeros((8, 8, 4), np.uint8)
    with pytest.raises(BadRequest, match=rf"upscaling: .*{said}"):
        validation.check(Request(task="upscale", source=source, upscaling={name: value}))


def test_options_travel_with_the_parameters() -> None:
    request = Request(task="upscale", scale=4, upscaling={"mode": "refine", "seam_strength": 0.3})

    assert from_json(to_json(request)).upscaling == request.upscaling
