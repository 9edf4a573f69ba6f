"""What an editor sends around a selection holds what the engine looks at."""

from __future__ import annotations

from acetate.engine.families import FAMILIES
from acetate.vocabulary.box import Box
from acetate.vocabulary.surroundings import LARGEST_NATIVE, surrounded
from hypothesis import given
from hypothesis import strategies as st

sides = st.integers(1, 4000)


@given(sides, sides, st.integers(64, LARGEST_NATIVE), st.data())
def test_the_engine_finds_the_same_box_in_what_an_editor_sends(width: int, height: int, native: int, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    selected = Box(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    whole = Box(0, 0, width, height)
    sent = surrounded(selected, whole, LARGEST_NATIVE)
    assert surrounded(selected, sent, native) == surrounded(selected, whole, native)
    assert sent.union(selected) == sent and whole.union(sent) == whole


def test_no_family_looks_at_more_than_that() -> None:
    assert max(family.native for family in FAMILIES.values()) <= LARGEST_NATIVE


def test_a_small_selection_in_a_large_layer_is_a_small_box() -> None:
    assert surrounded(Box(5000, 4000, 900, 900), Box(0, 0, 10000, 8000), LARGEST_NATIVE) == Box(4550, 3550, 1800, 1800)
    assert surrounded(Box(-30, 0, 10, 10), Box(-40, -5, 100, 90), 64) == Box(-40, -5, 64, 64)
