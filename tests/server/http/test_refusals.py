"""What is refused by its option before a server listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from acetate.server.http.refusals import refusal
from acetate.server.settings import Settings


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "192.0.2.1"},
        {"host": ""},
        {"host": "studio.example"},
        {"host": "localhost.example"},
        {"tls_certificate": Path("certificate.pem")},
        {"tls_key": Path("key.pem")},
        {"host": "192.0.2.1", "tls_certificate": Path("certificate.pem"), "insecure": True},
    ],
    ids=str,
)
def test_an_open_door_without_a_lock_is_refused(settings: dict[str, Any]) -> None:
    assert "--tls-certificate" in (refusal(Settings(**settings)) or "")


@pytest.mark.parametrize(
    "settings",
    [{}, {"host": "localhost"}, {"host": "127.0.0.53"}, {"host": "::1"}, {"host": "192.0.2.1", "insecure": True}],
    ids=str,
)
def test_loopback_and_a_clear_word_are_served(settings: dict[str, Any]) -> None:
    assert refusal(Settings(**settings)) is None


@pytest.mark.parametrize("port", [-5, -1, 65536, 99999])
def test_what_is_no_port_is_named(port: int) -> None:
    assert f"--port {port} is no port" in (refusal(Settings(port=port)) or "")


@pytest.mark.parametrize("port", [None, 0, 1, 65535])
def test_every_port_may_be_asked_for(port: int | None) -> None:
    assert refusal(Settings(port=port)) is None


@pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:1", "CUDA", "", "cuda 1", "cuda:1\n"])
def test_what_is_no_device_is_named_with_those_that_are(device: str) -> None:
    said = refusal(Settings(devices=("cpu", device))) or ""
    assert repr(device) in said and "cuda:1" in said


@pytest.mark.parametrize("device", [None, "cpu", "cuda", "cuda:7", "mps", "xpu", "xpu:12"])
def test_a_device_that_may_be_there_is_left_to_the_worker(device: str | None) -> None:
    assert refusal(Settings(devices=(device,))) is None
