"""What a server refuses to be, where it says that it is, and when it stops. Real ones listen in `tests/e2e`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.http import serve as serving
from acetate.server.instance import Instance
from acetate.server.settings import ENGINE, FAKE_ENGINE, Settings

CERTIFICATE, KEY = Path("certificate.pem"), Path("key.pem")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that would be served."""
    seen: list[Settings] = []
    monkeypatch.setattr(serving, "run", lambda settings: seen.append(settings) or 0)
    return seen


def test_several_devices_have_a_worker_each_and_none_leaves_the_choice_to_the_engine(asked: list[Settings]) -> None:
    serving.serve(device="cuda:0,cuda:1")
    serving.serve()
    assert [settings.devices for settings in asked] == [("cuda:0", "cuda:1"), (None,)]


@pytest.mark.parametrize(("said", "meant"), [("fake", FAKE_ENGINE), (ENGINE, ENGINE), ("mine:Engine", "mine:Engine")])
def test_the_fake_engine_has_a_short_name(asked: list[Settings], said: str, meant: str) -> None:
    serving.serve(engine=said)
    assert asked[0].engine == meant


# --- refusing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "192.0.2.1"},
        {"host": ""},
        {"host": "studio.example"},
        {"host": "localhost.example"},
        {"tls_certificate": CERTIFICATE},
        {"tls_key": KEY},
        {"host": "192.0.2.1", "tls_certificate": CERTIFICATE, "insecure": True},
    ],
    ids=str,
)
def test_an_open_door_without_a_lock_is_refused_before_the_folder_is_touched(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serving.run(Settings(folder=tmp_path / "state", **settings)) == 2
    assert "--tls-certificate" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"host": "localhost"},
        {"host": "127.0.0.53"},
        {"host": "::1"},
        {"host": "192.0.2.1", "insecure": True},
        {"host": "studio.example", "tls_certificate": CERTIFICATE, "tls_key": KEY},
    ],
    ids=str,
)
def test_loopback_tls_and_a_clear_word_are_served(settings: dict[str, Any]) -> None:
    assert serving._refusal(Settings(**settings)) is None


def test_a_second_server_of_a_folder_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts one finds the first, also where that has not written its address yet."""
    masks: list[int] = []
    monkeypatch.setattr(serving.os, "umask", masks.append)
    first = Instance(tmp_path)
    try:
        assert serving.run(Settings(folder=tmp_path)) == 0
    finally:
        first.release()
    assert "already running" in capsys.readouterr().out
    assert masks == [0o077], "set before anything is written"


# --- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "ws://127.0.0.1:5/"),
        ({"host": "::1"}, "ws://[::1]:5/"),
        ({"host": "0.0.0.0", "insecure": True}, "ws://127.0.0.1:5/"),
        ({"host": "::", "insecure": True}, "ws://127.0.0.1:5/"),
        ({"host": "studio.example", "tls_certificate": CERTIFICATE, "tls_key": KEY}, "wss://studio.example:5/"),
        ({"host": "0.0.0.0", "tls_certificate": CERTIFICATE, "tls_key": KEY}, "wss://easel:5/"),
    ],
    ids=str,
)
def test_local_programs_reach_it_at_a_name_that_its_certificate_can_have(
    settings: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.socket, "gethostname", lambda: "easel")
    server: Any = SimpleNamespace(sockets=[SimpleNamespace(getsockname=lambda: ("anything", 5))])
    assert serving._url(Settings(**settings), server) == url


@pytest.mark.parametrize(("settings", "lines"), [({}, 1), ({"host": "0.0.0.0", "insecure": True}, 3)])
def test_the_greeting_warns_of_what_others_can_do(settings: dict[str, Any], lines: int) -> None:
    greeting = serving._greeting("ws://127.0.0.1:5/", Settings(**settings))
    assert "ws://127.0.0.1:5/" in greeting.splitlines()[0] and len(greeting.splitlines()) == lines
    assert ("--insecure" in greeting) == (lines == 3)


# --- stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [False, True])
def test_it_stops_when_asked_to_and_with_a_failure_when_a_lane_has_ended(
    broken: bool, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A server without lanes would take jobs and never run them."""

    async def breaking() -> None:
        raise ZeroDivisionError("a mistake")

    async def working() -> None:
        await asyncio.Event().wait()

    async def scene() -> bool:
        stopping = asyncio.Event()
        tasks = [asyncio.create_task(lane()) for lane in ((working, breaking) if broken else (working, working))]
        waiting = asyncio.create_task(serving._until_stopped(stopping, tasks))
        await asyncio.sleep(0)
        assert not waiting.done()
        if not broken:
            stopping.set()
        failed = await asyncio.wait_for(waiting, 5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return failed

    assert asyncio.run(scene()) == broken
    assert ("a mistake" in caplog.text) == broken
    assert "Stopping" in capsys.readouterr().out
