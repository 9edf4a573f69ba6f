from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.http.handshake import Handshake

NOBODY: Any = SimpleNamespace()
GATE = Handshake(NOBODY, ("127.0.0.1", "Studio.example"), dict)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:80", "localhost:22380", "LOCALHOST", "[::1]", "[::1]:5", "192.168.1.4:1", "studio.EXAMPLE:443"],
)
def test_addresses_and_names_of_this_computer_are_known(host: str) -> None:
    assert GATE._is_known_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        ":80",
        "evil.example",
        "localhost.",
        "127.0.0.1.evil.example",
        "[::1",
        "0x7f.1",
        "a@localhost",
        "evil.studio.example",
    ],
)
def test_all_other_names_are_foreign(host: str | None) -> None:
    assert not GATE._is_known_host(host)
