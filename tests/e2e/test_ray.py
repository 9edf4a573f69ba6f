"""A real Ray cluster on loopback, and a server whose jobs run there: spread, repeated, cancelled, and right in every pixel."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest
from acetate.protocol import (
    Cancelled,
    Client,
    Condition,
    Engine,
    Failed,
    Finished,
    Image,
    LayerReady,
    Parameters,
    Preview,
    Started,
)
from acetate.protocol.messages import Device

from .ray_cluster import LocalCluster, local_cluster

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is an extra: pip install 'acetate[ray]'")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCluster, Any]]:
    """A head without devices, and the folder in which the fake engine's jobs are held."""
    folder = tmp_path_factory.mktemp("fake") / "server"
    folder.mkdir()
    with local_cluster(ACETATE_FAKE=str(folder)) as started:
        yield started, folder.parent


@pytest.fixture(scope="module")
def server(cluster: tuple[LocalCluster, Any], start_in: Any) -> Iterator[Any]:
    started, folder = cluster
    with pytest.MonkeyPatch.context() as patch, start_in(folder) as start:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        yield start(ray=started.address, devices=[])


def devices(client: Client, until: Any, wanted: int) -> tuple[Device, ...]:
    """Wait for as many devices that are ready; returns all."""

    def ready(engine: Any) -> bool:
        return sum(device.state == "ready" for device in engine.devices) == wanted

    assert client.welcome is not None
    if ready(client.welcome.engine):
        return tuple(client.welcome.engine.devices)
    found: tuple[Device, ...] = until(client, lambda event: isinstance(event, Engine) and ready(event))[-1].devices
    return found


def with_a_node(cluster: tuple[LocalCluster, Any]) -> LocalCluster:
    """The cluster, with a device: also for a test that is run alone."""
    started, _ = cluster
    if len(started.nodes) == 1:
        started.add(gpus=1)
    return started


def pixels(event: LayerReady) -> Any:
    return np.frombuffer(event.data, np.uint8).reshape(event.layer.height, event.layer.width, 4)


def test_a_cluster_is_used_as_it_grows_and_shrinks(cluster: Any, server: Any, until: Any, drawn: Any) -> None:
    """One story, as each node takes seconds to start: no device, one, two, and one of them killed in the middle of its job."""
    started, _ = cluster
    with Client("test", address=server.address) as client:
        waiting = until(client, lambda event: isinstance(event, Engine) and bool(event.failure))[-1]
        assert "no GPU of the Ray cluster is free" in waiting.failure.message

        first = started.add(gpus=1)
        devices(client, until, 1)
        assert len(first.actors()) == 1
        asked = {"prompt": "a kite @hold:denoise", "steps": 2}
        held = client.submit("foreground", Parameters(**asked, seed=1), crop=False)
        server.wait_until_held(1)

        second = started.add(gpus=1)
        other = client.submit("foreground", Parameters(**asked, seed=2), crop=False)
        server.wait_until_held(2)
        assert len(second.actors()) == 1, "the one that has joined got the job that waited"

        first.kill()
        server.open_gate("go-2")
        repeated = until(client, lambda event: isinstance(event, Started) and event.job == held and event.attempt == 2)
        server.open_gate("go-1")
        events = repeated + until(client, lambda event: isinstance(event, (Finished, Failed)) and event.job == held)

        assert {event.job for event in events if isinstance(event, Finished)} == {held, other}
        for job, seed in ((held, 1), (other, 2)):
            (layer,) = [event for event in events if isinstance(event, LayerReady) and event.job == job]
            assert np.array_equal(pixels(layer), drawn(**asked, seed=seed)[0].rgba)
        assert not list((server.folder / "blobs" / "incoming").iterdir())
        remaining = devices(client, until, 1)
        assert all(device.name.endswith("fake") or device.failure is not None for device in remaining)


def test_pictures_previews_and_failures_pass_through_the_cluster(cluster: Any, server: Any, until: Any) -> None:
    with_a_node(cluster)
    with Client("test", address=server.address) as client:
        devices(client, until, 1)
        source = np.random.default_rng(5).integers(0, 256, (300, 200, 4), np.uint8)
        image = Image(200, 300, "rgba8", source.tobytes())
        for scale in (2, 3):  # the second time, the picture lies there already
            parameters = Parameters(scale=scale, prompt="@sleep:0.3")
            events = list(client.run("upscale", parameters, {"source": Condition(image)}, previews=True, crop=False))
            (layer,) = [event for event in events if isinstance(event, LayerReady)]
            assert pixels(layer).shape == (300 * scale, 200 * scale, 4)
            assert np.array_equal(pixels(layer)[::scale, ::scale], source)
            assert any(isinstance(event, Preview) for event in events)
        refused = list(client.run("foreground", Parameters(prompt="@bad:decode")))[-1]
        assert isinstance(refused, Failed) and refused.failure.code == "bad-request"
        lost = list(client.run("foreground", Parameters(prompt="@kill:decode")))[-1]
        assert isinstance(lost, Failed) and "SIGKILL" in lost.failure.message


def test_a_job_in_the_cluster_is_cancelled_between_two_steps(cluster: Any, server: Any, until: Any) -> None:
    with_a_node(cluster)
    with Client("test", address=server.address) as client:
        devices(client, until, 1)
        job = client.submit("foreground", Parameters(prompt="@hold:denoise", seed=7, steps=900))
        server.wait_until_held(7)
        client.cancel(job)
        server.open_gate("go-7")
        assert isinstance(until(client, lambda event: isinstance(event, (Cancelled, Failed, Finished)))[-1], Cancelled)
        assert isinstance(list(client.run("foreground", Parameters(prompt="a kite")))[-1], Finished)


def test_nothing_is_left_in_the_cluster_when_the_server_is_killed(cluster: Any, server: Any, until: Any) -> None:
    started = with_a_node(cluster)
    with Client("test", address=server.address) as client:
        devices(client, until, 1)
        (actor,) = [actor for node in started.nodes for actor in node.actors()]
        family = [actor, *actor.children(recursive=True)]
        assert len(family) == 2, "the actor, and the worker that it owns"
        server.kill()
    _, alive = psutil.wait_procs(family, timeout=120)

    assert not alive
