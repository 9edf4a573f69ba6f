"""The time left of jobs that load, draw and end, on a clock of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.protocol import Box, Parameters, Progress
from acetate.protocol.messages import Submit
from acetate.server.jobs.time_left import REMEMBERED, Course, Paces, work_of
from acetate.server.storage.store import Store


def told(course: Course, *steps: tuple[float, str, float]) -> list[float | None]:
    """What is told after each step, given as seconds since the one before, stage and share."""
    now, found = 0.0, []
    for seconds, stage, share in steps:
        now += seconds
        found.append(course.take(Progress("a-job-of-tests", stage, 1, 1, share), now))
    return found


def test_the_time_left_goes_by_the_pace_since_the_first_step_however_long_loading_and_that_step_took() -> None:
    steps = ((0, "load", 0), (90, "denoise", 0.1), (2, "denoise", 0.2), (2, "denoise", 0.3), (1, "decode", 1))

    assert told(Course(), *steps) == [None, None, 16.0, 14.0, 0.0]


def test_without_a_pace_no_time_is_told() -> None:
    assert told(Course(), (0, "denoise", 0.5), (5, "denoise", 0.5)) == [None, None], "nothing has moved"


def test_a_job_that_loads_again_measures_its_pace_again() -> None:
    steps = ((0, "denoise", 0), (50, "denoise", 0.1), (100, "load", 0.1), (300, "denoise", 0.2), (2, "denoise", 0.3))

    assert told(Course(), *steps)[2:] == [None, None, 14.0]


def test_what_the_same_work_took_before_counts_until_there_is_a_pace() -> None:
    """The first of ten steps took four seconds here; they took one each the last time."""
    steps = ((0, "load", 0), (30, "denoise", 0.1), (4, "denoise", 0.2), (1, "denoise", 0.3), (1, "denoise", 0.9))
    first, second, third, last = told(Course(10.0), *steps)[1:]

    assert first == 9.0
    assert second is not None and 8.0 < second < 12.0, "a slow step alone does not treble it"
    assert third is not None and third < second
    assert last == pytest.approx(0.8, abs=0.2)


def test_what_a_job_took_is_remembered_by_the_next_server(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    paces, course = Paces(store), Course()
    told(course, (0, "load", 0), (30, "denoise", 0.1), (1, "denoise", 0.2), (8, "decode", 1))
    paces.learn("work", course, 39.0)

    assert Paces(store).course("work") == Course(10.0)
    assert Paces(store).course("other work") == Course()
    store.close()


def test_a_job_whose_steps_nobody_heard_teaches_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    paces = Paces(store)
    paces.learn("work", Course(), 5.0)

    assert Paces(store).course("work") == Course()
    store.close()


def test_the_works_that_were_used_last_are_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    paces = Paces(store)
    for number in range(REMEMBERED + 1):
        course = Course()
        told(course, (0, "denoise", 0.5))
        paces.learn(str(number), course, 1.0)

    assert Paces(store).course("0") == Course() != Paces(store).course("1")
    store.close()


def test_words_and_seed_take_no_time_but_size_model_and_steps_do() -> None:
    def work(**changes: object) -> str:
        box = changes.pop("box", Box(0, 0, 512, 512))
        return work_of("cuda:0", Submit("a-job-of-tests", "foreground", Parameters(**changes), box=box))  # type: ignore[arg-type]

    assert work(prompt="a fox", seed=1) == work(prompt="a red fox", seed=2)
    assert len({work(), work(steps=4), work(model="sketchpad"), work(count=2), work(box=Box(0, 0, 512, 640))}) == 5
    assert work(box=Box(0, 0, 64, 64)) == work(box=Box(9, 9, 64, 64))
