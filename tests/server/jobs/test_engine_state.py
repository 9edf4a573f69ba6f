"""What clients are told about the engine before, while and after it is there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from acetate.protocol import Failure
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.engine_state import EngineState
from acetate.server.people.tokens import LOCAL
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store

DESCRIPTION = {"models": [{"name": "sketchpad"}], "tasks": {"foreground": {}}, "upscalers": ["4x"]}


def watching(state: EngineState, folder: Path) -> Outbox:
    outbox = Outbox(100)
    state.watchers.add(Subscriber(LOCAL, "a-session", "a test", "raw", outbox, Blobs(folder / "blobs")))
    return outbox


def test_the_next_start_knows_the_models_of_the_last(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    first = EngineState(store)
    assert first.message.state == "starting" and first.message.models == ()
    first.ready("cuda:0", DESCRIPTION)
    second = EngineState(store)

    assert second.message.state == "starting" and second.message.device == "", "the device may be another"
    assert second.message.models == first.message.models and second.message.tasks == first.message.tasks
    assert second.message.details == {"upscalers": ["4x"]}


def test_changes_are_told_once(tmp_path: Path) -> None:
    async def scene() -> None:
        state = EngineState(Store(tmp_path / "jobs.sqlite"))
        outbox = watching(state, tmp_path)
        state.ready("cpu", DESCRIPTION)
        state.ready("cpu", DESCRIPTION)
        state.failed(Failure("internal", "no engine today"))
        told = [json.loads(str(await outbox.take())) for _ in range(2)]

        assert [message["state"] for message in told] == ["ready", "failed"]
        assert told[1]["models"] == told[0]["models"], "they are there still, when the engine is"

    asyncio.run(scene())


def test_a_failed_engine_is_of_use_again_when_it_says_that_it_is_ready(tmp_path: Path) -> None:
    state = EngineState(Store(tmp_path / "jobs.sqlite"))
    state.failed(Failure("internal", "no engine today"))
    assert not state.usable
    state.ready("cpu", DESCRIPTION)

    assert state.usable and state.message.failure is None


def test_models_are_loaded_beforehand_once(tmp_path: Path) -> None:
    state = EngineState(Store(tmp_path / "jobs.sqlite"), ("sketchpad",))

    assert [state.take_preloads(), state.take_preloads()] == [("sketchpad",), ()]
