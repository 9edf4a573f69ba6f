"""What a list of layers asks for."""

from __future__ import annotations

import numpy as np
import pytest
from acetate import document
from acetate.document import Box, Entry, Outline
from acetate.server.command_line.exit_codes import UsageError
from acetate.server.watching.asks import TASKS_BY_NAME, asks

EMPTY = Box(0, 0, 0, 0)


def entry(name: str, box: Box = EMPTY, **more: object) -> Entry:
    return Entry(name=name, box=box, **more)  # type: ignore[arg-type]


def listed(*entries: Entry) -> Outline:
    return Outline(width=64, height=48, entries=entries)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("acetate: a glass bottle", ("foreground", "a glass bottle")),
        ("Acetate:a glass bottle", ("foreground", "a glass bottle")),
        (" ACETATE : a: b ", ("foreground", "a: b")),
        ("acetate：ガラス瓶", ("foreground", "ガラス瓶")),
        ("acetate refine: redder", ("refine", "redder")),
        ("acetate Object: a cat", ("object", "a cat")),
    ],
)
def test_a_name_asks_in_the_ways_that_people_write(name: str, words: tuple[str, str]) -> None:
    (ask,) = asks(listed(entry(name)))
    assert ask.words == words
    assert ask.task.name == words[0]


@pytest.mark.parametrize("name", ["acetate", "acetate a bottle", "on acetate: a bottle", "a glass bottle (3)", "", "acetates: x"])
def test_other_names_ask_for_nothing(name: str) -> None:
    assert asks(listed(entry(name))) == ()


def solid(box: Box, name: str) -> document.Layer:
    return document.Layer(np.full((box.height, box.width, 4), (9, 0, 0, 255), np.uint8), box.x, box.y, name)


@pytest.mark.parametrize(
    ("box", "mask", "area"),
    [
        (EMPTY, None, Box(0, 0, 64, 48)),
        (Box(4, 5, 10, 12), None, Box(4, 5, 10, 12)),
        (Box(-4, 40, 10, 12), None, Box(0, 40, 6, 8)),
        (EMPTY, Box(8, 8, 16, 16), Box(8, 8, 16, 16)),
        (Box(0, 0, 64, 48), Box(8, 8, 16, 16), Box(8, 8, 16, 16)),
        (Box(100, 100, 5, 5), None, Box(0, 0, 64, 48)),
        (EMPTY, EMPTY, Box(0, 0, 64, 48)),
    ],
    ids=["empty", "pixels", "over the edge", "mask", "masked fill", "off the canvas", "empty mask"],
)
def test_pixels_and_mask_give_place_and_size(box: Box, mask: Box | None, area: Box) -> None:
    read = document.Document(64, 48, (solid(box, "acetate: x"),))
    assert asks(listed(entry("acetate: x", box, mask=mask)))[0].area(read) == area


def test_transparent_pixels_take_no_place() -> None:
    """GIMP's layers are as large as the canvas, and an empty layer of an OpenRaster file has a pixel."""
    rgba = np.zeros((48, 64, 4), np.uint8)
    (ask,) = asks(listed(entry("acetate: x", Box(0, 0, 64, 48))))
    assert ask.area(document.Document(64, 48, (document.Layer(rgba[:1, :1].copy()),))) == Box(0, 0, 64, 48)
    rgba[10:20, 30:50, 3] = 1
    assert ask.area(document.Document(64, 48, (document.Layer(rgba),))) == Box(30, 10, 20, 10)


def test_a_group_asks_for_the_place_of_all_its_layers() -> None:
    inside = (solid(Box(4, 4, 2, 2), "a"), solid(Box(10, 20, 5, 5), "b"))
    (ask,) = asks(listed(entry("acetate: x", children=(entry("a"), entry("b")))))
    assert ask.area(document.Document(64, 48, (document.Group("acetate: x", inside),))) == Box(4, 4, 11, 21)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("acetate paint: x", "asks for 'paint'"),
        ("acetate repaint: x", "asks for 'repaint'"),
        ("acetate upscale: x", "asks for 'upscale'"),
        ("acetate:", "does not say what to draw"),
    ],
)
def test_what_a_name_cannot_ask_for_is_refused_with_what_it_can(name: str, named: str) -> None:
    (ask,) = asks(listed(entry(name)))
    with pytest.raises(UsageError, match=named):
        ask.task  # noqa: B018


