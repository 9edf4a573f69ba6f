"""Uploads: announced, in parts, checked, kept; unfinished ones wait a while for whoever sends them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import ProtocolError, content_id
from acetate.protocol.frames import UploadPart, pack_header
from acetate.protocol.messages import Have, Upload
from acetate.server.http.uploads import UnfinishedUploads, Uploads
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store

DATA = bytes(range(256)) * 4
NAME = content_id(DATA)
FILE = Upload(NAME, "file", len(DATA))


class Server:
    """A store and blobs, and the connections that upload into them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(folder=folder, **settings)
        self.store, self.blobs, self.now = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs"), 0.0
        self.unfinished = UnfinishedUploads(self.settings, self.blobs, lambda: self.now)

    def connection(self, person: str = "anna") -> Connection:
        return Connection(Uploads(self.settings, self.store, self.blobs, self.unfinished, person))

    @property
    def left(self) -> list[str]:
        """Files that are not whole."""
        return [path.name for path in Path(self.blobs.incoming("")).iterdir()]


class Connection:
    """What a client says about its uploads over one connection."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def announce(self, upload: Upload = FILE) -> Have:
        return asyncio.run(self._uploads.announce(upload))

    def send(self, start: int, end: int, data: bytes = DATA) -> Have | None:
        """Send these bytes of the content."""
        header = pack_header(UploadPart(NAME, start, end - start))
        return asyncio.run(self._uploads.take(header + data[start:end]))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, uploads_per_connection=2, unfinished_bytes=5000)
    yield made
    made.unfinished.end_all()
    assert made.blobs.announced == 0 and made.left == []


def test_parts_come_in_order_and_the_last_is_answered(server: Server) -> None:
    ours = server.connection()
    assert ours.announce().offset == 0
    assert ours.send(0, 1000) is None
    assert ours.announce().offset == 1000, "an upload that was announced twice goes on"
    have = ours.send(1000, 1024)

    assert have is not None and have.complete
    assert Path(server.blobs.path(NAME)).read_bytes() == DATA
    assert server.connection("ben").announce().complete, "and nobody sends it again"
    assert server.blobs.announced == 0 and server.left == []


def test_a_part_that_leaves_a_gap_ends_the_upload(server: Server) -> None:
    ours = server.connection()
    ours.announce()
    with pytest.raises(ProtocolError, match="byte 0 of 1024 is due"):
        ours.send(10, 20)

    assert server.left == [] and server.blobs.announced == 0
    with pytest.raises(ProtocolError, match="without its `upload` message"):
        ours.send(0, 10)


def test_content_of_another_name_is_not_kept(server: Server) -> None:
    ours = server.connection()
    ours.announce()
    with pytest.raises(ProtocolError, match="announced was"):
        ours.send(0, len(DATA), bytes(len(DATA)))

    assert not server.blobs.has(NAME) and server.left == []


def test_what_another_person_has_sent_first_is_taken_from_there(server: Server) -> None:
    anna, ben = server.connection("anna"), server.connection("ben")
    for each in (anna, ben):
        each.announce()
    ben.send(0, len(DATA))

    assert anna.announce().complete
    assert server.connection("cleo").send(0, len(DATA)) is None


def test_nobody_goes_on_with_the_upload_of_another_person(server: Server) -> None:
    """One who sends wrong bytes would spoil it, and the offset would tell what the other is sending."""
    anna, ben = server.connection("anna"), server.connection("ben")
    anna.announce()
    anna.send(0, 1000)

    assert ben.announce().offset == 0


def test_an_upload_goes_on_over_the_next_connection(server: Server) -> None:
    before = server.connection()
    before.announce()
    before.send(0, 1000)
    after = server.connection()
    assert after.announce() == Have(NAME, 1000, complete=False)
    have = after.send(1000, 1024)

    assert have is not None and have.complete and Path(server.blobs.path(NAME)).read_bytes() == DATA


def test_two_connections_of_a_person_may_send_the_same_content_at_the_same_time(server: Server) -> None:
    """The client may be back before the server has missed it."""
    one, two = server.connection(), server.connection()
    one.announce()
    two.announce()
    one.send(0, 600)
    assert two.send(0, 500) is None and two.send(500, 1000) is None, "what is here already is passed over"
    have = one.send(600, 1024)
    assert have is not None and have.complete
    assert two.send(1000, 1024) == have, "each is told"

    assert Path(server.blobs.path(NAME)).read_bytes() == DATA


def test_an_upload_of_which_no_byte_comes_is_forgotten_and_gives_its_place_back(server: Server) -> None:
    ours, others = server.connection(), server.connection("ben")
    ours.announce()
    large = Upload("0" * 64, "file", 4500)
    server.now = server.settings.upload_idle_seconds - 1
    ours.send(0, 1000)
    server.now += server.settings.upload_idle_seconds - 1
    with pytest.raises(ProtocolError, match="uploads of 1024 bytes are under way"):
        others.announce(large)
    assert server.unfinished.announced("anna") == 1024
    server.now += 2
    assert others.announce(large).offset == 0

    assert server.unfinished.announced("anna") == 0 and server.unfinished.announced("ben") == 4500
    with pytest.raises(ProtocolError, match="given up meanwhile"):
        ours.send(1000, 1024)


def test_more_than_may_be_under_way_is_refused(server: Server) -> None:
    ours = server.connection()
    for number in range(2):
        ours.announce(Upload(str(number) * 64, "file", 1))
    with pytest.raises(ProtocolError, match="2 uploads are under way"):
        ours.announce()
    with pytest.raises(ProtocolError, match="uploads of 2 bytes are under way"):
        server.connection().announce(Upload("7" * 64, "file", 4999))


def fill(server: Server, person: str) -> int:
    """How many bytes a person can announce over as many connections as they like, a hundred at a time."""
    for number in range(100):
        try:
            server.connection(person).announce(Upload(f"{len(person)}{number:063d}", "file", 100))
        except ProtocolError as error:
            assert error.failure.code == "too-many"
            return 100 * number
    raise AssertionError("nothing is refused")


def test_one_person_leaves_half_of_the_room_to_others(server: Server) -> None:
    assert [fill(server, name) for name in ("a", "bb", "ccc", "dddd")] == [2500, 1300, 600, 300]
    server.now += server.settings.upload_idle_seconds + 1
    assert fill(server, "fffff") == 2500, "what nothing is heard of is given up"


def test_what_is_announced_and_not_sent_gives_way_to_the_same_persons_other_uploads(server: Server) -> None:
    assert fill(server, "a") == 2500 and fill(server, "bb") == 1300
    server.now += server.settings.upload_yield_seconds + 1
    assert server.connection("a").announce(FILE).offset == 0
    assert server.unfinished.announced("a") == len(DATA), "all that was silent is given up"
    assert server.unfinished.announced("bb") == 1300, "and nobody else's"


def test_a_person_has_a_limit_of_its_own(tmp_path: Path) -> None:
    server = Server(tmp_path, unfinished_bytes=5000, unfinished_bytes_per_person=1000)
    assert [fill(server, name) for name in ("a", "bb")] == [1000, 1000]
    server.unfinished.end_all()


@pytest.mark.parametrize(
    "damage", [b"", DATA[:100], bytes(len(DATA)), DATA + b"more"], ids=["emptied", "cut", "zeroed", "longer"]
)
def test_a_stored_content_that_is_damaged_is_asked_for_again(server: Server, damage: bytes) -> None:
    ours = server.connection()
    ours.announce()
    ours.send(0, 1024)
    path = Path(server.blobs.path(NAME))
    path.write_bytes(damage)
    again = server.connection()
    assert again.announce() == Have(NAME, 0, complete=False)
    have = again.send(0, 1024)

    assert have is not None and have.complete and path.read_bytes() == DATA
    assert (server.blobs.folder / "damaged" / NAME).read_bytes() == damage, "and nothing is thrown away"


@pytest.mark.parametrize(
    ("upload", "named"),
    [
        (Upload(NAME, "rgba8", 4), "lacks 'width' or 'height'"),
        (Upload(NAME, "rgba8", 5, 1, 1), "1 x 1 rgba8 has 4"),
        (Upload(NAME, "file", 4, 1, 1), "only pictures have them"),
        (Upload(NAME, "file", 2**33), "at most"),
    ],
    ids=["no-size", "wrong-size", "file", "large"],
)
def test_an_upload_that_cannot_be_right_is_refused_before_it_comes(upload: Upload, named: str, server: Server) -> None:
    with pytest.raises(ProtocolError, match=named):
        server.connection().announce(upload)
    assert server.left == []
