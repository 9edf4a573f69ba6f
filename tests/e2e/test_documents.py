"""Layered files through the server: layers out of them, and finished jobs into them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.protocol import Client, Discarded, Failed, FileReady, Finished, HistoryPage, Parameters
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Tag


@pytest.fixture
def server(shared_server: Any) -> Any:
    return shared_server


def picture(side: int, value: int) -> np.ndarray:
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[2:, 3:] = (value, 255 - value, 7, 255)
    return rgba


LAYERS = document.Document(
    60,
    40,
    [
        document.Layer(picture(10, 1), x=-4, y=5, name="Below", opacity=0.5),
        document.Group(
            "Scene",
            [
                document.Layer(picture(8, 2), x=20, y=20, name="Kite", blend_mode="multiply"),
                document.Group("Inner", [document.Layer(picture(6, 3), name="Hidden", visible=False)], opacity=0.25),
            ],
        ),
        document.Group("Scene", [document.Layer(np.zeros((5, 5, 4), np.uint8), name="Empty")], visible=False),
    ],
)


def ended(client: Client, until: Any, job: str) -> list[Any]:
    return list(until(client, lambda event: isinstance(event, (Finished, Failed)) and event.job == job))


@pytest.mark.parametrize("kind", ["psd", "ora"])
def test_a_files_layers_come_with_their_places_and_groups(client: Client, until: Any, layers_of: Any, kind: str) -> None:
    job = client.insert_file(document.write_bytes(LAYERS, kind), kind, x=100, y=200)  # type: ignore[arg-type]
    events = ended(client, until, job)
    layers = {event.layer.name: event for event in layers_of(events)}
    order = [event.layer.name for event in sorted(layers.values(), key=lambda event: event.layer.order)]

    assert isinstance(events[-1], Finished)
    assert order == ["Below", "Kite", "Hidden", "Empty"]
    below, kite, hidden, empty = (layers[name].layer for name in order)
    assert (below.x, below.y, below.width, below.height) == (100 - 4 + 3, 200 + 5 + 2, 7, 8)
    assert below.opacity == pytest.approx(0.5, abs=1 / 255)
    assert kite.blend_mode == "multiply"
    assert not hidden.visible
    assert [group.name for group in hidden.group] == ["Scene", "Inner"]
    assert hidden.group[1].opacity == pytest.approx(0.25, abs=1 / 255)
    assert kite.group[0].id == hidden.group[0].id != empty.group[0].id, "two groups of one name stay two"
    assert (empty.width, empty.height) == (0, 0) and not empty.group[0].visible
    assert layers["Kite"].data == np.ascontiguousarray(picture(8, 2)[2:, 3:]).tobytes()


def test_what_a_file_could_not_keep_reaches_who_inserts_it(client: Client, until: Any) -> None:
    psd, file = PSDImage.new("RGB", (16, 12)), io.BytesIO()
    psd.create_pixel_layer(Image.new("RGB", (16, 12)), "Paper")
    psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Negative").tagged_blocks.set_data(Tag.INVERT)
    psd.save(file)
    done = ended(client, until, client.insert_file(file.getvalue(), "psd"))[-1]

    assert isinstance(done, Finished)
    assert done.notes[-1] == "'Negative' (invert) changes what lies below it, and was left out"


@pytest.mark.parametrize("kind", ["psd", "ora", "png"])
def test_finished_jobs_become_a_file(client: Client, until: Any, layers_of: Any, kind: str) -> None:
    scene = list(client.run("scene", Parameters(prompt="a boat", seed=2, count=2), keep=True, timeout=120))
    kite = list(client.run("foreground", Parameters(prompt="a kite"), keep=True, timeout=120))
    job = client.export([scene[-1].job, kite[-1].job], kind)  # type: ignore[union-attr, arg-type]
    events = ended(client, until, job)
    (made,) = [event for event in events if isinstance(event, FileReady)]
    found = document.read_bytes(made.data, name_or_format=made.file.name)

    assert made.file.name.endswith(f".{kind}")
    assert (found.width, found.height) == (64, 64)
    if kind == "png":
        assert made.file.notes and "merged" in made.file.notes[0]
        return
    candidates, top = found.layers
    assert isinstance(candidates, document.Group) and candidates.name == "a boat"
    assert [group.name for group in candidates.children] == ["a boat (3)", "a boat (2)"], "the first candidate on top"
    assert [group.visible for group in candidates.children] == [False, True]
    assert [layer.name for layer in candidates.children[0].children] == ["Background", "Foreground", "Blended"]  # type: ignore[union-attr]
    (sent,) = layers_of(kite)
    assert isinstance(top, document.Layer)
    trimmed = document.trim(top)
    assert (trimmed.x, trimmed.y) == (sent.layer.x, sent.layer.y)
    assert trimmed.rgba.tobytes() == sent.data
    assert top.parameters["prompt"] == "a kite"


def test_a_file_in_another_pixel_format(server: Any, until: Any, layers_of: Any) -> None:
    with Client("krita", address=server.address, formats=["bgra8"]) as client:
        job = client.insert_file(document.write_bytes(LAYERS, "ora"), "ora")
        layers = {event.layer.name: event for event in layers_of(ended(client, until, job))}

    assert layers["Kite"].data == np.ascontiguousarray(picture(8, 2)[2:, 3:][..., [2, 1, 0, 3]]).tobytes()


def test_only_what_is_over_can_be_exported(client: Client, until: Any) -> None:
    job = client.export(["no-such-job"], "psd")
    failed = ended(client, until, job)[-1]

    assert isinstance(failed, Failed) and failed.failure.code == "unknown-job"


def test_a_file_without_layers_is_not_made(client: Client, until: Any) -> None:
    empty = list(client.run("foreground", Parameters(prompt="@bad:load"), timeout=120))[-1].job  # type: ignore[union-attr]
    for jobs in ([empty], []):
        failed = ended(client, until, client.export(jobs, "psd"))[-1]
        assert isinstance(failed, Failed) and failed.failure.code == "bad-request"


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_history_shows_what_was_made_and_brings_it_back(client: Client, until: Any, layers_of: Any, drawn: Any) -> None:
    jobs = [
        list(client.run("foreground", Parameters(prompt=f"thing {seed}", seed=seed), keep=True, timeout=120))[-1].job  # type: ignore[union-attr]
        for seed in range(5)
    ]
    client.history(limit=3)
    page = until(client, lambda event: isinstance(event, HistoryPage))[-1]

    assert [entry.job for entry in page.entries] == jobs[:1:-1] and page.more
    assert page.entries[0].parameters == {"prompt": "thing 4", "seed": 4}
    assert page.entries[0].layers[0].name == "thing 4 (4)"
    small = page.thumbnails[jobs[4], 0]
    assert max(small.width, small.height) <= 128 and len(small.data) == small.width * small.height * 4
    client.history(before=jobs[2], limit=1, thumbnails=False)
    older = until(client, lambda event: isinstance(event, HistoryPage))[-1]
    assert older.entries[0].job == jobs[1] and older.thumbnails == {}
    (layer,) = layers_of(list(client.follow(jobs[0], timeout=120)))
    (expected,) = drawn(prompt="thing 0", seed=0)
    x, y = layer.layer.x, layer.layer.y
    assert layer.data == expected.rgba[y : y + layer.layer.height, x : x + layer.layer.width].tobytes()


def test_a_discarded_job_is_gone_with_its_pixels(client: Client, server: Any, until: Any, layers_of: Any) -> None:
    events = list(client.run("foreground", Parameters(prompt="never wanted", seed=77), keep=True, timeout=120))
    (layer,) = layers_of(events)
    blob = server.folder / "blobs" / layer.layer.sha256[:2] / layer.layer.sha256
    assert blob.exists()
    client.discard(layer.job)
    until(client, lambda event: isinstance(event, Discarded))

    assert not blob.exists()
    assert isinstance(list(client.follow(layer.job, timeout=120))[-1], Failed)


def test_the_history_keeps_to_its_size(start_server: Any, until: Any) -> None:
    server = start_server(history_bytes=200_000, unacknowledged_seconds=0)
    with Client("test", address=server.address) as client:
        for seed in range(30):  # of 16 KiB each
            list(client.run("scene", Parameters(prompt="a boat", seed=seed), keep=True, timeout=120))
        client.history(limit=100, thumbnails=False)
        page = until(client, lambda event: isinstance(event, HistoryPage))[-1]
    kept = sum(path.stat().st_size for path in (server.folder / "blobs").glob("??/*"))

    assert 0 < len(page.entries) < 8
    assert kept <= 200_000


def test_what_nobody_has_acknowledged_outlives_the_limit(start_server: Any, until: Any) -> None:
    server = start_server(history_bytes=0)
    with Client("test", address=server.address) as client:
        first = client.submit("foreground", Parameters(prompt="kept"))
        list(client.follow(first, timeout=120))
        second = list(client.run("foreground", Parameters(prompt="taken"), keep=True, timeout=120))[-1].job  # type: ignore[union-attr]
        list(client.run("foreground", Parameters(prompt="next"), keep=True, timeout=120))
        client.history()
        page = until(client, lambda event: isinstance(event, HistoryPage))[-1]

    jobs = [entry.job for entry in page.entries]
    assert first in jobs and second not in jobs
