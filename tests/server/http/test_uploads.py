"""Uploads of one connection: announced, in parts, checked, kept or left without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import ProtocolError, content_id
from acetate.protocol.frames import UploadPart
from acetate.protocol.messages import Upload
from acetate.server.http.uploads import Uploads
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store

DATA = bytes(range(256)) * 4
NAME = content_id(DATA)
FILE = Upload(NAME, "file", len(DATA))


class Server:
    """A store and blobs, and the connections that upload into them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.blobs = folder, Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
        self.opened: list[Uploads] = []

    def uploads(self, owner: str = "one", **settings: Any) -> Uploads:
        self.opened.append(Uploads(Settings(folder=self.folder, **settings), self.store, self.blobs, owner))
        return self.opened[-1]

    @property
    def left(self) -> list[str]:
        """Files that are not whole."""
        return [path.name for path in Path(self.blobs.incoming("")).iterdir()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    for uploads in made.opened:
        uploads.close()


def test_parts_come_in_order_and_the_last_is_answered(server: Server) -> None:
    ours = server.uploads()
    assert ours.announce(FILE).offset == 0
    assert ours.take(UploadPart(NAME, 0, 1000), DATA[:1000]) is None
    assert ours.announce(FILE).offset == 1000, "an upload that was announced twice goes on"
    have = ours.take(UploadPart(NAME, 1000, 24), DATA[1000:])

    assert have is not None and have.complete
    assert Path(server.blobs.path(NAME)).read_bytes() == DATA
    assert server.uploads("two").announce(FILE).complete, "and nobody sends it again"
    assert server.blobs.announced == 0 and server.left == []


def test_a_part_that_is_not_due_ends_the_upload(server: Server) -> None:
    ours = server.uploads()
    ours.announce(FILE)
    with pytest.raises(ProtocolError, match="byte 0 of 1024 is due"):
        ours.take(UploadPart(NAME, 10, 10), DATA[:10])

    assert server.left == [] and server.blobs.announced == 0
    with pytest.raises(ProtocolError, match="without its `upload` message"):
        ours.take(UploadPart(NAME, 0, 10), DATA[:10])


def test_content_of_another_name_is_not_kept(server: Server) -> None:
    ours = server.uploads()
    ours.announce(FILE)
    with pytest.raises(ProtocolError, match="announced was"):
        ours.take(UploadPart(NAME, 0, len(DATA)), bytes(len(DATA)))

    assert not server.blobs.has(NAME) and server.left == []


def test_what_another_connection_sent_first_is_taken_from_there(server: Server) -> None:
    ours, others = server.uploads(), server.uploads("two")
    ours.announce(FILE)
    others.announce(FILE)
    others.take(UploadPart(NAME, 0, len(DATA)), DATA)

    assert ours.announce(FILE).complete
    assert server.uploads("three").take(UploadPart(NAME, 0, len(DATA)), DATA) is None


def test_a_connection_that_ends_leaves_nothing(server: Server) -> None:
    ours = server.uploads()
    ours.announce(FILE)
    ours.take(UploadPart(NAME, 0, 1000), DATA[:1000])
    ours.close()

    assert server.left == [] and server.blobs.announced == 0


def test_more_than_may_be_under_way_is_refused(server: Server) -> None:
    ours = server.uploads(uploads_per_connection=1)
    ours.announce(FILE)
    with pytest.raises(ProtocolError, match="1 uploads are under way"):
        ours.announce(Upload("0" * 64, "file", 1))
    with pytest.raises(ProtocolError, match="uploads of 1024 bytes are under way"):
        server.uploads("two", unfinished_bytes=2000).announce(Upload("0" * 64, "file", 1000))


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
        server.uploads().announce(upload)
    assert server.left == []
