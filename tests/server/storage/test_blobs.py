"""The folder of contents: written beside, renamed into place, named by what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.protocol import ProtocolError, content_id
from acetate.protocol.messages import Upload
from acetate.server.storage.blobs import Blobs, IncomingBlob

PIXELS = bytes(range(8))
NAME = content_id(PIXELS, "rgba8", 2, 1)


def receiving(blobs: Blobs, name: str = NAME) -> IncomingBlob:
    return IncomingBlob(blobs, Upload(name, "rgba8", len(PIXELS), 2, 1), "a-connection")


def incoming(blobs: Blobs) -> list[str]:
    return [path.name for path in Path(blobs.incoming("")).iterdir()]


def test_content_is_there_when_it_is_whole_and_not_before(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    one = receiving(blobs)
    one.write(0, PIXELS[:5])
    assert not one.complete and not blobs.has(NAME) and blobs.all() == set()
    one.write(5, PIXELS[5:])
    one.finish()

    assert blobs.has(NAME) and blobs.all() == {NAME}
    assert Path(blobs.path(NAME)).read_bytes() == PIXELS and incoming(blobs) == []


def test_the_size_is_part_of_the_name(tmp_path: Path) -> None:
    """The same bytes as a column are another picture."""
    blobs = Blobs(tmp_path)
    one = receiving(blobs, content_id(PIXELS, "rgba8", 1, 2))
    one.write(0, PIXELS)
    with pytest.raises(ProtocolError, match=f"the uploaded content is {NAME}"):
        one.finish()
    assert blobs.all() == set() and incoming(blobs) == []


@pytest.mark.parametrize(("offset", "length"), [(1, 2), (0, 9)], ids=["gap", "too-long"])
def test_a_part_that_does_not_follow_is_refused(offset: int, length: int, tmp_path: Path) -> None:
    one = receiving(Blobs(tmp_path))
    with pytest.raises(ProtocolError, match="byte 0 of 8 is due"):
        one.write(offset, bytes(length))
    one.abandon()


def test_bytes_on_their_way_are_counted_once_and_given_back_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    one, other = receiving(blobs), IncomingBlob(blobs, Upload("0" * 64, "file", 100), "another")
    assert blobs.announced == 108
    one.abandon()
    one.abandon()
    assert blobs.announced == 100
    other.abandon()
    assert blobs.announced == 0 and incoming(blobs) == []


def test_a_start_puts_away_what_was_being_written_and_keeps_what_is_whole(tmp_path: Path) -> None:
    first = Blobs(tmp_path)
    Path(first.incoming("half")).write_bytes(b"half")
    Path(first.incoming("begun")).touch()
    Path(first.incoming("whole")).write_bytes(b"whole")
    first.adopt("whole", "ab" * 32)
    second = Blobs(tmp_path)

    assert incoming(second) == [] and second.all() == {"ab" * 32} and second.lost() == {"half"}


def test_what_is_lost_is_found_when_it_is_asked_for(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    Path(blobs.incoming("one")).write_bytes(b"one")
    blobs.adopt("one", "ab" * 32)
    blobs.lose("ab" * 32)
    assert blobs.all() == set() and blobs.lost() == {"ab" * 32}
    assert blobs.has("ab" * 32) and blobs.lost() == set()

    assert Path(blobs.path("ab" * 32)).read_bytes() == b"one" and not blobs.has("cd" * 32)


def test_what_has_gone_already_is_removed_without_a_word(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.remove("ab" * 32)
    blobs.discard("nothing")


def test_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    Path(blobs.incoming("one")).touch()
    blobs.adopt("one", "ab" * 32)

    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
