"""A server's jobs, engine and pages over a folder of their own, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from acetate.protocol.messages import Submit
from acetate.server.http.lifetime import Lifetime
from acetate.server.http.metrics import Metrics
from acetate.server.http.pages import Pages, devices
from acetate.server.jobs.engine_state import EngineState
from acetate.server.jobs.jobs import Job, JobRegistry
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store


class Client:
    """Stands in for a `Subscriber` that is told nothing it would keep."""

    session, name, person, sees_only = "a-session", "a test", "local", None

    def tell(self, message: object) -> None:
        pass

    tell_end = tell

    def sees(self, person: str) -> bool:
        return True


class House(NamedTuple):
    """What pages are made of."""

    jobs: JobRegistry
    engine: EngineState
    lifetime: Lifetime
    metrics: Metrics
    pages: Pages
    clients: list[Any]
    """One entry a connection."""

    def submit(self, job: str) -> None:
        self.jobs.accept(Client(), Submit(job, "foreground"))  # type: ignore[arg-type]

    def take(self) -> Job:
        job = self.jobs.take("engine")
        assert job is not None
        return job


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Build one with these settings."""
    stores: list[Store] = []

    def built(**values: Any) -> House:
        settings = Settings(folder=tmp_path, **values)
        store = Store(settings.database)
        stores.append(store)
        jobs, engine = JobRegistry(settings, store, Blobs(settings.blobs)), EngineState(store)
        clients: list[Any] = []
        lifetime = Lifetime(settings, jobs, lambda: len(clients), lambda: any(clients))
        metrics = Metrics(jobs, lambda: devices(engine), lambda: len(clients))
        return House(jobs, engine, lifetime, metrics, Pages(jobs, engine, lifetime, metrics), clients)

    yield built
    for store in stores:
        store.close()
