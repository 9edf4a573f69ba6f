"""Rectangles as sets of pixels."""

from __future__ import annotations

from acetate.vocabulary.box import Box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are small, and a busy machine may take its time over them."""

numbers = st.integers(-20, 20)
boxes = st.builds(Box, numbers, numbers, st.integers(0, 20), st.integers(0, 20))
filled = st.builds(Box, numbers, numbers, st.integers(1, 20), st.integers(1, 20))


def pixels(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box.x, box.right) for y in range(box.y, box.bottom)}


@UNTIMED
@given(boxes, boxes)
def test_an_intersection_has_the_pixels_of_both(one: Box, other: Box) -> None:
    assert pixels(one.intersection(other)) == pixels(one) & pixels(other)
    assert one.intersection(other).empty == (not pixels(one) & pixels(other))


@UNTIMED
@given(boxes, boxes)
def test_a_union_is_the_smallest_box_around_both(one: Box, other: Box) -> None:
    union, both = one.union(other), pixels(one) | pixels(other)
    assert both <= pixels(union)
    assert pixels(union) == pixels(other.union(one))
    if both:
        assert union.x == min(x for x, _ in both) and union.right == max(x for x, _ in both) + 1
        assert union.y == min(y for _, y in both) and union.bottom == max(y for _, y in both) + 1


@UNTIMED
@given(boxes, boxes, boxes)
def test_intersections_and_unions_can_be_taken_in_any_order(one: Box, two: Box, three: Box) -> None:
    assert pixels(one.intersection(two).intersection(three)) == pixels(one.intersection(two.intersection(three)))
    assert pixels(one.union(two).union(three)) == pixels(one.union(two.union(three)))


@UNTIMED
@given(boxes, numbers, numbers)
def test_moving_there_and_back_changes_nothing(box: Box, x: int, y: int) -> None:
    assert pixels(box.translated(x, y)) == {(left + x, top + y) for left, top in pixels(box)}
    assert box.translated(x, y).relative_to(Box(x, y, 0, 0)) == box


@UNTIMED
@given(filled, st.integers(0, 9))
def test_growing_goes_to_all_sides_and_is_taken_back_by_shrinking(box: Box, by: int) -> None:
    assert box.grown(by) == Box.between(box.x - by, box.y - by, box.right + by, box.bottom + by)
    assert box.grown(by).grown(-by) == box


@UNTIMED
@given(boxes)
def test_edges_and_size_say_the_same(box: Box) -> None:
    assert Box.between(box.x, box.y, box.right, box.bottom) == box
    assert box.empty == (not pixels(box))


@UNTIMED
@given(filled, filled)
def test_the_index_of_a_part_has_its_size(box: Box, origin: Box) -> None:
    rows, columns = box.intersection(origin).relative_to(origin).slices
    assert len(range(origin.height)[rows]) == box.intersection(origin).height
    assert len(range(origin.width)[columns]) == box.intersection(origin).width


@UNTIMED
@given(boxes, st.integers(0, 40), st.integers(0, 40))
def test_a_centred_box_has_its_size_and_the_same_margin_on_both_sides_to_the_pixel(box: Box, width: int, height: int) -> None:
    inner = box.centred(width, height)
    assert (inner.width, inner.height) == (width, height)
    assert (box.right - inner.right) - (inner.x - box.x) in (0, 1)
    assert (box.bottom - inner.bottom) - (inner.y - box.y) in (0, 1)


def test_edges_in_the_wrong_order_are_an_empty_box() -> None:
    assert Box.between(5, 0, 3, 4) == Box(5, 0, 0, 4)
    assert Box.between(5, 0, 3, 4).empty


def test_boxes_that_only_touch_have_nothing_in_common() -> None:
    assert Box(0, 0, 10, 10).intersection(Box(10, 0, 10, 10)).empty
    assert Box(0, 0, 10, 10).intersection(Box(5, -5, 10, 10)) == Box(5, 0, 5, 5)


def test_scaling_keeps_the_top_left_corner_and_at_least_a_pixel() -> None:
    assert Box(7, -3, 10, 5).scaled(1.5) == Box(7, -3, 15, 8)
    assert Box(7, -3, 1, 1).scaled(0.1) == Box(7, -3, 1, 1)


def test_equal_boxes_are_one_key() -> None:
    assert len({Box(1, 2, 3, 4), Box(1, 2, 3, 4)}) == 1
