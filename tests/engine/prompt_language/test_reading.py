"""A request's prompts, picture by picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine import BadRequest, Request
from acetate.engine.prompt_language.dynamic_prompts import Wildcards
from acetate.engine.prompt_language.reading import read

NONE = Wildcards(Path("nowhere"))


def test_every_picture_has_its_own_choice_and_that_of_its_seed_alone() -> None:
    asked = Request(prompt="{a|b|c|d} cat <lora:{ink|dots}:0.5>", seed=3, count=6)
    pictures, _ = read(asked, NONE)
    assert [one.seed for one in pictures] == [3, 4, 5, 6, 7, 8]
    assert all(one.count == 1 and "{" not in one.prompt for one in pictures)
    assert len({one.prompt for one in pictures}) > 1 and {one.loras for one in pictures} == {(("ink", 0.5),), (("dots", 0.5),)}
    ((fifth,), _) = read(Request(prompt=asked.prompt, seed=7), NONE)
    assert (fifth.prompt, fifth.loras) == (pictures[4].prompt, pictures[4].loras)


def test_what_was_chosen_is_chosen_again_from_the_result() -> None:
    (picture,), _ = read(Request(prompt="{a|b} cat", seed=3), NONE)
    (again,), _ = read(Request(prompt=picture.prompt, seed=3), NONE)
    assert again.prompt == picture.prompt


def test_what_is_not_understood_is_said_once() -> None:
    asked = Request(prompt="a <hypernet:x:1> (b AND c)", negative_prompt="d AND e", count=3)
    _, notes = read(asked, NONE)
    assert sorted(notes) == [
        "'<hypernet:x:1>' is not understood and was left out",
        "AND in the negative prompt was read as a word",
        "AND within brackets was read as a word",
    ]


def test_an_absurd_weight_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(BadRequest, match="the weight 1e\\+09"):
        read(Request(prompt="(apple:1000000000)"), NONE)
