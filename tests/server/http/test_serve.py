"""What a server refuses to be before its folder is touched, and one server a folder. Real ones listen in `tests/e2e`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from acetate.server.http import serve as serving
from acetate.server.instance import Instance
from acetate.server.settings import Settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "192.0.2.1"}, "--tls-certificate"),
        ({"port": 99999}, "--port 99999"),
        ({"devices": ("tpu",)}, "--device 'tpu'"),
        ({"tls_certificate": Path("no.pem"), "tls_key": Path("no.key")}, "--tls-certificate no.pem"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_refused_before_the_folder_is_touched(
    settings: dict[str, Any], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serving.run(Settings(folder=tmp_path / "state", **settings)) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_second_server_of_a_folder_is_no_failure_and_says_where_the_first_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    masks: list[int] = []
    monkeypatch.setattr(serving.os, "umask", masks.append)
    first = Instance(tmp_path)
    try:
        first.announce("ws://127.0.0.1:5/")
        assert serving.run(Settings(folder=tmp_path)) == 0
    finally:
        first.release()
    assert "already running at ws://127.0.0.1:5/" in capsys.readouterr().out
    assert masks == [0o077], "set before anything is written"


def test_a_folder_that_an_ending_server_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has withdrawn its address; an editor that has heard of its end starts the next one at once."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    first = Instance(tmp_path)
    monkeypatch.setattr(serving.time, "sleep", lambda seconds: first.release())
    second = serving._instance(tmp_path)
    second.release()
    assert second.token != first.token


def test_one_that_holds_the_folder_and_says_nothing_is_not_waited_for_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    monkeypatch.setattr(serving, "LOCK_SECONDS", 0)
    first = Instance(tmp_path)
    try:
        assert serving.run(Settings(folder=tmp_path)) == 0
    finally:
        first.release()
    assert "has not written its address yet" in capsys.readouterr().out


def test_the_state_file_says_whether_an_editor_may_replace_the_server(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.announce("ws://127.0.0.1:1/")
    assert "until_idle" not in json.loads(instance.state_file.read_text())
    instance.announce("ws://127.0.0.1:1/", until_idle=True)
    assert json.loads(instance.state_file.read_text())["until_idle"] is True
    instance.release()
