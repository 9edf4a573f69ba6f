"""What the engine is on all devices together, for every connected client; remembered for the next start. Runs nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acetate.engine.description import PREVIEWS
from acetate.protocol import Failure
from acetate.protocol import messages as wire

from ..delivery.subscriber import Subscriber
from ..settings import Settings
from ..storage.store import Store
from ..worker.worker_messages import News, Ready, Waiting
from .devices import Device, Placement, candidates, wait_of

log = logging.getLogger(__name__)

NOTE = "engine"


class EngineState:
    """Holds the devices and the current `engine` message. A client that connects before torch is imported sees the models of
    the last run."""

    def __init__(
        self,
        store: Store,
        preload: tuple[str, ...] = (),
        settings: Settings | None = None,
        wake: Callable[[], None] = lambda: None,
        on_ready: Callable[[Mapping[str, Any]], None] = lambda description: None,
    ) -> None:
        """`wake` is called when a device's state has changed, as another one may take a job now; `on_ready` with what an engine
        says of itself."""
        self._store, self._wake, self._on_ready = store, wake, on_ready
        self._settings = settings or Settings()
        self._preloads = preload
        self.watchers: set[Subscriber] = set()
        self.devices: list[Device] = []
        known = store.note(NOTE)
        self._known: Mapping[str, Any] = known if isinstance(known, dict) else {}
        self.message = self._message()

    # --- told by workers and lanes -----------------------------------------------------------------------------------

    def add(self, name: str) -> Device:
        """A device that takes part from now on."""
        device = Device(name)
        self.devices.append(device)
        self._tell()
        return device

    def remove(self, device: Device) -> None:
        """The device is there no longer."""
        self.devices.remove(device)
        self._tell()

    def heard(self, device: Device, news: News) -> None:
        """Take in what a device's worker says of itself."""
        if isinstance(news, Ready):
            self._ready(device, news.device, news.description)
        elif isinstance(news, Waiting):
            device.state, device.failure, device.description, device.opened = "failed", news.failure, {}, ()
            self._tell()

    def failed(self, device: Device, failure: Failure) -> None:
        """The device takes no jobs for a while, longer each time. Clients hear of no engine only when no device works."""
        pauses = self._settings.device_pause_seconds
        pause = pauses[min(device.failures, len(pauses) - 1)]
        log.error("device failed", extra={"device": device.name, "reason": str(failure), "again in": pause})
        device.state, device.failure, device.opened = "failed", failure, ()
        device.failures += 1
        device.retry_at = time.monotonic() + pause
        self._tell()

    def lost(self, device: Device, failure: Failure) -> None:
        """A job has cost the device its worker. One that loses job after job fails, as long as another one works."""
        device.losses, device.opened = device.losses + 1, ()
        others = any(other.works for other in self.devices if other is not device)
        if device.losses >= self._settings.start_failures and others:
            self.failed(device, failure)

    def finished(self, device: Device) -> None:
        """The device has brought a job to an end: what it has done before is forgotten."""
        device.failures = device.losses = 0

    def opened(self, device: Device, models: tuple[str, ...]) -> None:
        """These models lie on the device now."""
        device.opened = models
        self._tell()

    def take_preloads(self) -> tuple[str, ...]:
        """The models to load beforehand; none the second time."""
        wanted, self._preloads = self._preloads, ()
        return wanted

    # --- asked by lanes ----------------------------------------------------------------------------------------------

    def wait_of(self, device: Device, job: Placement, model: str | None) -> float:
        """For how many seconds a free device leaves a job to others; 0 when it takes it. No model is the default one."""
        return wait_of(device, self.devices, job, model or self._default_model(), self._settings.placement_seconds)

    def candidates(self, tried: set[Device]) -> list[Device]:
        """The devices that may run a job, which has been tried on these."""
        return candidates(self.devices, tried)

    # --- asked by pages ----------------------------------------------------------------------------------------------

    def preview_of(self, lora: str) -> Path | None:
        """The file of the picture that lies beside a LoRA's; `None` where there is none."""
        found = self._known.get(PREVIEWS)
        path = found.get(lora) if isinstance(found, Mapping) else None
        return Path(path) if isinstance(path, str) else None

    # --- inside ------------------------------------------------------------------------------------------------------

    def _ready(self, device: Device, name: str, description: Mapping[str, Any]) -> None:
        device.state, device.failure, device.name, device.description = "ready", None, name, dict(description)
        device.opened = tuple(one["name"] for one in description.get("models", ()) if one.get("loaded"))
        self._tell()
        self._on_ready(description)
        self._store.set_note(NOTE, {name: value for name, value in self._described().items() if name != "device"})

    def _default_model(self) -> str:
        for task in self.message.tasks.values():
            if isinstance(model := task.get("parameters", {}).get("model"), str):
                return model
        return ""

    def _tell(self) -> None:
        """Tell everyone how things are, if they have changed."""
        message = self._message()
        if message != self.message:
            self.message = message
            for watcher in self.watchers:
                watcher.tell(message)
        self._wake()

    def _message(self) -> wire.Engine:
        found = self._described()
        ready = [device for device in self.devices if device.state == "ready"]
        failed = [device for device in self.devices if not device.works]
        state: wire.EngineStateName = "ready" if ready else "failed" if failed and failed == self.devices else "starting"
        return wire.Engine(
            state,
            ", ".join(dict.fromkeys(device.name for device in ready)),
            tuple(found.get("models", ())),
            found.get("tasks", {}),
            {name: value for name, value in found.items() if name not in ("device", "models", "tasks", PREVIEWS)},
            failed[0].failure if state == "failed" else None,
            tuple(device.line() for device in self.devices),
        )

    def _described(self) -> Mapping[str, Any]:
        """The engines' descriptions as one: the first device's, with the models of all; without a device, the last known."""
        ready = [device for device in self.devices if device.state == "ready"]
        if not ready:
            return self._known
        models: dict[str, dict[str, Any]] = {}
        for device in ready:
            for one in device.description.get("models", ()):
                models.setdefault(one["name"], {**one, "loaded": False})
                models[one["name"]]["loaded"] |= one["name"] in device.opened
        self._known = {**ready[0].description, "models": list(models.values())}
        return self._known
