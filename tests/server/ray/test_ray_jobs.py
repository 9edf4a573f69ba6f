"""Both ends of a job in the cluster: the backend here, the actor there, with a loop in a thread in the place of Ray."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.protocol import Box, Failure, Layer, Parameters, Progress
from acetate.protocol.messages import Cancelled, Submit
from acetate.server.ray.actor import KEPT, DeviceActor
from acetate.server.ray.ray_jobs import PUT, RayJobs
from acetate.server.worker.process import BackendError, BackendLostError
from acetate.server.worker.runner import JobBrokeError, OnNews, Outcome, RunnerLostError, RunnerUnavailableError
from acetate.server.worker.worker_messages import Done, Made, Opened, Ready, RunJob

JOB = "0123456789abcdef"
PIXELS = bytes(range(16))


class LostError(Exception):
    """What Ray would raise."""


class Object:
    """Something in the object store; counts how often it is fetched."""

    def __init__(self, value: Any) -> None:
        self.value, self.fetched = value, 0

    def __await__(self) -> Any:
        self.fetched += 1
        return self.value
        yield


class FakeCluster:
    """The place of `Cluster`: one actor, which lives on a loop in a thread."""

    lost = (LostError,)

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.objects: list[Object] = []
        self.sent: list[str] = []
        self.gone = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def place(self, settings: dict[str, Any], device: str | None) -> DeviceActor:
        self.actor = DeviceActor(settings, device, make=self._worker.made)
        return self.actor

    def put(self, path: Path) -> Object:
        self.objects.append(Object(np.fromfile(path, np.uint8)))
        return self.objects[-1]

    def call(self, method: Any, *arguments: Any) -> Any:
        if self.gone:
            raise LostError("the actor died because its node has died")
        return asyncio.run_coroutine_threadsafe(method(*arguments), self._loop).result(20)

    def send(self, method: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self.sent.append(method.__name__)
        asyncio.run_coroutine_threadsafe(method(*arguments), self._loop).result(20)  # type: ignore[arg-type]

    def stream(self, method: Any, *arguments: Any) -> Iterator[tuple[bytes, Any]]:
        items = method(*arguments)
        while True:
            if self.gone:
                raise LostError("the actor died because its node has died")
            try:
                yield asyncio.run_coroutine_threadsafe(anext(items), self._loop).result(20)
            except StopAsyncIteration:
                return

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()


class Worker:
    """The place of the actor's `LocalWorker`: tells and does what a test says."""

    def __init__(self) -> None:
        self.folder = Path()
        self.fault: Exception | None = None
        self.refuses: Failure | None = None
        self.asked: list[str] = []
        self.read: list[bytes] = []
        self.starts = 0
        self.models = [{"name": "painter"}]

    def made(self, news: OnNews) -> Worker:
        self.news = news
        return self

    async def start(self) -> None:
        self.starts += 1
        if self.refuses is not None:
            raise RunnerUnavailableError(self.refuses)
        if self.starts == 1:
            self.news(Ready("cuda", {"models": self.models, "device": "cuda"}))

    async def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        self.stopped = asyncio.Event()
        self.read = [Path(file["path"]).read_bytes() for file in command.files.values()]
        yield Progress(command.job, "load", 1, 3, 0.3), b""
        if self.fault is not None:
            raise self.fault
        if isinstance(command.order, Submit) and command.order.parameters.prompt == "until stopped":
            await self.stopped.wait()
            yield Cancelled(command.job), b""
            return
        incoming = Path(self.folder, "blobs", "incoming", "there-1")
        incoming.write_bytes(PIXELS)
        layer = Layer(command.job, 0, "kite", "foreground", 0, 0, 2, 2, Box(0, 0, 2, 2), "rgba8", 16, "0" * 64)
        yield Made(layer, "there-1", 1, 1), b"RGBA"
        yield Opened(("painter",)), b""
        yield Done(command.job, ("a note",)), b""

    async def stop(self, job: str) -> None:
        self.asked.append(f"stop {job}")
        self.stopped.set()

    async def refresh(self) -> None:
        self.asked.append("refresh")
        asyncio.get_running_loop().call_later(0, self.news, Ready("cuda", {"models": self.models, "device": "cuda"}))

    async def gone(self) -> None:
        await asyncio.Event().wait()

    async def preload(self, model: str) -> None:
        self.asked.append(f"preload {model}")

    async def unload(self) -> None:
        self.asked.append("unload")


class Scene:
    def __init__(self, tmp_path: Path) -> None:
        self.worker = Worker()
        self.cluster = FakeCluster(self.worker)
        self.incoming = tmp_path / "incoming"
        self.incoming.mkdir()
        self.jobs = RayJobs(self.cluster, {"stall_seconds": 5}, None, self.incoming, lambda: None)  # type: ignore[arg-type]
        self.worker.folder = self.folder = self.cluster.actor._settings.folder

    def pictures(self, folder: Path, *names: str) -> dict[str, dict[str, Any]]:
        for name in names:
            (folder / name).write_bytes(name.encode())
        return {name: {"path": str(folder / name), "format": "rgba8", "width": 1, "height": 1} for name in names}


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Scene(tmp_path)
    yield made
    made.cluster.close()


