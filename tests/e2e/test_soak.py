"""A thousand mixed jobs from several clients that come and go: nothing is lost, and nothing grows."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import psutil
import pytest
from acetate.protocol import TERMINAL, Cancelled, Client, Condition, Failed, Finished, Image, LayerReady, Parameters, Progress

JOBS = [pytest.param(60, 0.3), pytest.param(1000, 0.05, marks=pytest.mark.soak)]
"""How many jobs, and what share the server's memory may grow after the first half. A short run is all warm-up."""

CLIENTS = 4
TASKS = 4 * ("foreground", "foreground", "scene", "refine", "repaint", "upscale", "cancel", "bad", "reconnect") + ("crash",)


def picture(source: random.Random) -> Image:
    side = source.choice([16, 64, 256])
    return Image(side, side, "rgba8", source.randbytes(4) * side * side)


def one_job(client: Client, source: random.Random, task: str, seed: int) -> str:
    """Run it to its end; says what came of it."""
    given: dict[str, Condition] = {}
    asked = Parameters(prompt=f"thing {seed}", seed=seed, count=source.choice([1, 1, 2]))
    if task in ("refine", "repaint", "upscale"):
        image = picture(source)
        given["source"] = Condition(image)
        if task == "repaint":
            given["mask"] = Condition(Image(image.width, image.height, "gray8", b"\xff" * (image.width * image.height)))
    elif task == "bad":
        asked = Parameters(prompt="@bad:denoise")
    elif task == "crash":
        asked = Parameters(prompt="@exit-once:denoise", seed=seed)
    elif task == "cancel":
        asked = Parameters(prompt="@sleep:0.005", steps=500)
    real = task if task in ("scene", "refine", "repaint", "upscale") else "foreground"
    layers = set()
    job = client.submit(real, asked, given, previews=True)
    while True:
        event = client.events.get(timeout=300)
        if getattr(event, "job", None) != job:
            continue
        if isinstance(event, Progress) and task == "cancel":
            client.cancel(job)
        if isinstance(event, LayerReady):
            assert event.layer.index not in layers, "a layer came twice"
            layers.add(event.layer.index)
        if isinstance(event, TERMINAL):
            client.acknowledge(job)
            break
    wanted = {"bad": Failed, "cancel": Cancelled}.get(task, Finished)
    assert isinstance(event, wanted), (task, event)
    if isinstance(event, Finished):
        assert len(layers) == event.layers > 0
    return type(event).__name__


def artist(server: Any, number: int, jobs: int, results: list[str], warm: threading.Barrier) -> None:
    source = random.Random(number)
    client = Client(f"artist {number}", address=server.address)
    client.wait_until_connected()
    try:
        for turn in range(jobs):
            if turn == jobs // 2:
                warm.wait(900)  # the test measures here
                warm.wait(900)
            task = source.choice(TASKS)
            if task == "reconnect":
                client.close()
                client = Client(f"artist {number}", address=server.address)
                client.wait_until_connected()
                task = "foreground"
            results.append(one_job(client, source, task, 10_000 * number + turn))
    except BaseException as error:
        results.append(repr(error))
        warm.abort()
    finally:
        client.close()


def memory(pid: int) -> int:
    """Bytes that belong to this process alone."""
    return int(psutil.Process(pid).memory_full_info().uss)


@pytest.mark.parametrize(("jobs", "growth"), JOBS)
def test_many_mixed_jobs_leave_no_trace(start_server: Any, jobs: int, growth: float) -> None:
    server = start_server(history_bytes=2 << 20)
    results: list[str] = []
    warm = threading.Barrier(CLIENTS + 1)
    threads = [threading.Thread(target=artist, args=(server, n, jobs // CLIENTS, results, warm)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    warm.wait(900)
    before, files = memory(server.pid), psutil.Process(server.pid).num_fds()
    warm.wait(900)
    for thread in threads:
        thread.join(3600)
    after = memory(server.pid)
    seen = Counter(results)
    print(f"\n{dict(seen)}; server's own memory {before / 2**20:.1f} MiB -> {after / 2**20:.1f} MiB, {files} files open")

    assert set(seen) <= {"Finished", "Failed", "Cancelled"}, seen
    assert sum(seen.values()) == CLIENTS * (jobs // CLIENTS)
    assert after <= before * (1 + growth)
    assert psutil.Process(server.pid).num_fds() <= files + 2
    kept = sum(path.stat().st_size for path in (server.folder / "blobs").glob("??/*"))
    assert kept < 80 << 20
