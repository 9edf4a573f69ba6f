"""Layers and files as frames: the announcement first, then parts that add up to what was announced, or one error."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.protocol import BYTES_PER_PIXEL, Box, Error, Failure, Layer, content_id
from acetate.protocol.frames import SENT_PART_BYTES, FilePart, PixelPart, unpack
from acetate.protocol.link import SMALLEST_PART, Link
from acetate.protocol.messages import Encoding, File
from acetate.protocol.pixels import LAYER_FORMATS
from acetate.server.delivery.blob_stream import BlobStream, file_frames, layer_frames
from acetate.server.storage import stored_content
from acetate.server.storage.blobs import Blobs
from acetate.server.worker.pixels import to_rgba8

JOB = "job-number-1"
MIB = 1 << 20
"""The largest frame that common websocket libraries take by default."""


def keep(folder: Path, data: bytes, *place: Any) -> tuple[Blobs, str]:
    """A blob folder with this content, and its name."""
    blobs, name = Blobs(folder), content_id(data, *place)
    Path(blobs.incoming("made")).write_bytes(data)
    blobs.adopt("made", name)
    return blobs, name


def layer(width: int, height: int, name: str = "0" * 64) -> Layer:
    box = Box(0, 0, width, height)
    return Layer(JOB, 0, "Foreground", "foreground", 0, 0, width, height, box, "rgba8", 4 * width * height, name)


def broken(failure: Failure) -> Error:
    return Error(failure, "layer", JOB, index=0)


def frames(stream: BlobStream) -> list[str | bytes]:
    async def all_of_them() -> list[str | bytes]:
        found = []
        while (frame := await stream.next()) is not None:
            assert len(frame) <= MIB
            found.append(bytes(frame) if isinstance(frame, memoryview) else frame)
        return found

    return asyncio.run(all_of_them())


def header_of(frame: str | bytes) -> PixelPart:
    assert isinstance(frame, bytes)
    header, _ = unpack(frame) or (None, b"")
    assert isinstance(header, PixelPart)
    return header


def parts(found: list[str | bytes], kind: type, start: int = 0) -> bytes:
    """The payloads, one after the other, each where its header says."""
    data = bytes(start)
    for frame in found:
        assert isinstance(frame, bytes)
        unpacked = unpack(frame)
        assert unpacked is not None
        header, payload = unpacked
        assert isinstance(header, kind) and header.offset == len(data)  # type: ignore[attr-defined]
        data += payload
    return data[start:]


@pytest.fixture
def picture(tmp_path: Path) -> tuple[Blobs, Layer, Any]:
    """A layer of 1.4 MB, which is noise."""
    rgba = np.random.default_rng(0).integers(0, 256, (700, 512, 4)).astype(np.uint8)
    blobs, name = keep(tmp_path, rgba.tobytes(), "rgba8", 512, 700)
    return blobs, layer(512, 700, name), rgba


@pytest.mark.parametrize("encoding", ["raw", "zlib"])
@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_a_layer_comes_in_the_format_that_was_asked_for_in_frames_that_every_library_takes(
    picture: Any, format: str, encoding: Encoding
) -> None:
    blobs, asked, rgba = picture
    announced, *rest = frames(layer_frames(asked, blobs, format, Link([encoding]), broken))
    data = parts(rest, PixelPart)

    said = json.loads(announced)
    assert said["type"] == "layer" and said.get("format", "rgba8") == format
    assert said["bytes"] == len(data) == 512 * 700 * BYTES_PER_PIXEL[format]
    assert len(rest) == -(-len(data) // SENT_PART_BYTES)
    assert np.array_equal(to_rgba8(data, format, 512, 700, "layer"), rgba)


@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_a_deep_layer_comes_as_it_is_or_in_the_8_bits_that_were_asked_for(tmp_path: Path, format: str) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (400, 512, 4)).astype("<u2")
    blobs, name = keep(tmp_path, deep.tobytes(), "rgba16", 512, 400)
    asked = replace(layer(512, 400, name), format="rgba16", bytes=deep.nbytes)
    announced, *rest = frames(layer_frames(asked, blobs, format, Link(["raw"]), broken))
    data = parts(rest, PixelPart)

    assert json.loads(announced)["bytes"] == len(data) == 512 * 400 * BYTES_PER_PIXEL[format]
    seen = ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)
    assert data == deep.tobytes() if format == "rgba16" else np.array_equal(to_rgba8(data, format, 512, 400, "layer"), seen)


def test_an_empty_layer_is_announced_alone(tmp_path: Path) -> None:
    (announced,) = frames(layer_frames(layer(0, 0), Blobs(tmp_path), "rgba8", Link(["raw"]), broken))
    assert json.loads(announced)["type"] == "layer"


def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    content = os.urandom(SENT_PART_BYTES + 10)
    blobs, name = keep(tmp_path, content)
    announced, *rest = frames(file_frames(File(JOB, "kite.psd", len(content), name, ()), blobs, Link(["raw"]), broken))

    assert json.loads(announced)["name"] == "kite.psd"
    assert len(rest) == 2 and parts(rest, FilePart) == content


@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_a_layer_goes_on_where_its_client_is(picture: Any, format: str) -> None:
    blobs, asked, _ = picture
    _, *all_of_it = frames(layer_frames(asked, blobs, format, Link(["raw"]), broken))
    offset = 1000 * BYTES_PER_PIXEL[format]
    _, *rest = frames(layer_frames(asked, blobs, format, Link(["raw"]), broken, offset))

    assert parts(rest, PixelPart, offset) == parts(all_of_it, PixelPart)[offset:]


@pytest.mark.parametrize("offset", [1, 1002, 512 * 700 * 4, 1 << 40])
def test_an_offset_where_no_pixel_begins_is_none(picture: Any, offset: int) -> None:
    blobs, asked, rgba = picture
    _, *rest = frames(layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken, offset))

    assert parts(rest, PixelPart) == rgba.tobytes()


def test_a_slow_link_gets_smaller_parts_that_are_packed_and_a_fast_one_large_ones_as_they_are(picture: Any) -> None:
    """From one part to the next: the header of each says how it is packed."""
    blobs, asked, rgba = picture
    link = Link(["raw", "zlib"])
    link.sent(SENT_PART_BYTES, 30)
    _, *slow = frames(layer_frames(asked, blobs, "rgba8", link, broken))
    link.sent(1 << 40, 1)
    _, *fast = frames(layer_frames(asked, blobs, "rgba8", link, broken))
    forms = [[(header.encoding, header.length) for header in map(header_of, found)] for found in (slow, fast)]

    assert parts(slow, PixelPart) == parts(fast, PixelPart) == rgba.tobytes()
    assert set(forms[0][:-1]) == {("zlib", SMALLEST_PART)} and forms[1][0] == ("raw", SENT_PART_BYTES)


@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["fast", "slow"])
def test_a_frame_stays_as_it_is_while_its_end_may_lie_in_the_sockets_buffer(tmp_path: Path, seconds: float) -> None:
    """From Python 3.12 on asyncio keeps no copy of what it has not sent yet."""
    content = os.urandom(2 * SENT_PART_BYTES)
    blobs, name = keep(tmp_path, content)
    link = Link(["raw"])
    link.sent(1, seconds)

    async def scene() -> None:
        stream = file_frames(File(JOB, "kite.psd", len(content), name, ()), blobs, link, broken)
        await stream.next()
        before = await stream.next()
        assert isinstance(before, memoryview)
        while before is not None:
            copy, after = bytes(before), await stream.next()
            assert stream._ahead is not None
            await stream._ahead  # the one after that is made
            assert bytes(before) == copy
            before = after if isinstance(after, memoryview) else None

    asyncio.run(scene())


# --- damage ----------------------------------------------------------------------------------------------------------

Damage = Callable[[Path], object]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Damage] = {
    "flipped": flip,
    "last-byte": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"?"),
    "emptied": lambda path: path.write_bytes(b""),
    "deleted": Path.unlink,
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "of-another": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_a_layer_never_becomes_whole_that_is_not_what_its_name_says(picture: Any, format: str, damage: str) -> None:
    blobs, asked, _ = picture
    DAMAGES[damage](Path(blobs.path(asked.sha256)))
    *before, last = frames(layer_frames(asked, blobs, format, Link(["raw"]), broken))

    error = json.loads(last)
    assert error["type"] == "error" and error["failure"]["code"] == "content-broken" and error["index"] == 0
    assert len(parts(before[1:], PixelPart)) < 512 * 700 * BYTES_PER_PIXEL[format]
    assert 'layer 0 ("Foreground")' in error["failure"]["message"]
    assert str(blobs.folder) not in str(last)


@pytest.mark.parametrize("damage", sorted(set(DAMAGES) - {"deleted"}))
def test_what_is_wrong_is_set_aside_so_that_the_same_made_again_takes_its_place(picture: Any, damage: str) -> None:
    blobs, asked, rgba = picture
    path = Path(blobs.path(asked.sha256))
    DAMAGES[damage](path)
    frames(layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken))
    assert not path.exists() and (blobs.folder / "damaged" / asked.sha256).exists()
    Path(blobs.incoming("again")).write_bytes(rgba.tobytes())
    blobs.adopt("again", asked.sha256)
    _, *rest = frames(layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken))

    assert parts(rest, PixelPart) == rgba.tobytes()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EMFILE], ids=["EIO", "EACCES", "EMFILE"])
@pytest.mark.parametrize("when", ["opened", "read"])
def test_what_cannot_be_read_fails_this_time_and_stays_where_it_is(
    picture: Any, number: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, asked, _ = picture

    class BadSector(io.FileIO):
        def readinto(self, piece: object) -> int:
            raise OSError(number, os.strerror(number))

    def unreadable(*_: Any, **__: Any) -> BadSector:
        if when == "opened":
            raise OSError(number, os.strerror(number))
        return BadSector(blobs.path(asked.sha256))

    monkeypatch.setattr(stored_content, "open", unreadable, raising=False)
    (said,) = frames(layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken))

    assert os.strerror(number) in json.loads(said)["failure"]["message"] and str(blobs.folder) not in str(said)
    assert blobs.has(asked.sha256)


def test_a_stream_that_nobody_takes_any_more_lets_go_of_its_file(picture: Any) -> None:
    """A resource warning, which is an error here, would say otherwise."""
    blobs, asked, _ = picture

    async def scene() -> None:
        stream = layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken)
        await stream.next()
        await stream.next()
        stream.close()
        assert await stream.next() is None
        layer_frames(asked, blobs, "rgba8", Link(["raw"]), broken).close()

    asyncio.run(scene())
    gc.collect()
