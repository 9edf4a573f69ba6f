"""One device and its state, and which device takes which job. Knows no process and no client; asks nobody."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from acetate.protocol import Failure
from acetate.protocol import messages as wire


@dataclass(eq=False)
class Device:
    """What is known of a device: by its worker's word, and by what became of its jobs."""

    name: str
    """What it was asked for as, until its worker says what it is."""
    state: wire.EngineStateName = "starting"
    failure: Failure | None = None
    description: Mapping[str, Any] = field(default_factory=dict)
    """What its engine has said of itself last."""
    opened: tuple[str, ...] = ()
    """The models that lie on it, the latest used last."""
    free_at: float = 0.0
    """When its running job is expected to be over, by `time.monotonic`; infinite while nobody knows."""
    failures: int = 0
    """How often it has failed since it has finished a job."""
    losses: int = 0
    """How many jobs in a row have cost it its worker."""
    retry_at: float = 0.0
    """When it is to be tried again after it has failed."""

    @property
    def works(self) -> bool:
        """Whether it takes jobs: it is there, or its worker is still starting."""
        return self.state != "failed"

    @property
    def is_due(self) -> bool:
        """Whether its worker is to be started, if it does not run."""
        return self.works or time.monotonic() >= self.retry_at

    def offers(self, model: str) -> bool:
        """Whether the model is installed where the device is."""
        return any(one.get("name") == model for one in self.description.get("models", ()))

    def line(self) -> wire.Device:
        """What clients are told."""
        return wire.Device(self.name, self.state, self.opened[-1] if self.opened else "", self.failure)


@dataclass(eq=False)
class Placement:
    """What is remembered of a waiting job, for the choice of its device."""

    tried: set[Device] = field(default_factory=set)
    """Where it was lost, or could not be started."""
    passed: float | None = None
    """When a free device has left it first to one on which its model lies."""


def candidates(devices: Sequence[Device], tried: set[Device], model: str = "") -> list[Device]:
    """Who may run a job: the working devices that have its model, without those that have lost it, unless all have.

    If none has the model, all that work; if none works, those that might be back and were not tried.
    """
    working = [device for device in devices if device.works]
    fitting = [one for one in working if one.offers(model)] or working
    return [one for one in fitting if one not in tried] or fitting or [one for one in devices if one not in tried]


def wait_of(device: Device, devices: Sequence[Device], job: Placement, model: str, patience: float) -> float:
    """For how many seconds a free `device` leaves a job to others: 0 when it takes it, infinite until something changes.

    A job waits only for a device on which its model lies, which is to be free within `patience` seconds.
    """
    able = candidates(devices, job.tried, model)
    if device not in able:
        return math.inf
    if not device.works or model in device.opened:
        return 0
    now = time.monotonic()
    soonest = min((one.free_at for one in able if one.works and model in one.opened), default=math.inf)
    if soonest - now > patience:
        return 0
    if job.passed is None:
        job.passed = now
    return max(0, job.passed + patience - now)