def command(prompt: str = "a kite", **files: Any) -> RunJob:
    return RunJob(Submit(JOB, "foreground", Parameters(prompt=prompt)), files)


def test_a_job_runs_there_and_its_pixels_lie_here(scene: Scene) -> None:
    reports = list(scene.jobs.run(command()))
    (made,) = [report for report, _ in reports if isinstance(report, Made)]

    assert [type(report).__name__ for report, _ in reports] == ["Progress", "Made", "Done"]
    assert reports[1][1] == b"RGBA", "the thumbnail"
    assert reports[2][0] == Done(JOB, ("a note",))
    assert (scene.incoming / made.name).read_bytes() == PIXELS
    assert scene.jobs.opened() == ("painter",)
    assert not list((scene.cluster.actor._settings.blobs / "incoming").iterdir()), "nothing is left there"


def test_a_picture_is_put_and_fetched_once_for_several_jobs(scene: Scene, tmp_path: Path) -> None:
    files = scene.pictures(tmp_path, "one", "two")
    list(scene.jobs.run(command(**files)))
    list(scene.jobs.run(command(one=files["one"])))

    assert [stored.fetched for stored in scene.cluster.objects] == [1, 1]
    assert scene.worker.read == [b"one"]


def test_of_the_pictures_the_latest_are_kept(scene: Scene, tmp_path: Path) -> None:
    names = [f"picture{number}" for number in range(KEPT + 2)]
    files = scene.pictures(tmp_path, *names)
    for name in names:
        list(scene.jobs.run(command(**{name: files[name]})))
    kept = {path.name for path in scene.cluster.actor._settings.folder.iterdir() if path.is_file()}

    assert kept == set(names[2:])
    assert list(scene.jobs._put) == names[-PUT:]


def test_a_cancelled_job_is_stopped_there_before_the_next_one(scene: Scene) -> None:
    running = scene.jobs.run(command("until stopped"))
    assert isinstance(next(running)[0], Progress)
    running.close()  # type: ignore[attr-defined]

    assert scene.worker.asked == [f"stop {JOB}"]
    assert isinstance(list(scene.jobs.run(command()))[-1][0], Done)


def test_a_failure_there_is_said_as_it_was(scene: Scene) -> None:
    scene.worker.fault = JobBrokeError(Failure("internal", "ZeroDivisionError"), b"Traceback: there")
    with pytest.raises(BackendError) as broke:
        list(scene.jobs.run(command()))

    assert not isinstance(broke.value, BackendLostError)
    assert broke.value.failure.code == "internal" and broke.value.details == "Traceback: there"


@pytest.mark.parametrize("how", ["the worker", "the node"])
def test_a_job_whose_worker_or_node_is_gone_is_lost_and_not_broken(scene: Scene, how: str) -> None:
    """The server runs it again."""
    running = scene.jobs.run(command())
    if how == "the worker":
        scene.worker.fault = RunnerLostError(Failure("worker-crashed", "killed by signal 9"))
    next(running)
    scene.cluster.gone = how == "the node"
    with pytest.raises(BackendLostError) as lost:
        next(running)

    assert lost.value.failure.code == "worker-crashed"
    assert ("signal 9" if how == "the worker" else "node has died") in lost.value.failure.message


def test_the_engine_there_describes_itself_with_its_machine(scene: Scene) -> None:
    found = scene.jobs.describe()
    assert found["models"] == [{"name": "painter"}] and found["device"].endswith(" cuda")
    scene.worker.models = [{"name": "painter"}, {"name": "inker"}]

    assert scene.jobs.describe()["models"][-1] == {"name": "inker"}, "a second time it looks again"
    assert scene.worker.asked == ["refresh"]


def test_an_engine_that_does_not_start_there_is_said(scene: Scene) -> None:
    scene.worker.refuses = Failure("engine-unavailable", "no driver")
    with pytest.raises(BackendLostError, match="no driver"):
        scene.jobs.describe()


def test_a_node_with_another_version_is_refused_by_both_versions(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acetate.server.ray.actor.version", lambda name: "0.0.9")
    with pytest.raises(BackendLostError, match=rf"has acetate 0\.0\.9, the server {version('acetate')}"):
        scene.jobs.describe()
    assert scene.worker.starts == 0


def test_models_are_loaded_and_freed_there(scene: Scene) -> None:
    scene.jobs.preload("painter")
    scene.jobs.unload()

    assert scene.worker.asked == ["preload painter", "unload"] and scene.jobs.opened() == ()


def test_what_a_killed_actor_has_left_is_deleted_by_the_next_one(scene: Scene, tmp_path: Path) -> None:
    """Pictures of a person lie in it."""
    dead = tmp_path / "acetate-ray-4194399-abcd"  # above the largest process id of Linux
    (dead / "blobs").mkdir(parents=True)
    DeviceActor({}, None, make=Worker().made)

    assert not dead.exists() and scene.folder.exists()
