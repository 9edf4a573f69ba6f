"""What one client is told, in which order and in which encoding: over a real outbox, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Cancelled, Failed, Failure, Finished, Layer, Progress, Queued, content_id
from acetate.protocol.frames import PreviewFrame, unpack
from acetate.protocol.messages import Encoding, File
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.people.tokens import LOCAL
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.rows import Thumbnail

JOB = "job-number-1"
PIXELS = bytes(range(16)) * 64
"""16 x 16."""
SHA256, FILE_SHA256 = content_id(PIXELS, "rgba8", 16, 16), content_id(PIXELS)


def layer(index: int = 0, *, empty: bool = False) -> Layer:
    side, size = (0, 0) if empty else (16, len(PIXELS))
    return Layer(JOB, index, "kite", "foreground", 0, 0, side, side, Box(0, 0, 16, 16), "rgba8", size, SHA256)


def told(act: Callable[[Subscriber], None], folder: Path, encoding: Encoding = "raw") -> list[Any]:
    """All that the client hears of it: messages as values, binary frames as header and payload."""

    async def heard() -> list[Any]:
        outbox, blobs = Outbox(100), Blobs(folder)
        for sha256 in (SHA256, FILE_SHA256):
            Path(blobs.incoming("made")).write_bytes(PIXELS)
            blobs.adopt("made", sha256)
        act(Subscriber(LOCAL, "a-session", "a test", [encoding], outbox, blobs))
        outbox.ordered("the end")
        frames: list[Any] = []
        while (frame := await outbox.take()) != "the end":
            assert frame is not None
            frames.append(json.loads(frame) if isinstance(frame, str) else (*(unpack(bytes(frame)) or ()), len(frame)))
        return frames

    return asyncio.run(heard())


def kinds(frames: list[Any]) -> list[str]:
    return [frame["type"] if isinstance(frame, dict) else frame[0].TYPE for frame in frames]


def test_the_end_comes_after_the_layers_and_progress_is_not_told_any_more(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        client.give_layer(layer(), "rgba8")
        client.tell_progress(Progress(JOB, "decode", 1, 1, 1.0))
        client.show_preview(PreviewFrame(JOB, 16, 16, len(PIXELS)), PIXELS)
        client.tell_end(Finished(JOB, 1, 0.5))

    assert kinds(told(act, tmp_path)) == ["layer", "pixels", "finished"]


def test_the_end_of_one_job_leaves_the_progress_of_another(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        client.tell_progress(Progress("job-number-2", "denoise", 1, 4, 0.25))
        client.tell_end(Failed(JOB, Failure("out-of-memory", "8 GB are needed")))

    assert kinds(told(act, tmp_path)) == ["progress", "failed"]


def test_answers_and_the_newest_progress_and_preview_do_not_wait_for_pixels(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        client.give_layer(layer(), "rgba8")
        client.give_file(File(JOB, "kite.psd", len(PIXELS), FILE_SHA256))
        for step in range(4):
            client.tell_progress(Progress(JOB, "denoise", step, 4, step / 4))
            client.show_preview(PreviewFrame(JOB, 16, 16, len(PIXELS)), bytes([step]) * len(PIXELS))
        client.tell(Queued("job-number-2", 0))

    frames = told(act, tmp_path)
    assert kinds(frames) == ["queued", "progress", "preview", "layer", "pixels", "file", "file"]
    assert frames[1]["step"] == 3 and set(frames[2][1]) == {3}


def test_an_empty_layer_needs_no_content_on_the_disk(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        Path(client._blobs.path(SHA256)).unlink()
        client.give_layer(layer(empty=True), "rgba8")

    assert kinds(told(act, tmp_path)) == ["layer"]


@pytest.mark.parametrize("encoding", ["raw", "zlib"])
def test_everything_with_pixels_comes_in_the_clients_encoding(tmp_path: Path, encoding: Encoding) -> None:
    def act(client: Subscriber) -> None:
        client.show_thumbnail(JOB, 0, Thumbnail(16, 16, PIXELS))
        client.show_preview(PreviewFrame(JOB, 16, 16, len(PIXELS)), PIXELS)
        client.give_layer(layer(), "rgba8")
        client.give_file(File(JOB, "kite.psd", len(PIXELS), FILE_SHA256))

    frames = told(act, tmp_path, encoding)
    binary = [frame for frame in frames if isinstance(frame, tuple)]
    assert kinds(frames) == ["thumbnail", "preview", "layer", "pixels", "file", "file"]
    assert [(header.encoding, payload) for header, payload, _ in binary] == [(encoding, PIXELS)] * 4
    assert all((size < len(PIXELS)) == (encoding == "zlib") for *_, size in binary)


def test_a_layer_comes_in_the_format_that_is_asked_for_at_that_moment(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        client.give_layer(layer(0), "rgba8")
        client.give_layer(layer(1), "bgra8")

    announced = [frame for frame in told(act, tmp_path) if isinstance(frame, dict)]
    assert [(said["index"], said.get("format", "rgba8")) for said in announced] == [(0, "rgba8"), (1, "bgra8")]


# --- what cannot be delivered ----------------------------------------------------------------------------------------


def test_a_damaged_blob_fails_that_layer_and_no_other_and_the_job_ends_as_failed(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        client.give_layer(layer(0), "rgba8")
        Path(client._blobs.path(FILE_SHA256)).write_bytes(PIXELS[:-1])
        client.give_file(File(JOB, "kite.psd", len(PIXELS), FILE_SHA256))
        client.give_layer(layer(1), "bgra8")
        client.tell_end(Finished(JOB, 2, 0.5))

    *frames, end = told(act, tmp_path)
    assert kinds(frames) == ["layer", "pixels", "error", "layer", "pixels"]
    error = frames[2]
    assert (error["about"], error["job"], error["failure"]["code"]) == ("file", JOB, "content-broken")
    assert end == {"type": "failed", "job": JOB, "failure": error["failure"]}


def test_the_error_of_a_layer_names_it_and_the_next_story_of_its_job_is_told_anew(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        whole = Path(client._blobs.path(SHA256))
        whole.unlink()
        client.give_layer(replace(layer(3), name="a kite"), "rgba8")
        client.tell_end(Finished(JOB, 4, 0.5))
        client.tell_end(Finished("job-number-2", 0, 0.5))
        client.tell_end(Finished(JOB, 4, 0.5))

    error, *ends = told(act, tmp_path)
    assert (error["about"], error["index"]) == ("layer", 3)
    assert error["failure"]["message"] == f'layer 3 ("a kite") of job {JOB} is missing from the server\'s disk'
    assert error["failure"]["hint"] and str(tmp_path) not in str(error)
    assert kinds(ends) == ["failed", "finished", "finished"]


def test_a_job_that_has_not_finished_keeps_its_own_end(tmp_path: Path) -> None:
    def act(client: Subscriber) -> None:
        Path(client._blobs.path(SHA256)).write_bytes(b"")
        client.give_layer(layer(), "rgba8")
        client.tell_end(Cancelled(JOB))

    assert kinds(told(act, tmp_path)) == ["error", "cancelled"]
