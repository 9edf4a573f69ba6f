"""An opaque picture is drawn again, at most twice, and that is said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from acetate.engine import Picture, Progress, Request
from acetate.engine.pixels import quality
from acetate.engine.sampling.retries import is_opaque, until_transparent


def _rgba(kind: str) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    rgba = np.zeros((64, 64, 4), np.uint8)
    if kind != "empty":
        rgba[20:44, 20:44] = 255
    if kind == "opaque":
        rgba[..., 3] = 255
    return rgba


def drawn(*kinds: str, seed: int = 5, apart: int = 4) -> tuple[Picture, list[int]]:
    """The picture that comes of a model which draws these kinds one after another, and the seeds that it was given."""
    left, seeds = iter(kinds), []

    def draw(request: Request) -> Iterator[Progress | Picture]:
        seeds.append(request.seed)
        yield Progress(stage="denoise", step=1, steps=1, fraction=0.5)
        rgba = _rgba(next(left))
        made = {"role": "foreground", "index": 0, "parameters": {"seed": request.seed}}
        yield Picture(rgba=rgba, seed=request.seed, quality=quality.measure(rgba), **made)

    *_, picture = until_transparent(draw, Request(prompt="x", seed=seed), apart, is_opaque)
    assert isinstance(picture, Picture)
    return picture, seeds


def test_a_transparent_picture_is_the_first() -> None:
    picture, seeds = drawn("clear")
    assert (seeds, picture.warnings) == ([5], ())


def test_the_seed_of_a_later_one_is_its_own_and_nobody_elses() -> None:
    picture, seeds = drawn("opaque", "opaque", "clear")
    assert seeds == [5, 9, 13], "four pictures of one job take 5 to 8"
    assert picture.seed == picture.parameters["seed"] == 13
    assert "another seed" in picture.warnings[0]


def test_the_third_is_given_whatever_it_is() -> None:
    picture, seeds = drawn("opaque", "opaque", "opaque", "clear")
    assert len(seeds) == 3
    assert "3 times" in picture.warnings[0]


def test_an_empty_one_is_not_drawn_again() -> None:
    _, seeds = drawn("empty", "clear")
    assert seeds == [5]


@pytest.mark.parametrize("seed", [2**63 - 1, 2**63 - 2])
def test_the_last_seeds_have_followers(seed: int) -> None:
    _, seeds = drawn("opaque", "clear", seed=seed)
    assert 0 <= seeds[1] < 2**63
