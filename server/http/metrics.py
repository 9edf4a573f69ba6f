"""What `/metrics` says, in Prometheus' text format. Knows jobs, blobs and the event loop; names no job, session or prompt."""

from __future__ import annotations

import asyncio
from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..jobs.jobs import JobRegistry

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
disable_created_metrics()  # a line for each other line

LAG_EVERY = 1.0
"""The seconds between two looks at how late the event loop is."""

Devices = Callable[[], Iterable[tuple[str, str]]]
"""Each device's name and state."""


class Metrics:
    """One server's metrics. `clients` counts the connections that have greeted."""

    def __init__(self, jobs: JobRegistry, devices: Devices, clients: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "acetate_job_seconds",
            "How long jobs took from their start to their end; _count is how many have ended.",
            ("task", "state"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._lag = Histogram(
            "acetate_event_loop_lag_seconds", "How late the event loop is.", buckets=LAGS, registry=self._registry
        )
        self._bytes = Counter(
            "acetate_bytes", "Bytes received from sockets, and bytes of messages sent.", ("direction",), registry=self._registry
        )
        Gauge("acetate_connections", "Clients that are connected.", registry=self._registry).set_function(clients)
        Info("acetate", "The server.", registry=self._registry).info({"version": version("acetate")})
        ProcessCollector(registry=self._registry)
        self._registry.register(_State(jobs, devices))
        jobs.ended = self.job_ended

    def page(self) -> bytes:
        """All of them as text."""
        return generate_latest(self._registry)

    def job_ended(self, task: str, state: str, seconds: float) -> None:
        self._seconds.labels(task, state).observe(seconds)

    def moved(self, direction: str, count: int) -> None:
        """Count bytes `received` or `sent`."""
        self._bytes.labels(direction).inc(count)

    async def watch_lag(self) -> None:
        """Look at the event loop until this task is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))


class _State(Collector):
    """What is true when it is asked for."""

    def __init__(self, jobs: JobRegistry, devices: Devices) -> None:
        self._jobs, self._devices = jobs, devices

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs = self._jobs
        here = GaugeMetricFamily("acetate_jobs", "Jobs that are not over.", labels=("task", "state"))
        states = Count((job.task, "running" if job.running else "waiting") for job in jobs.unfinished)
        for labels, count in sorted(states.items()):
            here.add_metric(labels, count)
        yield here
        queues = GaugeMetricFamily("acetate_queue_length", "Jobs that wait.", labels=("lane",))
        for lane, queue in jobs.queues.items():
            queues.add_metric((lane,), len(queue))
        yield queues
        devices = GaugeMetricFamily("acetate_device", "1 for the state that each device is in.", labels=("device", "state"))
        for name, state in self._devices():
            devices.add_metric((name, state), 1)
        yield devices
        yield GaugeMetricFamily("acetate_blob_bytes", "Bytes of pictures and files that are kept.", jobs.store.blob_bytes())
        yield GaugeMetricFamily("acetate_draining", "1 while the server stops.", jobs.drain.begun)
