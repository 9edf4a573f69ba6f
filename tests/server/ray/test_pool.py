"""How many lanes there are for how many devices of the cluster, and what is refused; no worker is started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from acetate.server.jobs.devices import Device
from acetate.server.jobs.lanes import Lane
from acetate.server.ray import pool
from acetate.server.ray.pool import RayPool, ray_command, refusal_of_ray
from acetate.server.settings import Settings
from acetate.server.worker.runner import OnNews, Runner


class Lanes:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []

    def add(self, name: str, make: Callable[[OnNews], Runner], on_room: Callable[[int], None]) -> Lane:
        lane = Lane(None, None, Device(name))  # type: ignore[arg-type]
        self.lanes.append(lane)
        return lane

    async def remove(self, lane: Lane) -> None:
        self.lanes.remove(lane)

    def states(self) -> list[Any]:
        return [lane.device.state for lane in self.lanes if lane.device]


def grown(counts: list[int], ready: int = 0, **settings: Any) -> list[str]:
    async def scene() -> list[str]:
        lanes = Lanes()
        lanes_pool = RayPool(lanes, Settings(ray="auto", **settings))  # type: ignore[arg-type]
        lanes_pool.start()
        for number, count in enumerate(counts):
            if number == len(counts) - 1:
                for lane in lanes.lanes[-ready:] if ready else ():
                    lane.device.state = "ready"  # type: ignore[union-attr]
            lanes_pool.resize(count)
            await asyncio.sleep(0)
        return lanes.states()

    return asyncio.run(scene())


def test_there_is_a_lane_for_each_gpu_and_one_that_looks_out_where_there_is_none() -> None:
    assert len(grown([])) == 1
    assert len(grown([0])) == 1
    assert len(grown([0, 3])) == 3
    assert len(grown([3, 5, 5])) == 5


def test_when_machines_leave_only_lanes_without_a_device_end() -> None:
    assert grown([4, 1], ready=2) == ["ready", "ready"]
    assert grown([4, 2], ready=1) == ["starting", "ready"]


def test_on_cpus_there_are_as_many_as_were_asked_for() -> None:
    assert len(grown([], ray_workers=3)) == 3


def test_the_worker_is_told_the_cluster_and_what_the_server_goes_by() -> None:
    words = ray_command(Settings(ray="head:6379", ray_workers=2, stall_seconds=77))

    assert words[0] == "acetate.server.ray.process"
    assert words[words.index("--address") + 1] == "head:6379"
    assert '"stall_seconds": 77' in words[words.index("--settings") + 1]
    assert words[-2:] == ("--device", "cpu") and "--device" not in ray_command(Settings(ray="auto"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, None),
        ({"ray": "auto"}, None),
        ({"ray": "head:6379", "ray_workers": 4}, None),
        ({"ray_workers": 4}, "--ray-workers needs --ray"),
        ({"ray": "ray://head:10001"}, "it must be auto, or HOST:PORT"),
        ({"ray": "auto", "ray_workers": 0}, "must be at least 1"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings: dict[str, Any], said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.importlib.util, "find_spec", lambda name: object())
    found = refusal_of_ray(Settings(**settings))

    assert found is None if said is None else found is not None and said in found


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.importlib.util, "find_spec", lambda name: None)

    assert "pip install 'acetate[ray]'" in (refusal_of_ray(Settings(ray="auto")) or "")
