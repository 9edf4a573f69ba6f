"""Downloads through proxies, as the environment names them: a SOCKS proxy that the test stands in for, and absent ones."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from acetate.engine.downloads.proxies import check_proxies, proxy_for, without_password
from acetate.engine.values.errors import BadRequest

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CONTENT = bytes(range(256)) * 400
PULL = f"""
import dataclasses, pathlib, sys
from acetate.engine.downloads import hub
from acetate.engine.files import catalogue
from acetate.server.command_line.exit_codes import reported
row = dataclasses.replace(catalogue.ROWS[2], bytes={len(CONTENT)}, sha256={hashlib.sha256(CONTENT).hexdigest()!r})
def run(options):
    print(hub.pull(row, pathlib.Path(sys.argv[1]), lambda row: True))
    return 0
import argparse
sys.exit(reported(argparse.Namespace(run=run)))
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set these variables of proxies, and no others."""

    def only(**values: str) -> None:
        for name in (*VARIABLES, *map(str.lower, VARIABLES)):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    only()
    return only


# --- which one ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"ALL_PROXY": "socks5://127.0.0.1:1080"}, "socks5://127.0.0.1:1080"),
        ({"ALL_PROXY": "socks5://all:1", "HTTPS_PROXY": "http://own:2"}, "http://own:2"),
        ({"HTTPS_PROXY": "http://artist:p@ss:word@proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "huggingface.co"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, "http://proxy:3128"),
    ],
    ids=str,
)
def test_the_proxy_is_the_one_of_the_addresss_kind_and_has_no_password(
    environment: Callable[..., None], variables: dict[str, str], proxy: str | None
) -> None:
    environment(**variables)
    assert proxy_for("https://huggingface.co/a/file") == proxy


@pytest.mark.parametrize(
    "given", ["socks://127.0.0.1:1080", "socks4://127.0.0.1:1", "ftp://proxy:1", "http://[::1", "http://proxy:x"]
)
def test_a_proxy_of_a_kind_that_cannot_be_used_is_named_with_those_that_can(environment: Callable[..., None], given: str) -> None:
    """`socks://` is what some desktops set."""
    environment(ALL_PROXY=given)
    with pytest.raises(BadRequest) as error:
        check_proxies()
    assert given in str(error.value) and "socks5://" in error.value.hint and "ALL_PROXY" in error.value.hint


@pytest.mark.parametrize(
    "given", ["", "proxy:3128", "http://proxy", "https://proxy:1", "socks5://u:p@proxy:1", "socks5h://proxy:1"]
)
def test_other_proxies_are_taken_at_their_word(environment: Callable[..., None], given: str) -> None:
    environment(ALL_PROXY=given, HTTPS_PROXY=given)
    check_proxies()


def test_a_password_is_never_shown() -> None:
    assert without_password("socks5://artist:secret@proxy:1") == "socks5://proxy:1"
    assert without_password("artist:sec@ret@proxy:1") == "http://proxy:1"


# --- through it --------------------------------------------------------------------------------------------------------


class Hub(BaseHTTPRequestHandler):
    """Has one file under every name."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        for name, value in (("Content-Length", len(CONTENT)), ("X-Linked-Size", len(CONTENT)), ("X-Repo-Commit", "e" * 40)):
            self.send_header(name, str(value))
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(CONTENT).hexdigest()}"')
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, *arguments: object) -> None:
        pass


class Socks(StreamRequestHandler):
    """SOCKS 5 without a password (RFC 1928): connects, passes on, notes where to."""

    asked: list[str]
    hub: tuple[str, int]

    def handle(self) -> None:
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        size = self.rfile.read(1)[0] if kind == 3 else 4
        name = self.rfile.read(size)
        self.rfile.read(2)
        self.asked.append(name.decode() if kind == 3 else ".".join(map(str, name)))
        with socket.create_connection(self.hub) as hub:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            back = Thread(target=self._pass, args=(hub, self.connection))
            back.start()
            self._pass(self.connection, hub)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def servers() -> Iterator[tuple[int, list[str]]]:
    """A hub, and before it a proxy: its port, and the names that it was asked for."""
    asked: list[str] = []
    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    proxy = ThreadingTCPServer(
        ("127.0.0.1", 0), type("Handler", (Socks,), {"asked": asked, "hub": ("127.0.0.1", hub.server_address[1])})
    )
    proxy.daemon_threads = hub.daemon_threads = True
    threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in (hub, proxy)]
    for thread in threads:
        thread.start()
    yield proxy.server_address[1], asked
    for server, thread in zip((hub, proxy), threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def pulled(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Download in a process of its own: the library looks at the environment once."""
    kept = {name: value for name, value in os.environ.items() if name.upper() not in VARIABLES}
    environment = {**kept, "HF_ENDPOINT": "http://hub.invalid", **variables}
    command = [sys.executable, "-c", PULL, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_file_comes_through_a_socks_proxy(servers: tuple[int, list[str]], tmp_path: Path, scheme: str) -> None:
    port, asked = servers
    done = pulled(tmp_path, ALL_PROXY=f"{scheme}://127.0.0.1:{port}")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == CONTENT and set(asked) == {"hub.invalid"}


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_does_not_answer_is_named_without_its_password(tmp_path: Path, scheme: str) -> None:
    done = pulled(tmp_path, ALL_PROXY=f"{scheme}://artist:secret@127.0.0.1:9")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"through the proxy {scheme}://127.0.0.1:9" in done.stderr and "is it right?" in done.stderr
    assert "secret" not in done.stderr


def test_a_proxy_that_cannot_be_used_is_a_wrong_setting_and_no_traceback(tmp_path: Path) -> None:
    done = pulled(tmp_path, ALL_PROXY="socks://127.0.0.1:1080")
    assert done.returncode == 2 and "Traceback" not in done.stderr and "socks5://" in done.stderr
