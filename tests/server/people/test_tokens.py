"""Tokens with names: shown once, kept as digests in a file that only its owner reads, read again when it changes."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from acetate.protocol.proof import digest_of
from acetate.server.people.tokens import Person, TokenError, Tokens


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


def test_a_token_lets_its_person_in_until_it_is_revoked(path: Path) -> None:
    tokens = Tokens(path)
    hers, his = tokens.add("anna"), tokens.add("ben", admin=True)
    assert tokens.find(digest_of(hers)) == Person("anna") and tokens.find(digest_of(his)) == Person("ben", admin=True)
    tokens.revoke("anna")

    assert tokens.find(digest_of(hers)) is None and tokens.find(digest_of(his)) is not None


def test_a_running_server_sees_what_the_command_line_changes(path: Path) -> None:
    server, command = Tokens(path), Tokens(path)
    assert not server.all()
    token = command.add("anna")
    assert server.find(digest_of(token)) == Person("anna")
    command.revoke("anna")
    assert server.find(digest_of(token)) is None
    path.unlink()
    assert not server.all()


def test_the_file_holds_no_token_and_is_its_owners_alone(path: Path) -> None:
    token = Tokens(path).add("anna")
    assert token not in path.read_text() and len(token) == 64
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "nothing half-written is left"


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a/b", "a\n", "ä", "x" * 33, "local", "LOCAL"])
def test_a_name_that_no_one_can_have_is_refused(name: str, path: Path) -> None:
    with pytest.raises(TokenError, match="name"):
        Tokens(path).add(name)
    assert not path.exists()


def test_a_second_token_of_a_name_is_refused_and_the_first_goes_on(path: Path) -> None:
    tokens = Tokens(path)
    token = tokens.add("anna")
    for name in ("anna", "Anna"):
        with pytest.raises(TokenError, match="acetate token revoke anna"):
            tokens.add(name)
    assert tokens.find(digest_of(token)) == Person("anna")


def test_revoking_nobody_names_who_there_is(path: Path) -> None:
    tokens = Tokens(path)
    tokens.add("anna")
    with pytest.raises(TokenError, match="names that have: anna"):
        tokens.revoke("ben")


GOOD = {"name": "anna", "sha256": "0" * 64, "admin": False, "added": "2026-01-01"}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}[",
        "7",
        '{"anna": 1}',
        *(json.dumps([GOOD | wrong]) for wrong in ({"name": "local"}, {"name": 7}, {"sha256": "x"}, {"admin": 1}, {"more": 1})),
        json.dumps([{"name": "anna"}]),
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_named_and_lets_nobody_in(text: str | bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    tokens = Tokens(path)
    for action in (tokens.all, lambda: tokens.find("0" * 64), lambda: tokens.add("ben")):
        with pytest.raises(TokenError, match="tokens.json"):
            action()
