"""Jobs over a real store in a folder of their own, and clients that keep what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Layer
from acetate.protocol import messages as wire
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store


class Listener:
    """Stands in for a `Subscriber`, of somebody who sees all jobs unless a person is named."""

    def __init__(self, session: str = "a-session", person: str | None = None) -> None:
        self.session, self.name, self.person = session, "a test", person or "local"
        self.sees_only = person
        self.told: list[Any] = []
        """Messages; layers as their index and format, and the offset if there is one, previews as their pixels."""

    def tell(self, message: wire.ServerMessage) -> None:
        self.told.append(message)

    tell_progress = tell_end = tell

    def give_file(self, file: wire.File, offset: int = 0) -> None:
        self.told.append((file, offset) if offset else file)

    def show_preview(self, preview: object, rgba: bytes) -> None:
        self.told.append(rgba)

    def give_layer(self, layer: Layer, format: str, offset: int = 0) -> None:
        self.told.append((layer.index, format, offset) if offset else (layer.index, format))

    def sees(self, person: str) -> bool:
        return self.sees_only in (None, person)

    def heard(self) -> list[Any]:
        """What was told since the last call."""
        told, self.told = self.told, []
        return told


@pytest.fixture
def listener() -> Callable[..., Any]:
    return Listener


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., JobRegistry]]:
    """Jobs as a server has them after a start, with these settings; again over the same folder when called again."""
    stores: list[Store] = []

    def started(**settings: Any) -> JobRegistry:
        store = Store(tmp_path / "jobs.sqlite")
        stores.append(store)
        return JobRegistry(Settings(folder=tmp_path, **settings), store, Blobs(tmp_path / "blobs"))

    yield started
    for store in stores:
        store.close()


@pytest.fixture
def jobs(start: Callable[..., JobRegistry]) -> JobRegistry:
    return start()


@pytest.fixture
def finish() -> Callable[..., None]:
    """Run the next job of the engine's lane to its end, with so many layers of one pixel."""

    def run(jobs: JobRegistry, layers: int = 1) -> None:
        job = jobs.take("engine")
        assert job is not None
        for index in range(layers):
            layer = Layer(job.id, index, "kite", "foreground", 0, 0, 0, 0, wire.Box(0, 0, 1, 1), "rgba8", 0, "0" * 64)
            jobs.store.add_layer(layer, None, None)
            job.made.add(index)
            jobs.give_layer(job, layer)
        jobs.end(job, "finished", notes=("done",))

    return run
