"""What deploy/ holds, with the programs that it is for: nginx before a real server, and systemd's own check of the units."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from acetate.protocol import Address, Client, Disconnected, Finished, LayerReady, Parameters, Progress, ProtocolError
from acetate.protocol.client.server_requests import ask

from .conftest import DEADLINE

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
WRAPPED = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log off;
    {paths}
    {page}
}}
"""


class Proxy(NamedTuple):
    """nginx with deploy/nginx.conf before a server."""

    port: int
    certificate: Path
    server: Any

    @property
    def address(self) -> Address:
        return Address(f"wss://localhost:{self.port}/acetate/", self.server.address.token, str(self.certificate))

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context(cafile=self.certificate)
        connection = HTTPSConnection("localhost", self.port, context=context, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


@pytest.fixture
def proxied(start_server: Any, tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Start a server with these settings, and nginx before it with the page as it is, but for these changes."""
    if NGINX is None:
        pytest.skip("nginx is not installed here (Debian: nginx-light)")
    processes: list[subprocess.Popen[bytes]] = []

    def start(changes: dict[str, str] | None = None, **settings: Any) -> Proxy:
        server = start_server(**settings)
        certificate, key = _certificate(tmp_path)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        changed = {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "studio.example": "localhost",
            "/etc/ssl/acetate/fullchain.pem": str(certificate),
            "/etc/ssl/acetate/privkey.pem": str(key),
            "127.0.0.1:22380": f"127.0.0.1:{server.port}",
            **(changes or {}),
        }
        page = (DEPLOY / "nginx.conf").read_text()
        for old, new in changed.items():
            assert old in page, f"deploy/nginx.conf has no {old}"
            page = page.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        conf = tmp_path / "nginx.conf"
        conf.write_text(WRAPPED.format(folder=tmp_path, paths=paths, page=page))
        command = [str(NGINX), "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(conf)]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        processes.append(subprocess.Popen(command))
        while not _listens(port):
            assert processes[-1].poll() is None, (tmp_path / "error.log").read_text()
            threading.Event().wait(0.01)
        return Proxy(port, certificate, server)

    yield start
    for process in processes:
        process.terminate()
        process.wait(DEADLINE)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(["openssl", "req", *words], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here")
    return certificate, key


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


# --- nginx -----------------------------------------------------------------------------------------------------------


def test_a_client_works_through_nginx_below_a_path(proxied: Callable[..., Proxy]) -> None:
    """Previews and progress, an upload, and a layer of many parts, over TLS."""
    proxy = proxied()
    with Client("far away", address=proxy.address) as client:
        events = list(client.run("foreground", Parameters(prompt="a kite @big:1024"), previews=True, timeout=DEADLINE))
    (layer,) = (event for event in events if isinstance(event, LayerReady))
    assert isinstance(events[-1], Finished) and any(isinstance(event, Progress) for event in events)
    assert len(layer.data) == 1024 * 1024 * 4


def test_a_load_balancer_sees_life_and_readiness_through_nginx(proxied: Callable[..., Proxy]) -> None:
    proxy = proxied()
    for page in ("healthz", "readyz"):
        assert proxy.answer("GET", f"/acetate/{page}")[0] == 200
        status, _, body = proxy.answer("HEAD", f"/acetate/{page}")
        assert (status, body) == (200, b"")
    status, headers, _ = proxy.answer("PUT", "/acetate/healthz")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert ask(proxy.address, "/healthz")["protocol"] == 1


@pytest.mark.parametrize(("method", "page"), [("GET", "metrics"), ("GET", "status"), ("POST", "stop"), ("POST", "stop?now")])
def test_nobody_looks_after_the_server_from_outside(proxied: Callable[..., Proxy], method: str, page: str) -> None:
    proxy = proxied()
    with pytest.raises(ProtocolError, match="HTTP 403"):
        ask(proxy.address, f"/{page}", method=method)
    assert ask(proxy.server.address, "/status")["stopping"] is False


def test_strangers_stay_strangers_behind_nginx(proxied: Callable[..., Proxy]) -> None:
    proxy = proxied()
    assert proxy.answer("GET", "/acetate/")[0] == 401
    client = Client("stranger", address=Address(proxy.address.url, "0" * 64, proxy.address.cafile))
    client.connect()
    event = client.events.get(timeout=DEADLINE)
    client.close()
    assert isinstance(event, Disconnected) and event.failure.code == "not-the-server", "of none that knows such a token"


@pytest.mark.parametrize(("ping", "stays"), [(0.2, True), (3600, False)])
def test_a_silent_connection_stays_as_long_as_pings_come_more_often_than_the_proxys_patience(
    proxied: Callable[..., Proxy], ping: float, stays: bool
) -> None:
    """An editor may wait for hours. With the client's own pings out of the way, the server's keep the connection."""
    proxy = proxied({"proxy_read_timeout 90s": "proxy_read_timeout 2s"}, ping_seconds=ping)
    with Client("silent", address=proxy.address) as client:
        while True:
            try:
                event = client.events.get(timeout=6)
            except queue.Empty:
                event = None
                break
            if isinstance(event, Disconnected):
                break
    assert (event is None) == stays


def test_the_pages_patience_is_longer_than_the_servers_silence() -> None:
    from acetate.server.settings import Settings

    patience = re.search(r"proxy_read_timeout (\d+)s;", (DEPLOY / "nginx.conf").read_text())
    assert patience is not None and int(patience[1]) > 2 * Settings().ping_seconds


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "how"), [("acetate.service", []), ("acetate-user.service", ["--user"])])
def test_systemd_finds_nothing_wrong_with_the_unit(unit: str, how: list[str], tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here (Debian: systemd)")
    text = (DEPLOY / "systemd" / unit).read_text()
    there = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text)  # what is installed elsewhere cannot be here
    there = re.sub(r"(?m)^User=.*$", "User=root", there)
    (tmp_path / unit).write_text(there)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = ["systemd-analyze", "verify", *how, str(tmp_path / unit)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", ["acetate.service", "acetate-user.service"])
def test_systemd_gives_the_server_the_time_that_its_jobs_have(unit: str) -> None:
    from acetate.server.settings import Settings

    limit = re.search(r"(?m)^TimeoutStopSec=(\d+)$", (DEPLOY / "systemd" / unit).read_text())
    assert limit is not None and int(limit[1]) >= Settings().drain_seconds + 20


def test_systemd_is_told_when_the_server_listens_and_when_it_stops(
    start_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(DEADLINE)
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        server = start_server()
        assert systemd.recv(100) == b"READY=1"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=DEADLINE) as answer:
            assert json.load(answer)["ready"] is True
        server.stop()
        assert systemd.recv(100) == b"STOPPING=1"


# --- the image ---------------------------------------------------------------------------------------------------------


def test_the_image_copies_what_is_there_and_installs_with_the_pins() -> None:
    """It is not built here: that takes a base image."""
    text = (DEPLOY / "Containerfile").read_text()
    for source in re.findall(r"(?m)^COPY (\S+) \S+$", text):
        assert (DEPLOY.parent / source).exists(), source
    installs = re.findall(r"pip install .*", text)
    assert installs and all("-c constraints.txt" in install for install in installs)
    ignored = (DEPLOY.parent / ".containerignore").read_text().split()
    assert not {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "NOTICE"} & set(ignored)
