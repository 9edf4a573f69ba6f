from __future__ import annotations

from types import SimpleNamespace

import pytest
from acetate.protocol.messages import Submit
from acetate.server.jobs import Job
from acetate.server.lane import seconds_left
from acetate.server.reports import Advanced


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Tells what the test sets."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("acetate.server.lane.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def job() -> Job:
    return Job("a-job-of-tests", "a-session", "engine", Submit("a-job-of-tests", "foreground"), None)


def step(stage: str, fraction: float) -> Advanced:
    return Advanced("a-job-of-tests", stage, 1, 1, fraction)


def test_the_time_left_goes_by_the_pace_since_the_model_was_loaded(clock: SimpleNamespace) -> None:
    """However long loading took: nothing after it is as slow."""
    running = job()
    told = []
    for seconds, stage, fraction in (
        (0, "load", 0),
        (90, "load", 0.1),
        (2, "denoise", 0.2),
        (2, "denoise", 0.3),
        (1, "decode", 1),
    ):
        clock.now += seconds
        told.append(seconds_left(running, step(stage, fraction)))

    assert told == [None, None, 16.0, 14.0, 0.0]


def test_without_a_pace_no_time_is_told(clock: SimpleNamespace) -> None:
    running = job()

    assert seconds_left(running, step("denoise", 0.5)) is None, "the first step that is heard of"
    clock.now += 5
    assert seconds_left(running, step("denoise", 0.5)) is None, "nothing has moved"


def test_a_job_that_loads_again_measures_its_pace_again(clock: SimpleNamespace) -> None:
    running = job()
    for seconds, stage, fraction in ((0, "denoise", 0), (50, "denoise", 0.1), (100, "load", 0.1)):
        clock.now += seconds
        seconds_left(running, step(stage, fraction))
    clock.now += 1

    assert seconds_left(running, step("denoise", 0.2)) == 8.0
