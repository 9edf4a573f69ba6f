"""Which device takes which job, with devices that are only described."""

from __future__ import annotations

import math

import pytest
from acetate.server.jobs.devices import Device, Placement, candidates, wait_of


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still until a test changes it."""
    now = [1000.0]
    monkeypatch.setattr("acetate.server.jobs.devices.time.monotonic", lambda: now[0])
    return now


def device(*opened: str, state: str = "ready", offers: tuple[str, ...] = ("painter", "inker"), busy: float = 0) -> Device:
    description = {"models": [{"name": name} for name in offers]}
    return Device("a device", state, None, description, opened, free_at=1000 + busy if busy else 0)  # type: ignore[arg-type]


def seconds(one: Device, *others: Device, tried: set[Device] | None = None, model: str = "painter") -> float:
    return wait_of(one, [one, *others], Placement(tried or set()), model, patience=1)


def test_a_device_takes_a_job_whose_model_lies_on_it_or_on_none() -> None:
    assert seconds(device("painter"), device("inker")) == 0
    assert seconds(device(), device("inker")) == 0


def test_a_device_leaves_a_job_to_a_free_one_on_which_its_model_lies() -> None:
    assert seconds(device("inker"), device("inker", "painter")) == 1


def test_a_job_waits_for_a_busy_device_only_if_that_is_nearly_done() -> None:
    assert seconds(device(), device("painter", busy=math.inf)) == 0
    assert seconds(device(), device("painter", busy=30)) == 0
    assert seconds(device(), device("painter", busy=0.5)) == 1


def test_a_job_is_left_to_another_device_for_a_moment_and_no_longer(clock: list[float]) -> None:
    free, holding, job = device(), device("painter"), Placement()
    waits = []
    for now in (1000.0, 1000.75, 1001.0, 1002.0):
        clock[0] = now
        waits.append(wait_of(free, [free, holding], job, "painter", patience=1))

    assert waits == [1, 0.25, 0, 0]


def test_a_failed_device_leaves_its_jobs_to_a_working_one_whatever_lies_where() -> None:
    failed, working = device("painter", state="failed"), device()

    assert seconds(failed, working) == math.inf
    assert seconds(working, failed) == 0


def test_a_device_without_the_model_leaves_the_job_to_one_that_has_it_however_long_that_takes() -> None:
    """On two machines, the folders of models may differ."""
    poor, rich = device(offers=("inker",)), device(busy=math.inf)

    assert seconds(poor, rich) == math.inf
    assert seconds(poor) == 0, "someone has to say that the model is missing"


def test_a_job_that_was_lost_does_not_go_where_its_model_is_missing() -> None:
    lost_it, poor = device(), device(offers=("inker",))

    assert seconds(poor, lost_it, tried={lost_it}) == math.inf
    assert seconds(lost_it, poor, tried={lost_it}) == 0


def test_a_job_that_was_lost_on_a_device_goes_to_another_one_first() -> None:
    bad, good, failed = device(), device(), device(state="failed")

    assert candidates([bad, good, failed], set()) == [bad, good]
    assert candidates([bad, good, failed], {bad}) == [good]
    assert candidates([bad, good, failed], {bad, good}) == [bad, good], "a second try, as with a single device"


def test_without_a_working_device_a_job_tries_each_that_might_be_back_once() -> None:
    one, other = device(state="failed"), device(state="failed")

    assert candidates([one, other], set()) == [one, other]
    assert candidates([one, other], {one}) == [other]
    assert candidates([one, other], {one, other}) == []
    assert wait_of(one, [one, other], Placement({one}), "painter", 1) == math.inf
    assert wait_of(other, [one, other], Placement({one}), "painter", 1) == 0
