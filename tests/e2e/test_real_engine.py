"""The real engine with the built-in model behind a real server: the same bytes as without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.engine import BadRequest, Engine, Picture, Request
from acetate.protocol import TERMINAL, Cancelled, Client, Connected, Parameters, Preview, Progress
from acetate.protocol import Engine as EngineEvent
from acetate.server.__main__ import main
from acetate.server.command_line.remote import RemoteServer
from acetate.server.settings import ENGINE
from acetate.vocabulary.parameters import range_of

SOURCE = np.zeros((128, 128, 4), np.uint8)
SOURCE[30:100, 30:100] = (200, 40, 30, 255)
MASK = np.zeros((128, 128), np.uint8)
MASK[60:90, 60:90] = 255

REQUESTS = {
    "foreground": Request(prompt="red apple", steps=3, seed=3, count=2),
    "scene": Request(task="scene", prompt="red apple", steps=2),
    "background": Request(task="background", prompt="green hills", steps=2, foreground=SOURCE),
    "object": Request(task="object", prompt="red apple", steps=2, background=np.full((128, 128, 4), 255, np.uint8)),
    "refine": Request(task="refine", prompt="orange", steps=4, source=SOURCE),
    "repaint": Request(task="repaint", prompt="orange", steps=4, source=SOURCE, mask=MASK),
    "upscale": Request(task="upscale", source=SOURCE, scale=1.5),
    "odd size": Request(prompt="blue cup", steps=2, width=150, height=70),
}


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory, start_in: Any) -> Iterator[Any]:
    with start_in(tmp_path_factory.mktemp("real")) as start:
        yield start(engine=ENGINE, devices=["cpu"])


@pytest.fixture(scope="module")
def engine() -> Any:
    return Engine("cpu")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_server_brings_the_same_bytes_as_the_engine_alone(real_server: Any, engine: Any, name: str) -> None:
    request = REQUESTS[name]
    alone = [item for item in engine.run(request) if isinstance(item, Picture)]
    remote = [item for item in RemoteServer(real_server.address).generate(request) if isinstance(item, Picture)]

    assert len(remote) == len(alone) > 0
    for ours, theirs in zip(remote, alone, strict=True):
        assert np.array_equal(ours.rgba, theirs.rgba)
        assert (ours.role, ours.index, ours.seed, ours.hidden) == (theirs.role, theirs.index, theirs.seed, theirs.hidden)
        assert ours.parameters == theirs.parameters and ours.warnings == theirs.warnings
        assert ours.quality == pytest.approx(theirs.quality)


def test_the_command_line_writes_the_same_file_with_a_server_as_alone(
    real_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["generate", "red apple", "--steps", "2", "--seed", "5", "-o"]
    done = [line["event"] for line in real_server.log()].count("over")
    monkeypatch.setenv("ACETATE_HOME", str(real_server.folder))
    assert main([*words, str(tmp_path / "server.png")]) == 0
    assert [line["event"] for line in real_server.log()].count("over") == done + 1
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    assert main([*words, str(tmp_path / "alone.png")]) == 0

    assert (tmp_path / "server.png").read_bytes() == (tmp_path / "alone.png").read_bytes()


def test_errors_are_the_engines_own(real_server: Any) -> None:
    with pytest.raises(BadRequest, match="steps"):
        list(RemoteServer(real_server.address).generate(Request(prompt="red apple", steps=100_000)))


def test_progress_comes_a_preview_forms_and_a_running_job_is_cancelled(real_server: Any, until: Any) -> None:
    """Of a job that lasts: what is over in a moment may have told no progress, as the newest news goes first."""
    with Client("test", address=real_server.address) as client:
        job = client.submit("foreground", Parameters(prompt="red apple", steps=range_of("steps")[1], count=4))
        for news in (Progress, Preview):
            assert isinstance(until(client, lambda event, news=news: isinstance(event, (news, *TERMINAL)))[-1], news)
        client.cancel(job)
        after = until(client, lambda event: isinstance(event, TERMINAL))

    assert isinstance(after[-1], Cancelled)


def test_the_engine_describes_itself(real_server: Any, until: Any) -> None:
    with Client("test", address=real_server.address) as client:
        events = until(client, lambda event: isinstance(event, (Connected, EngineEvent)))
        engine = client.welcome.engine if isinstance(events[-1], Connected) and client.welcome else events[-1]
        if engine.state != "ready":
            engine = until(client, lambda event: isinstance(event, EngineEvent) and event.state == "ready")[-1]

    assert engine.device == "cpu"
    assert engine.models[0]["name"] == "sketchpad"
