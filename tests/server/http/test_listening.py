"""Where a server listens, what it does when it cannot, and where it says that it is."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.http import listening
from acetate.server.http.listening import ListenError, greeting, listen, reaches, url_of
from acetate.server.http.refusals import refusal
from acetate.server.settings import DEFAULT_PORT, Settings

TLS: dict[str, Any] = {"tls_certificate": "c.pem", "tls_key": "k.pem"}


def nothing(*arguments: Any) -> None:
    pass


def listens(**values: Any) -> tuple[str, bool, list[str]]:
    """Listen for real: the URL, whether it leads there, and the addresses that a program on this computer may try."""

    async def scene() -> tuple[str, bool, list[str]]:
        settings = Settings(**{"port": 0, **values})
        async with await listen(settings, nothing, nothing, nothing) as server:  # type: ignore[arg-type]
            url = url_of(settings, server)
            port = server.sockets[0].getsockname()[1]
            tried = [host for host in ("127.0.0.1", "[::1]") if await reaches(f"ws://{host}:{port}/")]
            return url, await reaches(url), tried

    return asyncio.run(scene())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "", "::", "::1"])
def test_the_address_that_is_announced_is_one_that_connects(host: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    url, connects, tried = listens(host=host)
    assert connects, url
    if host in ("", "::") and socket.has_dualstack_ipv6():
        assert tried == ["127.0.0.1", "[::1]"], "both families"


# --- when it cannot --------------------------------------------------------------------------------------------------


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], list[int]]:
    """Make the default port fail so, as Windows does in its reserved ranges; the ports that are tried."""

    def arranged(number: int, text: str) -> list[int]:
        tried: list[int] = []
        real = asyncio.BaseEventLoop.create_server

        async def create(self: Any, factory: Any, host: Any = None, port: Any = None, **more: Any) -> Any:
            tried.append(port)
            if port != 0:
                raise OSError(number, text)
            return await real(self, factory, host, port, **more)

        monkeypatch.setattr(asyncio.BaseEventLoop, "create_server", create)
        return tried

    return arranged


@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.EACCES], ids=["taken", "reserved"])
def test_a_default_port_that_cannot_be_had_is_no_reason_not_to_listen(refusing: Any, number: int) -> None:
    tried = refusing(number, "no")
    url, _, _ = listens(port=None)
    assert tried == [DEFAULT_PORT, 0] and not url.endswith(f":{DEFAULT_PORT}/")


def test_another_failure_is_not_tried_again(refusing: Any) -> None:
    tried = refusing(errno.ENOBUFS, "no room")
    with pytest.raises(ListenError, match="no room"):
        listens(port=None)
    assert tried == [DEFAULT_PORT]


@pytest.mark.parametrize(
    ("values", "number", "named"),
    [
        ({"port": 80}, errno.EACCES, "port 80 .*1024"),
        ({"port": 7}, errno.EADDRINUSE, "port 7 .*taken"),
        ({"host": "192.0.2.1", "port": 7}, errno.EADDRNOTAVAIL, "--host 192.0.2.1 is not an address"),
    ],
)
def test_a_port_that_was_asked_for_is_named_and_no_other_is_taken(
    refusing: Any, values: dict[str, Any], number: int, named: str
) -> None:
    tried = refusing(number, "no")
    with pytest.raises(ListenError, match=named):
        listens(**values)
    assert len(tried) == 1


def test_a_port_that_another_program_has_is_named_for_every_host() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "0.0.0.0", "::"):
            with pytest.raises(ListenError, match=f"port {port} .*taken"):
                listens(host=host, port=port)


def test_a_name_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ListenError, match=r"--host no\.such\.name: no address of that name"):
        listens(host="no.such.name")


def test_without_ipv6_everywhere_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*arguments: Any, **more: Any) -> Any:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(listening.socket, "create_server", without)
    assert listens(host="::")[1:] == (True, ["127.0.0.1"])


# --- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "ws://127.0.0.1:5/"),
        ({"host": "::1"}, "ws://[::1]:5/"),
        ({"host": "0.0.0.0", "insecure": True}, "ws://127.0.0.1:5/"),
        ({"host": "::", "insecure": True}, "ws://127.0.0.1:5/"),
        ({"host": "studio.example", **TLS}, "wss://studio.example:5/"),
        ({"host": "0.0.0.0", **TLS}, "wss://easel:5/"),
        ({"host": "::", "names": ("studio.example", "box"), **TLS}, "wss://studio.example:5/"),
    ],
    ids=str,
)
def test_local_programs_reach_it_at_a_name_that_its_certificate_can_have(
    settings: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening.socket, "gethostname", lambda: "easel")
    server: Any = SimpleNamespace(sockets=[SimpleNamespace(getsockname=lambda: ("anything", 5))])
    assert url_of(Settings(**settings), server) == url


@pytest.mark.parametrize(("settings", "lines"), [({}, 1), ({"host": "0.0.0.0", "insecure": True}, 3)])
def test_the_greeting_warns_of_what_others_can_do(settings: dict[str, Any], lines: int) -> None:
    said = greeting("ws://127.0.0.1:5/", Settings(**settings))
    assert "ws://127.0.0.1:5/" in said.splitlines()[0] and len(said.splitlines()) == lines
    assert ("--insecure" in said) == (lines == 3)
    assert refusal(Settings(**settings)) is None
