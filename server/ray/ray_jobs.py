"""A worker's backend whose engine is an actor in a Ray cluster. Knows the actor's reports and files; knows no pipe and no Ray.

The worker process around it (`process.py`) is the one of local devices: the server watches it, cancels through it and replaces
it in the same way, and Ray's driver cannot take the server along when the cluster's head is gone.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acetate.protocol import Failure
from acetate.protocol.messages import Cancelled, Failed

from ..worker import worker_messages
from ..worker.process import BackendError, BackendLostError
from ..worker.worker_messages import ReportWithPayload, RunJob, pack, unpack_report

if TYPE_CHECKING:
    from .cluster import Cluster

PUT = 8
"""How many pictures stay in the object store for the next jobs."""


class RayJobs:
    """Runs `submit` on an actor, one job at a time."""

    def __init__(
        self, cluster: Cluster, settings: Mapping[str, Any], device: str | None, incoming: Path, wait: Callable[[], None]
    ) -> None:
        """`wait` returns when the cluster has a free device."""
        self._cluster, self._incoming = cluster, incoming
        wait()
        self._actor = cluster.place(dict(settings), device)
        self._opened: tuple[str, ...] = ()
        self._put: OrderedDict[str, Any] = OrderedDict()
        self._layers = 0

    def describe(self) -> Mapping[str, Any]:
        """What the engine there says of itself. Raises `BackendLostError`."""
        report, _ = self._unpacked(self._asked(self._actor.describe, version("acetate")))
        if isinstance(report, worker_messages.Unusable):
            raise BackendLostError(report.failure)
        assert isinstance(report, worker_messages.Ready)
        return {**report.description, "device": report.device}

    def run(self, command: RunJob) -> Iterator[ReportWithPayload]:
        """Run a job, yielding its reports. Closing the iterator cancels the job and waits until it has stopped."""
        pictures = {sha256: self._object(sha256, Path(file["path"])) for sha256, file in command.files.items()}
        stream = self._reports(pack(command), pictures)
        try:
            for report, payload in stream:
                if isinstance(report, worker_messages.Opened):
                    self._opened = report.models
                elif isinstance(report, Failed):
                    raise BackendError(report.failure, payload.decode())
                elif not isinstance(report, Cancelled):
                    yield report, payload
        except GeneratorExit:
            self._cluster.send(self._actor.stop, command.job)
            for report, _ in stream:
                if isinstance(report, worker_messages.Opened):
                    self._opened = report.models
            raise

    def opened(self) -> tuple[str, ...]:
        return self._opened

    def unload(self) -> None:
        self._opened = ()
        self._asked(self._actor.unload)

    def preload(self, model: str) -> None:
        self._asked(self._actor.preload, model)

    def _reports(self, packed: bytes, pictures: Mapping[str, Any]) -> Iterator[ReportWithPayload]:
        """The actor's reports, with pixels written where the server takes them from. Raises `BackendLostError`."""
        try:
            for answer, pixels in self._cluster.stream(self._actor.run, packed, pictures):
                report, payload = self._unpacked(answer)
                if isinstance(report, worker_messages.Unusable):
                    raise BackendLostError(report.failure)
                if isinstance(report, worker_messages.Made) and pixels is not None:
                    self._layers += 1
                    name = f"{report.layer.job}-{self._layers}-{os.getpid()}"
                    _write(self._incoming / name, pixels.data)
                    report = replace(report, name=name)
                yield report, payload
        except self._cluster.lost as error:
            raise BackendLostError(_gone(error)) from error

    def _object(self, sha256: str, path: Path) -> Any:
        """The picture as an object, which is put into the store once."""
        if sha256 not in self._put:
            self._put[sha256] = self._cluster.put(path)
        self._put.move_to_end(sha256)
        if len(self._put) > PUT:
            self._put.popitem(last=False)
        return self._put[sha256]

    def _asked(self, method: Any, *arguments: Any) -> Any:
        try:
            return self._cluster.call(method, *arguments)
        except self._cluster.lost as error:
            raise BackendLostError(_gone(error)) from error

    def _unpacked(self, answer: bytes) -> ReportWithPayload:
        return unpack_report(answer[4:])


def _write(path: Path, pixels: memoryview) -> None:
    try:
        path.write_bytes(pixels)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _gone(error: Exception) -> Failure:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return Failure("worker-crashed", f"the Ray cluster has lost the job: {said}", "See `ray status` on the cluster's head.")
