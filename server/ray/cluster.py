"""The Ray cluster as the worker process sees it: connect, count devices, place an actor, pass pixels. The only file with Ray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .actor import DeviceActor, Pixels

GPU, CPU = "GPU", "CPU"


class Cluster:
    """A connection to a cluster, as one of its drivers. Raises `ConnectionError` when there is none at `address`."""

    def __init__(self, address: str, resource: str) -> None:
        """`address` is `HOST:PORT` of the head, or `auto`; `resource` is what a device is: `GPU` or `CPU`."""
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
        if _has_token():  # `ray start` does the same, `ray.init` for a running cluster does not
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        import ray

        self._ray, self._resource = ray, resource
        ray.init(address, log_to_driver=False, logging_level="ERROR", namespace="acetate")
        self.lost: tuple[type[Exception], ...] = (ray.exceptions.RayError,)
        """What is raised when an actor, its machine, or an object is gone."""

    def devices(self) -> int:
        """How many devices the cluster has, whoever uses them."""
        return int(self._ray.cluster_resources().get(self._resource, 0))

    def has_room(self) -> bool:
        """Whether one of them is free."""
        return bool(self._ray.available_resources().get(self._resource, 0) >= 1)

    def place(self, settings: dict[str, Any], device: str | None) -> Any:
        """An actor on a free device; it ends with this process."""
        uses = {"num_gpus": 1, "num_cpus": 0} if self._resource == GPU else {"num_cpus": 1}
        return self._ray.remote(DeviceActor).options(**uses, scheduling_strategy="SPREAD").remote(settings, device)

    def put(self, path: Path) -> Any:
        """A file as an object."""
        return self._ray.put(np.fromfile(path, np.uint8))

    def call(self, method: Any, *arguments: Any) -> Any:
        """An actor's answer."""
        return self._ray.get(method.remote(*arguments))

    def send(self, method: Any, *arguments: Any) -> None:
        """Call an actor without waiting for it."""
        method.remote(*arguments)

    def stream(self, method: Any, *arguments: Any) -> Iterator[tuple[bytes, Pixels | None]]:
        """What an actor's generator yields."""
        for one in method.options(num_returns="streaming").remote(*arguments):
            yield self._ray.get(one)


def _has_token() -> bool:
    """Whether this account has a token for clusters, where Ray looks for one."""
    named = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").exists()
