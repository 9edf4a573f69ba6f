"""What clients are told about the engine before, while and after it is there, on one device and on several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Failure
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.engine_state import EngineState
from acetate.server.people.tokens import LOCAL
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store
from acetate.server.worker.worker_messages import Ready, Waiting

DESCRIPTION = {"models": [{"name": "sketchpad"}], "tasks": {"foreground": {}}, "upscalers": ["4x"]}
GONE = Failure("engine-unavailable", "device 'cuda:7' is not available")


def watching(state: EngineState, folder: Path) -> Outbox:
    outbox = Outbox(100)
    state.watchers.add(Subscriber(LOCAL, "a-session", "a test", "raw", outbox, Blobs(folder / "blobs")))
    return outbox


def with_models(*names: str) -> Mapping[str, Any]:
    return {"models": [{"name": name} for name in names], "tasks": {}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.sqlite")


def test_the_next_start_knows_the_models_of_the_last(store: Store) -> None:
    first = EngineState(store)
    assert first.message.state == "starting" and first.message.models == ()
    first.heard(first.add("cuda:0"), Ready("cuda:0", DESCRIPTION))
    second = EngineState(store)

    assert second.message.state == "starting" and second.message.device == "", "the device may be another"
    assert [model["name"] for model in second.message.models] == ["sketchpad"]
    assert second.message.models == first.message.models and second.message.tasks == first.message.tasks
    assert second.message.details == {"upscalers": ["4x"]}


def test_changes_are_told_once(store: Store, tmp_path: Path) -> None:
    async def scene() -> None:
        state = EngineState(store)
        device = state.add("cpu")
        outbox = watching(state, tmp_path)
        state.heard(device, Ready("cpu", DESCRIPTION))
        state.heard(device, Ready("cpu", DESCRIPTION))
        state.failed(device, GONE)
        told = [json.loads(str(await outbox.take())) for _ in range(2)]

        assert [message["state"] for message in told] == ["ready", "failed"]
        assert told[1]["models"] == told[0]["models"], "they are there still, when the engine is"

    asyncio.run(scene())


def test_only_when_no_device_works_has_the_engine_failed(store: Store) -> None:
    state = EngineState(store)
    one, other = state.add("cpu"), state.add("cuda:7")
    assert state.message.state == "starting"
    state.failed(other, GONE)
    assert state.message.state == "starting", "the other one may come yet"
    state.heard(one, Ready("cpu", DESCRIPTION))
    assert (state.message.state, state.message.device, state.message.failure) == ("ready", "cpu", None)
    assert [(line.name, line.state, line.failure) for line in state.message.devices] == [
        ("cpu", "ready", None),
        ("cuda:7", "failed", GONE),
    ]
    state.failed(one, Failure("internal", "no engine today"))
    assert state.message.state == "failed" and state.message.failure == Failure("internal", "no engine today")


def test_a_failed_device_is_of_use_again_when_it_says_that_it_is_ready(store: Store) -> None:
    state = EngineState(store)
    device = state.add("cuda:0")
    state.failed(device, GONE)
    assert not device.works
    state.heard(device, Ready("cuda:0", DESCRIPTION))

    assert device.works and state.message.failure is None and state.message.state == "ready"


def test_a_failed_device_is_left_alone_for_longer_each_time_until_it_has_finished_a_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acetate.server.jobs.engine_state.time.monotonic", lambda: 1000.0)
    state = EngineState(store, settings=Settings(device_pause_seconds=(5, 60)))
    device = state.add("cuda:0")
    pauses = []
    for _ in range(3):
        state.failed(device, GONE)
        pauses.append(device.retry_at - 1000)
        state.heard(device, Ready("cuda:0", DESCRIPTION))
    state.finished(device)
    state.failed(device, GONE)

    assert pauses == [5, 60, 60] and device.retry_at - 1000 == 5


def test_a_device_that_loses_job_after_job_fails_as_long_as_another_one_works(store: Store) -> None:
    state = EngineState(store, settings=Settings(start_failures=3))
    bad, good = state.add("cuda:0"), state.add("cuda:1")
    for _ in range(2):
        state.lost(bad, GONE)
    assert bad.works, "any job may kill a worker"
    state.lost(bad, GONE)
    assert not bad.works
    for _ in range(5):
        state.lost(good, GONE)
    assert good.works, "there is no better one"


def test_a_device_that_waits_for_its_engine_says_so_and_takes_no_jobs(store: Store) -> None:
    state = EngineState(store)
    device = state.add("ray")
    state.heard(device, Waiting(Failure("engine-unavailable", "no GPU of the Ray cluster is free")))

    assert not device.works and state.message.devices[0].failure is not None


def test_the_models_of_all_devices_are_offered_and_those_that_lie_on_one_are_loaded(store: Store) -> None:
    state = EngineState(store)
    one, other = state.add("cuda:0"), state.add("cuda:1")
    state.heard(one, Ready("cuda:0", with_models("sketchpad", "painter")))
    state.heard(other, Ready("cuda:1", with_models("painter", "inker")))
    state.opened(other, ("painter", "inker"))

    assert {model["name"]: model["loaded"] for model in state.message.models} == {
        "sketchpad": False,
        "painter": True,
        "inker": True,
    }
    assert state.message.device == "cuda:0, cuda:1"
    assert [line.model for line in state.message.devices] == ["", "inker"], "the latest"


def test_every_change_of_a_device_wakes_the_lanes(store: Store) -> None:
    woken = []
    state = EngineState(store, wake=lambda: woken.append(1))
    device = state.add("cuda:0")
    state.failed(device, GONE)
    state.heard(device, Ready("cuda:0", DESCRIPTION))
    state.remove(device)

    assert len(woken) == 4


def test_models_are_loaded_beforehand_once(store: Store) -> None:
    state = EngineState(store, ("sketchpad",))

    assert [state.take_preloads(), state.take_preloads()] == [("sketchpad",), ()]
