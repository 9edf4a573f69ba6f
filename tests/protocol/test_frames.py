from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest
from acetate.protocol import Image, ProtocolError, content_id
from acetate.protocol.client.transfers import upload_parts
from acetate.protocol.frames import (
    MAX_HEADER_BYTES,
    PART_BYTES,
    SENT_PART_BYTES,
    PixelPart,
    UploadPart,
    compress,
    pack_header,
    unpack,
    unpack_upload,
)
from acetate.protocol.link import Link
from acetate.protocol.pixels import byte_count

NAME = "0" * 64


def test_a_part_survives_the_wire() -> None:
    header = UploadPart(NAME, 3, 5)
    found, payload = unpack_upload(pack_header(header) + b"12345")

    assert (found, bytes(payload)) == (header, b"12345")


def test_a_compressed_part_survives_the_wire() -> None:
    data = bytes(range(256)) * 100
    header = PixelPart("0123456789", 0, 0, len(data), "zlib")
    part = unpack(pack_header(header) + compress(data))

    assert part is not None and bytes(part[1]) == data


def test_a_frame_of_a_newer_server_is_passed_over() -> None:
    body = b'{"type":"sound"}'
    assert unpack(struct.pack(">I", len(body)) + body + b"la") is None


def test_a_header_is_bounded_however_long_the_frame_is() -> None:
    header = pack_header(UploadPart(NAME, 0, 5))[4:].ljust(MAX_HEADER_BYTES + 1)
    with pytest.raises(ProtocolError, match=f"announces a header of {MAX_HEADER_BYTES + 1} bytes"):
        unpack_upload(struct.pack(">I", len(header)) + header + b"12345")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\0\0",
        struct.pack(">I", 100) + b"{}",
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", 5000) + b" " * 5000,
        pack_header(PixelPart("0123456789", 0, 0, 1)) + b"x",
        pack_header(UploadPart(NAME, 0, 4)) + b"12345",
        pack_header(UploadPart(NAME, 0, PART_BYTES + 1)) + b"x" * (PART_BYTES + 1),
        pack_header(UploadPart(NAME, 0, 5, "zlib")) + b"12345",
        pack_header(UploadPart(NAME, 0, 5, "zlib")) + zlib.compress(b"123456"),
        pack_header(UploadPart(NAME, 0, 5, "zlib")) + zlib.compress(b"1234"),
        pack_header(UploadPart(NAME, 0, 5, "zlib")) + zlib.compress(b"12345") + b"more",
        pack_header(UploadPart(NAME, 0, 5, "zlib")) + zlib.compress(b"12345")[:-1],
    ],
    ids=range(13),
)
def test_a_frame_that_is_not_what_its_header_says_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        unpack_upload(frame)


def test_a_zlib_bomb_is_inflated_no_further_than_it_declares() -> None:
    """The peak while it is refused counts: what is freed at once has been there nevertheless."""
    bomb = pack_header(UploadPart(NAME, 0, PART_BYTES, "zlib")) + zlib.compress(bytes(64 * PART_BYTES), 9)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="inflate"):
            unpack_upload(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 3 * PART_BYTES


def test_an_upload_comes_in_parts_that_cover_it_exactly() -> None:
    data = bytes(range(251)) * 10_000
    for encoding in ("raw", "zlib"):
        parts = [unpack_upload(frame) for frame in upload_parts(data, NAME, 1000, Link([encoding]))]
        assert [header.offset for header, _ in parts] == [1000, 1000 + SENT_PART_BYTES, 1000 + 2 * SENT_PART_BYTES]
        assert b"".join(bytes(payload) for _, payload in parts) == data[1000:]


def test_the_same_bytes_in_another_shape_are_another_picture() -> None:
    data = bytes(4 * 8)
    names = {
        Image(2, 4, "rgba8", data).sha256,
        Image(4, 2, "rgba8", data).sha256,
        Image(4, 2, "bgra8", data).sha256,
        content_id(data),
    }
    assert len(names) == 4
    assert all(len(name) == 64 for name in names)


@pytest.mark.parametrize(
    ("width", "height", "format"), [(0, 1, "rgba8"), (1, -1, "rgba8"), (32769, 1, "gray8"), (8193, 8192, "gray8"), (1, 1, "cmyk")]
)
def test_sizes_and_formats_that_the_protocol_does_not_carry_are_refused(width: int, height: int, format: str) -> None:
    with pytest.raises(ProtocolError):
        byte_count(width, height, format)


def test_a_picture_with_missing_bytes_is_refused() -> None:
    with pytest.raises(ProtocolError, match="16 would be right"):
        Image(2, 2, "rgba8", bytes(15))
