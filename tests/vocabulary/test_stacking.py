"""How layers are called and grouped, and what lies above what."""

from __future__ import annotations

import pytest
from acetate.vocabulary.stacking import BOTTOM_UP, Group, Stacking, StackPosition, goes_below, nested
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are small, and a busy machine may take its time over them."""


def test_names_are_short_and_of_one_line() -> None:
    name = Stacking("foreground", "a very long prompt\n" * 20, ("foreground",)).position("foreground", 0, 7).name
    assert len(name) < 70 and "\n" not in name and name.endswith("… (7)")


def test_without_a_prompt_the_task_is_the_name() -> None:
    assert Stacking("upscale", "", ("foreground",)).picture_name(7) == "Upscale (7)"


@pytest.mark.parametrize(
    ("seed", "original", "name"),
    [
        (None, "Kite (3)", "Kite (3)"),
        (None, "", "a kite"),
        (7, "Kite (3)", "Kite (7)"),
        (7, "Kite", "Kite (7)"),
        (7, "", "a kite (7)"),
    ],
)
def test_a_larger_layer_is_called_as_its_original_with_the_seed_that_was_used(seed: int | None, original: str, name: str) -> None:
    assert Stacking("upscale", "a kite", ("foreground",), original=original).position("foreground", 0, seed).name == name


def test_one_layer_has_no_group() -> None:
    (only,) = arranged(("background",), 1)
    assert (only.groups, only.order, only.visible, only.name) == ((), 0, True, "a boat (0)")


def test_candidates_share_a_group_and_only_the_first_is_shown_on_top() -> None:
    first, second, third = arranged(("foreground",), 3)
    assert [one.order for one in (third, second, first)] == [0, 1, 2]
    assert [one.visible for one in (first, second, third)] == [True, False, False]
    assert first.groups == second.groups == third.groups == (Group("job-candidates", "a boat"),)


def test_scenes_with_candidates_are_groups_in_a_group() -> None:
    layers = arranged(("foreground", "background", "blended"), 2)
    assert [layer.order for layer in layers] == [4, 3, 5, 1, 0, 2]
    assert [layer.visible for layer in layers] == [True, True, False, True, True, False]
    assert [[group.name for group in layer.groups] for layer in layers] == [["a boat", "a boat (0)"]] * 3 + [
        ["a boat", "a boat (1)"]
    ] * 3
    assert [layer.groups[1].visible for layer in layers] == [True] * 3 + [False] * 3


def test_without_its_group_a_layer_says_which_one_it_is() -> None:
    names = [one.name_alone for one in arranged(("background", "blended"), 1)]
    assert names == ["a boat, background (0)", "a boat, blended (0)"]


@UNTIMED
@given(st.sets(st.sampled_from(BOTTOM_UP), min_size=1), st.integers(1, 5))
def test_every_layer_of_a_job_has_an_order_of_its_own(makes: set[str], count: int) -> None:
    layers = arranged(tuple(makes), count)
    assert sorted(one.order for one in layers) == list(range(len(makes) * count))
    assert {one.order for one in layers if all(group.visible for group in one.groups) and one.visible} <= set(
        range(len(makes) * (count - 1), len(makes) * count)
    ), "only what belongs to the first candidate is shown"


def test_a_background_goes_below_its_foreground_and_all_else_above_what_it_was_made_for() -> None:
    assert goes_below("background", "foreground")
    assert not any(goes_below(made, given) for made, given in (("foreground", "background"), ("blended", "foreground")))
    assert not goes_below("foreground", "source")


def test_groups_of_the_same_name_stay_apart_and_those_of_one_id_are_one() -> None:
    rows = [("low", ("a",)), ("alone", ()), ("other", ("b",)), ("high", ("a", "inner"))]
    tree = nested(
        rows,
        lambda row: [Group(name, "G") for name in row[1]],
        lambda row: [row[0]],
        lambda group, children: [f"{group.id}/", *children],
    )
    assert tree == (["a/", ["low"], ["inner/", ["high"]]], ["alone"], ["b/", ["other"]])


def arranged(makes: tuple[str, ...], count: int) -> list[StackPosition]:
    """The layers in the order that an engine makes them in."""
    stacking = Stacking("scene", "a boat", makes, count, job="job")
    return [
        stacking.position(role, candidate, candidate, reference=role == "blended" and len(makes) > 1)
        for candidate in range(count)
        for role in makes
    ]