def test_one_layer_and_what_lies_below_it_is_enough_for_these_tasks() -> None:
    assert {"foreground", "scene", "object", "refine"} <= set(TASKS_BY_NAME)
    assert not {"repaint", "upscale", "blend", "background"} & set(TASKS_BY_NAME)


def test_layers_in_groups_ask_too_and_groups_themselves() -> None:
    inner = entry("acetate: a key", Box(1, 2, 3, 4))
    group = entry("acetate: a hand", Box(1, 2, 3, 4), children=(entry("Palm"), inner))
    found = asks(listed(entry("Paper"), group))
    assert [(ask.path, ask.key[0]) for ask in found] == [((1,), "acetate: a hand"), ((1, 1), "acetate: a hand/acetate: a key")]


def test_namesakes_have_their_own_versions_and_never_the_same_seed() -> None:
    twin = entry("acetate: a tree")
    found = asks(listed(twin, entry("a tree (0)"), entry("a tree (2)"), twin, entry("a tree (1)"), entry("Sky")))
    assert [[version.path for version in ask.versions] for ask in found] == [[(1,), (2,)], [(4,)]]
    assert [ask.key[1] for ask in found] == [0, 1]
    assert {ask.free_seed for ask in found} == {3}


def test_what_was_made_for_other_words_is_no_version() -> None:
    (ask,) = asks(listed(entry("acetate: a tree"), entry("a tree house (4)"), entry("a tree"), entry("a tree, background (5)")))
    assert [version.entry.name for version in ask.versions] == ["a tree, background (5)"]
    assert ask.free_seed == 6


def test_the_newest_version_says_how_the_next_one_looks() -> None:
    asking = entry("acetate: x", opacity=0.5, blend_mode="multiply")
    assert asks(listed(asking))[0].look == {"opacity": 0.5, "blend_mode": "multiply"}
    newest = entry("x (1)", opacity=0.8, blend_mode="screen")
    assert asks(listed(asking, entry("x (0)"), newest))[0].look == {"opacity": 0.8, "blend_mode": "screen"}
    group = entry("acetate: x", blend_mode=document.PASS_THROUGH, children=())
    assert asks(listed(group))[0].look["blend_mode"] == "normal"


PAPER = document.Layer(np.full((48, 64, 4), (200, 200, 200, 255), np.uint8), name="Paper")


def test_a_task_is_given_the_pixels_of_its_place() -> None:
    for name, own in (("acetate refine: x", True), ("acetate object: x", False)):
        (ask,) = asks(listed(entry("Paper"), entry(name)))
        request = ask.request(document.Document(64, 48, (PAPER, solid(Box(10, 20, 6, 4), name))), Box(10, 20, 6, 4), seed=3)
        picture = request.source if own else request.background
        assert picture is not None and picture.shape == (4, 6, 4)
        assert (picture == ((9, 0, 0, 255) if own else (200, 200, 200, 255))).all()
        assert (request.task, request.prompt, request.seed) == (name.split()[1][:-1], "x", 3)


def test_parameters_that_the_task_does_not_heed_are_left_out() -> None:
    read = document.Document(64, 48, (PAPER,))
    request = asks(listed(entry("acetate: x")))[0].request(read, read.box, strength=0.5, steps=7)
    assert (request.strength, request.steps, request.width, request.height) == (None, 7, 64, 48)


@pytest.mark.parametrize(("name", "named"), [("acetate refine: x", "no pixels"), ("acetate object: x", "nothing below")])
def test_a_task_without_its_picture_is_refused(name: str, named: str) -> None:
    read = document.Document(64, 48, (document.Layer(np.zeros((0, 0, 4), np.uint8), name=name),))
    with pytest.raises(UsageError, match=named):
        asks(listed(entry(name)))[0].request(read, read.box)
