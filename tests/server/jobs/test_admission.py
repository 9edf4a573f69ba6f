"""What is refused before it is a job, and the pages of what has been."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, ProtocolError
from acetate.protocol.messages import Conditions, Export, ListHistory, Placed, Submit
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.admission import MissingImagesError, check_order, tell_history
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import JobRow, Store, StoredBlob

JOB, NAME = "job-number-1", "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.sqlite")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def keep(store: Store, blobs: Blobs, format: str) -> None:
    """As an upload leaves it."""
    Path(blobs.incoming("one")).write_bytes(bytes(4))
    blobs.adopt("one", NAME)
    store.keep_upload(StoredBlob(NAME, 4, format, 1, 1))


def test_pictures_that_are_not_here_are_named(store: Store, blobs: Blobs) -> None:
    with pytest.raises(MissingImagesError) as missing:
        check_order(Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)

    assert missing.value.sha256 == (NAME,) and missing.value.failure.code == "unknown-image"
    keep(store, blobs, "rgba8")
    check_order(Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


def test_a_picture_whose_bytes_have_gone_is_missing(store: Store, blobs: Blobs) -> None:
    keep(store, blobs, "rgba8")
    blobs.remove(NAME)
    with pytest.raises(MissingImagesError):
        check_order(Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


def test_a_file_is_no_condition(store: Store, blobs: Blobs) -> None:
    keep(store, blobs, "file")
    with pytest.raises(ProtocolError, match="must be a picture"):
        check_order(Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (Submit(JOB, "paint"), "task is 'paint'"),
        (Submit(JOB, "foreground", box=Box(0, 0, 30000, 30000)), "submit.box is 30000 x 30000"),
        (Export(JOB, ("job-number-2",), "psd"), "job-number-2, which is not in the history"),
    ],
    ids=["task", "box", "export"],
)
def test_what_can_be_seen_to_be_wrong_is_refused_by_name(order: Any, named: str, store: Store, blobs: Blobs) -> None:
    with pytest.raises(ProtocolError, match=named):
        check_order(order, store, blobs)


def row(job: str, finished: float, prompt: str = "a kite") -> JobRow:
    message = {"type": "submit", "job": job, "parameters": {"prompt": prompt}}
    return JobRow(job, "a-session", "engine", "foreground", message, "waiting", False, 0, finished, None, 0, None, (), False)


def test_a_job_that_is_not_over_or_has_no_layers_is_not_exported(store: Store, blobs: Blobs) -> None:
    store.add(row(JOB, 1.0), [])
    with pytest.raises(ProtocolError, match="it must be over"):
        check_order(Export("job-number-2", (JOB,), "psd"), store, blobs)
    store.end(JOB, "finished")
    with pytest.raises(ProtocolError, match="no job that has layers"):
        check_order(Export("job-number-2", (JOB,), "psd"), store, blobs)


def test_a_history_without_layers_is_an_empty_page(store: Store, blobs: Blobs) -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        store.add(replace(row(JOB, 1.0)), [])
        await tell_history(Subscriber("a-session", "a test", ["raw"], outbox, blobs), store, ListHistory())

        page = json.loads(str(await outbox.take()))
        assert page["type"] == "history" and not page.get("entries") and not page.get("more")

    asyncio.run(scene())
