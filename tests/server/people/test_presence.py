"""Who comes in with which token, how many connections each may have, and who has to go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import proof
from acetate.server.people.presence import REVOKED, People
from acetate.server.people.tokens import LOCAL, Person, Tokens
from acetate.server.settings import Settings

OWN = "the state file's own token"


class Socket:
    """An open connection."""

    def __init__(self) -> None:
        self.closed: tuple[int, str] | None = None

    async def close(self, code: int, reason: str) -> None:
        self.closed = int(code), reason


class Place:
    """A server's people, and the connections that it has."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.open: list[Any] = []
        self.tokens = Tokens(folder / "tokens.json")  # the command line's view of the file
        self.people = People(Settings(folder=folder, **settings), OWN, Tokens(folder / "tokens.json"), lambda: self.open)

    def enter(self, person: Person) -> bool:
        """Whether a connection of the person fits; it is open afterwards."""
        if not self.people.has_room(person):
            return False
        socket: Any = Socket()
        self.people.let_in(socket, person)
        self.open.append(socket)
        return True

    def fill(self, person: Person) -> int:
        count = 0
        while self.enter(person):
            count += 1
        return count


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_token_tells_who_comes(place: Place) -> None:
    token = place.tokens.add("anna")
    assert place.people.who(OWN) == LOCAL and place.people.who(token) == Person("anna")
    for wrong in ("", OWN[:-1], token[:-1], proof.digest_of(token), "anna", "ä\udcff"):
        assert place.people.who(wrong) is None


def test_a_challenge_is_answered_for_every_token_and_for_no_other(place: Place) -> None:
    for token in (OWN, place.tokens.add("anna")):
        asked = proof.challenge(token)
        answer = place.people.proof(asked)
        assert proof.is_proof(answer, token, asked)
        assert not proof.is_proof(answer, token, proof.challenge(token)), "an answer is good for one question"
    for wrong in (proof.challenge("another"), "", "x", proof.challenge(OWN) + "0", proof.challenge(OWN).upper()):
        assert place.people.proof(wrong) is None


def test_nobody_can_take_all_connections(tmp_path: Path) -> None:
    place = Place(tmp_path, connections=16)
    assert [place.fill(Person(name)) for name in ("anna", "ben", "cleo", "dora", "emil", "fay")] == [8, 4, 2, 1, 1, 0]


def test_a_person_has_a_limit_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path, connections_per_person=3)
    assert [place.fill(Person(name)) for name in ("anna", "ben")] == [3, 3]
    place.open.pop()
    assert place.enter(Person("ben")) and not place.enter(Person("anna"))


def test_who_is_revoked_or_has_other_rights_is_sent_away_and_nobody_else(place: Place) -> None:
    for name in ("anna", "ben", "cleo"):
        place.tokens.add(name)
    for person in (LOCAL, Person("anna"), Person("ben"), Person("cleo")):
        place.enter(person)
    place.tokens.revoke("anna")
    place.tokens.revoke("ben")
    place.tokens.add("ben", admin=True)
    asyncio.run(place.people.expel())

    assert [socket.closed for socket in place.open] == [None, (1008, REVOKED), (1008, REVOKED), None]


def test_a_damaged_file_of_tokens_keeps_newcomers_out_and_sends_nobody_away(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = place.tokens.add("anna")
    place.enter(Person("anna"))
    (tmp_path / "tokens.json").write_text("half a fi")
    asyncio.run(place.people.expel())

    assert place.people.who(token) is None and place.people.proof(proof.challenge(token)) is None
    assert place.people.who(OWN) == LOCAL and place.open[0].closed is None
    assert len(caplog.records) == 1, "said once"
