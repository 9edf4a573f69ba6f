from __future__ import annotations

import http.server
import json
import os
import threading
from functools import partial

import pytest
from acetate.plugins.bridge.forms.server_address import choose_server, chosen_server, read_address, try_server
from acetate.protocol import Address, ProtocolError
from acetate.protocol.proof import ANSWER, CHALLENGE, challenge, digest_of, proof

TOKEN = "ab" * 16


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Answering(http.server.BaseHTTPRequestHandler):
    """A server of ours or of others, as far as this needs one."""

    def __init__(self, token, said, *arguments):
        self.token, self.said = token, said
        super().__init__(*arguments)

    def do_GET(self):
        self.send_response(200)
        asked = self.headers.get(CHALLENGE, "")
        if self.token and asked.split()[1:] == challenge(self.token).split()[1:]:
            self.send_header(ANSWER, proof(digest_of(self.token), asked))
        self.end_headers()
        self.wfile.write(json.dumps(self.said).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def serving():
    running = []

    def serve(token=TOKEN, **said):
        one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Answering, token, said))
        running.append(one)
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        return f"ws://127.0.0.1:{one.server_port}/"

    yield serve
    for one in running:
        one.shutdown()
        one.server_close()


def test_the_choice_is_kept_where_only_the_person_can_read_it(folder):
    assert chosen_server() is None, "at first it is the one on this computer"
    address = Address("wss://studio:443/", TOKEN, "/c.pem")
    choose_server(address)
    choose_server(address)
    assert chosen_server() == address
    if os.name == "posix":
        assert (folder / "editors.json").stat().st_mode & 0o777 == 0o600
    choose_server(None)
    choose_server(None)
    assert chosen_server() is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"url": 3, "token": "x"}', '{"url": "ws://x/", "token": "x", "cafile": 7}', "\udc80"]
)
def test_a_file_that_cannot_be_used_is_no_choice(folder, text):
    folder.mkdir()
    (folder / "editors.json").write_bytes(text.encode(errors="surrogateescape"))
    assert chosen_server() is None


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("ws://10.0.0.2:22380/", "ws://10.0.0.2:22380/"),
        (" http://studio:22380 ", "ws://studio:22380"),
        ("HTTPS://studio/acetate", "wss://studio/acetate"),
        ("studio:22380", "ws://studio:22380"),
        ("[::1]:22380", "ws://[::1]:22380"),
    ],
)
def test_an_address_is_read_as_people_write_it(typed, url):
    assert read_address(typed, f" {TOKEN}\n") == Address(url, TOKEN)


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("", TOKEN, "no server's address"),
        ("ftp://studio", TOKEN, "no server's address"),
        ("ws://studio:99999", TOKEN, "no server's address"),
        ("ws://", TOKEN, "no server's address"),
        ("studio", " ", "the token is missing"),
        ("studio", "a b", "blanks or letters"),
        ("studio", "ä", "blanks or letters"),
    ],
)
def test_what_is_no_address_is_said_before_anything_is_asked(url, token, said):
    with pytest.raises(ProtocolError, match=said) as raised:
        read_address(url, token)
    assert raised.value.failure.hint


def test_a_certificate_that_is_not_there_is_named():
    with pytest.raises(ProtocolError, match="no certificate at /nowhere.pem"):
        read_address("studio", TOKEN, "/nowhere.pem")


def test_a_server_that_answers_says_which_it_is(serving):
    url = serving(version="9.9", protocol=1, engine="ready")
    assert try_server(Address(url, TOKEN)) == (True, "The server 9.9 answers.")


def test_a_server_without_a_working_device_is_told_apart(serving):
    works, said = try_server(Address(serving(version="9.9", protocol=1, engine="failed"), TOKEN))
    assert not works and "no device works" in said


def test_a_wrong_token_another_program_and_another_protocol_are_told_apart(serving):
    ours = serving(version="9.9", protocol=1, engine="ready")
    wrong = try_server(Address(ours, "cd" * 16))[1]
    foreign = try_server(Address(serving(token=""), TOKEN))[1]
    older = try_server(Address(serving(version="0.0", protocol=0, engine="ready"), TOKEN))[1]
    assert "does not know this token" in wrong and "acetate token add" in wrong
    assert "What answers" in foreign and "does not know the token, so it was told nothing" in foreign
    assert "speaks protocol 0" in older and "Update Acetate" in older


def test_nobody_at_the_address_is_said_with_what_to_do(serving):
    works, said = try_server(Address("ws://127.0.0.1:9/", TOKEN))
    assert not works and "no answer" in said.lower() and "acetate serve" in said


def test_the_server_on_this_computer_need_not_run_yet():
    assert try_server(None) == (True, "No server runs on this computer; one is started when it is needed.")
