"""Bytes of pictures, and the names that follow from them."""

from __future__ import annotations

import hashlib

import pytest
from acetate.protocol import Image, ProtocolError, content_id
from acetate.protocol.pixels import BYTES_PER_PIXEL, MAX_SIDE, byte_count


@pytest.mark.parametrize("format", BYTES_PER_PIXEL)
def test_a_picture_has_exactly_the_bytes_of_its_format(format: str) -> None:
    count = 6 * BYTES_PER_PIXEL[format]
    assert byte_count(3, 2, format) == count
    assert Image(3, 2, format, bytes(count)).sha256 == content_id(bytes(count), format, 3, 2)
    with pytest.raises(ProtocolError, match=f"{count + 1} bytes for 3 x 2 {format}; {count} would be right"):
        Image(3, 2, format, bytes(count + 1))


def test_the_name_is_the_hash_of_format_and_size_and_bytes() -> None:
    assert content_id(b"kite", "gray8", 2, 2) == hashlib.sha256(b"gray8 2 2\nkite").hexdigest()
    assert content_id(b"kite") == hashlib.sha256(b"file 0 0\nkite").hexdigest()
    names = {content_id(bytes(16), format, *size) for format in ("rgba8", "bgra8") for size in ((4, 1), (1, 4), (2, 2))}
    assert len(names) == 6


@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (MAX_SIDE + 1, 1), (8192, 8193)])
def test_sizes_that_are_not_carried_are_refused(width: int, height: int) -> None:
    with pytest.raises(ProtocolError, match=f"the picture is {width} x {height}") as refused:
        byte_count(width, height, "rgba8")
    assert refused.value.failure.code == "too-large"


def test_an_unknown_format_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ProtocolError, match="'cmyk'; known are rgba8, bgra8"):
        byte_count(1, 1, "cmyk")
