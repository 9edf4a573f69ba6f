"""What is said to `acetate serve` reaches the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from acetate.server.settings import ENGINE, FAKE_ENGINE, Settings

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that would be served; the server ends with code 7."""
    seen: list[Settings] = []
    monkeypatch.setattr("acetate.server.http.serve.run", lambda settings: seen.append(settings) or 7)
    return seen


def test_every_option_is_a_setting(acetate: Command, asked: list[Settings]) -> None:
    words = ("--host", "192.0.2.1", "--port", 0, "--name", "studio.example", "--name", "easel", "--device", "cuda:1")
    more = ("--preload", "painter", "--preload", "sketchpad", "--tls-certificate", "c.pem", "--tls-key", "k.pem", "--insecure")
    assert acetate("serve", *words, *more, "--engine", "fake")[0] == 7
    (settings,) = asked

    assert settings == Settings(
        host="192.0.2.1",
        port=0,
        names=("studio.example", "easel"),
        devices=("cuda:1",),
        preload=("painter", "sketchpad"),
        tls_certificate=Path("c.pem"),
        tls_key=Path("k.pem"),
        insecure=True,
        engine=FAKE_ENGINE,
    )


def test_what_is_not_said_is_as_the_settings_have_it(acetate: Command, asked: list[Settings]) -> None:
    acetate("serve")
    assert asked == [Settings()] and asked[0].engine == ENGINE


def test_a_cluster_and_devices_are_named(acetate: Command, asked: list[Settings]) -> None:
    acetate("serve", "--ray", "head:6379", "--ray-workers", 2)
    acetate("serve", "--ray", "auto", "--device", "cuda:0,cpu")

    assert asked == [Settings(ray="head:6379", ray_workers=2), Settings(ray="auto", devices=("cuda:0", "cpu"))]


def test_a_port_is_a_number(acetate: Command, asked: list[Settings]) -> None:
    code, _, err = acetate("serve", "--port", "http")
    assert (code, asked) == (2, []) and "--port" in err
