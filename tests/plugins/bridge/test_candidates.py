from dataclasses import replace

import pytest
from acetate.plugins.bridge.candidates import CandidateStrip, candidates_of, size_words, without
from acetate.plugins.bridge.stack import moved_to, picked
from acetate.protocol import Discarded, Drawn, HistoryEntry, LayerReady, LayerSummary, Starred

from .fakes import arrived

JOB = "job-0001"


def scene(number, first, seed):
    """The three layers of one candidate of a scene, in the order that they come in."""
    roles = ("foreground", "background", "blended")
    return tuple(
        LayerSummary(first + at, role.capitalize(), role, 0, 0, 9, 9, seed=seed, picture=number, reference=role == "blended")
        for at, role in enumerate(roles)
    )


@pytest.fixture
def strip():
    made = CandidateStrip()
    made.begin(JOB, "foreground", "a fig")
    for number in range(3):
        assert made.take(arrived(JOB, index=number, picture=number))
    return made


def test_the_layers_of_a_scene_are_one_picture_for_which_the_whole_stands():
    entry = HistoryEntry(JOB, "scene", 1.0, {"prompt": "a (fig:1.2)"}, layers=(*scene(0, 0, 7), *scene(1, 3, 8)))
    first, second = candidates_of(entry)
    assert (first.shown.role, first.thumbnail, first.seed, second.seed) == ("blended", (JOB, 2), 7, 8)
    assert second.indices == (3, 4, 5) and second.title == "a fig"


def test_an_empty_layer_stands_for_no_picture_that_has_another():
    foreground, background, blended = scene(0, 0, 7)
    entry = HistoryEntry(JOB, "scene", 1.0, layers=(foreground, background, replace(blended, width=0, height=0)))
    assert candidates_of(entry)[0].shown.role == "foreground"


def test_a_picture_without_a_prompt_is_called_after_its_task():
    entry = HistoryEntry(JOB, "upscale", 1.0, layers=(scene(0, 0, 7)[0],))
    assert candidates_of(entry)[0].title == "Upscale"


def test_only_the_layers_of_the_wanted_pictures_are_asked_for():
    entry = HistoryEntry(JOB, "scene", 1.0, layers=(*scene(0, 0, 7), *scene(1, 3, 8)))
    assert without(entry.layers, candidates_of(entry)[1:]) == (0, 1, 2)
    assert without(entry.layers, candidates_of(entry)) == ()


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (Drawn(1024, 1024), "1024 × 1024"),
        (Drawn(1024, 768, 1.01), "1024 × 768"),
        (Drawn(1024, 1024, 4.0), "1024 × 1024, enlarged 4 ×"),
        (Drawn(128, 128, 15.625), "128 × 128, enlarged 16 ×"),
        (Drawn(725, 725, 0.353), "725 × 725, reduced to 35 %"),
    ],
)
def test_the_size_that_a_picture_was_drawn_at_is_said_with_what_became_of_it(drawn, words):
    assert size_words(drawn) == words


def test_pictures_come_into_the_strip_as_they_arrive_and_the_first_is_chosen(strip):
    assert [one.number for one in strip.candidates] == [0, 1, 2]
    assert strip.chosen == 0 and strip.candidate.key == (JOB, 0)


def test_a_layer_that_is_sent_again_to_be_inserted_changes_nothing(strip):
    assert not strip.take(arrived(JOB, index=1, picture=1))
    assert len(strip.candidates) == 3


def test_other_jobs_do_not_come_into_the_strip(strip):
    assert not strip.take(arrived("job-0002")) and not strip.take(Discarded("job-0002")) and not strip.take(object())


def test_next_and_previous_go_round(strip):
    assert [strip.step(1).number for _ in range(3)] == [1, 2, 0]
    assert strip.step(-1).number == 2
    empty = CandidateStrip()
    assert empty.step(1) is None and empty.candidate is None


def test_only_what_is_there_can_be_chosen(strip):
    strip.choose(2)
    strip.choose(9)
    assert strip.chosen == 2


def test_a_discarded_picture_leaves_the_strip_and_its_neighbour_is_chosen(strip):
    strip.choose(1)
    assert strip.take(Discarded(JOB, (1,)))
    assert [one.number for one in strip.candidates] == [0, 2] and strip.chosen == 2
    assert strip.take(Discarded(JOB, (2,)))
    assert strip.chosen == 0
    assert strip.take(Discarded(JOB))
    assert strip.candidates == () and strip.chosen is None


def test_a_star_is_seen_in_the_strip(strip):
    assert strip.take(Starred(JOB, 1, True))
    assert [one.starred for one in strip.candidates] == [False, True, False]


def in_group(number, *, visible):
    ready = arrived(JOB, index=number, picture=number, group=(f"{JOB}-candidates",))
    return LayerReady(replace(ready.layer, visible=visible), ready.data)


def test_one_picked_candidate_is_shown_and_needs_no_group():
    (third,) = picked([in_group(number, visible=number == 0) for number in range(3)], (2,))
    assert (third.layer.picture, third.layer.visible, third.layer.group) == (2, True, ())


def test_of_several_picked_candidates_the_first_is_shown_in_their_group():
    kept = picked([in_group(number, visible=number == 0) for number in range(3)], (1, 2))
    assert [one.layer.visible for one in kept] == [True, False]
    assert all(len(one.layer.group) == 1 for one in kept)


def test_a_picked_scene_keeps_its_own_group_which_is_shown_and_its_reference_stays_hidden():
    def layer(number, index, reference):
        ready = arrived(JOB, index=index, picture=number, group=(f"{JOB}-candidates", f"{JOB}-{number}"))
        groups = tuple(replace(one, visible="candidates" in one.id or number == 0) for one in ready.layer.group)
        return LayerReady(replace(ready.layer, group=groups, reference=reference, visible=not reference), ready.data)

    kept = picked([layer(number, 2 * number + half, bool(half)) for number in (0, 1) for half in (0, 1)], (1,))
    assert [[(one.id, one.visible) for one in ready.layer.group] for ready in kept] == [[(f"{JOB}-1", True)]] * 2
    assert [ready.layer.visible for ready in kept] == [True, False]


def test_candidates_that_join_one_in_the_document_are_not_seen_at_once():
    kept = picked([in_group(number, visible=number == 0) for number in range(3)], (1, 2), seen=False)
    assert [one.layer.visible for one in kept] == [False, False]


def test_layers_that_are_dropped_somewhere_have_their_middle_there():
    one, other = arrived(JOB), arrived(JOB, index=1)
    other = LayerReady(replace(other.layer, x=8, y=4), other.data)
    first, second = moved_to([one, other], 105, 203)
    assert (first.layer.x, first.layer.y, second.layer.x, second.layer.y) == (100, 200, 108, 204)
    assert (first.layer.box.x, first.layer.box.y) == (100, 200)
