"""Nothing is told to whoever has a port before it has proved to be the server: neither the token nor a prompt."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from acetate.protocol import Address, Client, Disconnected, ProtocolError, answers, proof
from acetate.protocol.client.server_discovery import ServerDiscovery
from acetate.protocol.client.server_requests import ask, prove

TOKEN = "a" * 64
DEADLINE = 60.0

Answer = Callable[[str], tuple[int, str, bytes]]
"""From a challenge to a status, a proof and a body."""


def right(asked: str) -> str:
    return proof.proof(proof.digest_of(TOKEN), asked)


def honest(asked: str) -> tuple[int, str, bytes]:
    return 200, right(asked) if asked else "", b'{"version": "1"}'


class Port:
    """Something that listens: `heard` is all that it was ever sent."""

    def __init__(self, answer: Answer) -> None:
        self.heard: list[str] = []
        port = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                port.heard.append(f"{self.requestline}\n{self.headers}")
                status, proved, body = answer(self.headers.get(proof.CHALLENGE, ""))
                self.send_response(status)
                if proved:
                    self.send_header(proof.ANSWER, proved)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def address(self) -> Address:
        return Address(f"ws://127.0.0.1:{self.server.server_port}/", TOKEN)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(DEADLINE)


@pytest.fixture
def listening() -> Iterator[Callable[[Answer], Port]]:
    ports: list[Port] = []

    def listen(answer: Answer) -> Port:
        ports.append(Port(answer))
        return ports[-1]

    yield listen
    for port in ports:
        port.stop()


def code_of(address: Address) -> str:
    with pytest.raises(ProtocolError) as error:
        prove(address)
    return error.value.failure.code


def test_the_server_proves_itself(listening: Callable[[Answer], Port]) -> None:
    port = listening(honest)
    prove(port.address)

    assert answers(port.address)
    assert port.heard[0].startswith("GET /healthz ")


def test_a_page_is_asked_with_the_token_once_the_server_has_proved_itself(listening: Callable[[Answer], Port]) -> None:
    port = listening(honest)
    assert ask(port.address, "/status") == {"version": "1"}
    first, second = port.heard
    assert "Authorization" not in first and f"Authorization: Bearer {TOKEN}" in second and second.startswith("GET /status ")


def test_no_page_is_asked_of_an_impostor(listening: Callable[[Answer], Port]) -> None:
    impostor = listening(lambda asked: (200, "", b"{}"))
    with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "not-the-server"):
        ask(impostor.address, "/stop", method="POST")
    assert not any(TOKEN in heard for heard in impostor.heard)


def test_behind_a_proxy_it_is_asked_below_its_path(listening: Callable[[Answer], Port]) -> None:
    port = listening(honest)
    prove(Address(port.address.url + "acetate/", TOKEN))

    assert port.heard[0].startswith("GET /acetate/healthz ")


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: (200, "", b""),
        lambda asked: (200, "", b"<html>a web page</html>"),
        lambda asked: (200, "", b'{"version": "0.0.9", "protocol": 1}'),
        lambda asked: (200, "yes", b"{}"),
        lambda asked: (200, asked, b"{}"),
        lambda asked: (200, proof.proof(proof.digest_of("guessed"), asked), b"{}"),
        lambda asked: (200, right("an older challenge"), b"{}"),
        lambda asked: (404, "", b"nothing here"),
        lambda asked: (200, "", b"\xff" * (1 << 21)),
    ],
)
def test_whoever_else_answers_is_not_the_server(answer: Answer, listening: Callable[[Answer], Port]) -> None:
    port = listening(answer)

    assert code_of(port.address) == "not-the-server" and not answers(port.address)


def test_what_speaks_no_http_is_not_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            connection.recv(1 << 16)
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        talking = threading.Thread(target=talk)
        talking.start()
        assert code_of(Address(f"ws://127.0.0.1:{listener.getsockname()[1]}/", TOKEN)) == "not-the-server"
        talking.join(DEADLINE)


def test_what_takes_connections_and_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acetate.protocol.client.server_requests.PROOF_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(f"ws://127.0.0.1:{listener.getsockname()[1]}/", TOKEN)
        with pytest.raises(ProtocolError, match="takes connections, but has said nothing") as error:
            prove(address)

    assert "acetate serve" in error.value.failure.hint


def test_a_wrong_token_for_an_address_that_was_given_is_named(listening: Callable[[Answer], Port]) -> None:
    given = listening(lambda asked: (200, "", b"{}")).address
    with pytest.raises(ProtocolError, match="does not know this token") as error:
        ServerDiscovery(given, None).find(lambda command: None, threading.Event())

    assert "acetate token add" in error.value.failure.hint


def test_a_server_of_another_name_is_told_apart(listening: Callable[[Answer], Port]) -> None:
    assert code_of(listening(lambda asked: (HTTPStatus.MISDIRECTED_REQUEST, "", b"")).address) == "forbidden"


@pytest.mark.parametrize("url", ["", "studio", "http://studio/", "ws://", "ws://studio:port/", "ws://[::1/"])
def test_what_is_no_address_is_named(url: str) -> None:
    assert code_of(Address(url, TOKEN)) == "no-server"


def test_where_nobody_listens_there_is_no_connection() -> None:
    with socket.socket() as bound:  # the port is taken, so that nobody else can listen there, and nobody does
        bound.bind(("127.0.0.1", 0))
        address = Address(f"ws://127.0.0.1:{bound.getsockname()[1]}/", TOKEN)
        assert not answers(address)
        with pytest.raises(ConnectionRefusedError):
            prove(address)


@pytest.mark.parametrize("given", [True, False], ids=["an address", "the state file"])
def test_an_impostor_on_a_killed_servers_port_hears_no_token_and_no_prompt(
    given: bool, listening: Callable[[Answer], Port], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impostor = listening(lambda asked: (200, "", b'{"version": "0.1.0", "protocol": 1, "queue": 0, "engine": "ready"}'))
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    said = {"url": impostor.address.url, "token": TOKEN, "pid": 5, "protocol": 1}
    (tmp_path / "server.json").write_text(json.dumps(said))
    client = Client("test", address=impostor.address if given else None)
    client.submit("foreground")
    client.connect()
    told = client.events.get(timeout=DEADLINE)
    client.close()

    assert isinstance(told, Disconnected) and told.failure.code == "not-the-server"
    assert impostor.heard and not any(word in text for text in impostor.heard for word in (TOKEN, "Authorization", "Upgrade"))


def test_beside_an_impostor_a_server_is_started(
    listening: Callable[[Answer], Port], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impostor, server = listening(lambda asked: (200, "", b"{}")), listening(honest)
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))

    def write(port: Port) -> None:
        said = {"url": port.address.url, "token": TOKEN, "pid": 5, "protocol": 1}
        (tmp_path / "server.json").write_text(json.dumps(said))

    write(impostor)
    found = ServerDiscovery(None, ["true"]).find(lambda command: write(server), threading.Event())

    assert found == server.address
