"""What is sound of a damaged PSD, as a file that psd-tools reads: it takes all or nothing, and one bad part should cost one part.

Walks the file's sections by their lengths alone. Only for reading: what is put into a file has to find it whole.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from psd_tools.constants import BlendMode, ChannelID, Tag
from psd_tools.psd.image_resources import ImageResource, ImageResources
from psd_tools.psd.layer_and_mask import LayerInfo, LayerRecord

from ..formats.decoding import MALFORMED

BLEND_KEYS = {mode.value for mode in BlendMode}
CHANNELS = {channel.value for channel in ChannelID}
DEEP = (Tag.LAYER_16.value, Tag.LAYER_32.value)
HEADER_BYTES = 26
NO_PICTURE = b"\0\0"
LOST = b"\0\2\xff"
"""A channel that says that it is deflated, and is not: an empty one would be read as black."""


class Salvaged(NamedTuple):
    """The file anew."""

    data: bytes
    notes: list[str]
    """What was given up, for the person."""


class _Cursor:
    """Reads numbers and blocks up to an end. Raises `ValueError` beyond it."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data, self.place = data, place

    def numbers(self, layout: str) -> tuple[Any, ...]:
        found = struct.Struct(">" + layout)
        return found.unpack(self.block(found.size))

    def block(self, length: int) -> bytes:
        if length > len(self.data) - self.place:
            raise ValueError("it ends early")
        self.place += length
        return self.data[self.place - length : self.place]

    @property
    def left(self) -> int:
        return len(self.data) - self.place


def salvaged(data: bytes) -> Salvaged:
    """The parts of the file that can be read. Raises `ValueError` where not even its sections can be told apart."""
    file, notes = _Cursor(data), list[str]()
    head = file.block(HEADER_BYTES)
    long = "Q" if head[5] == 2 else "I"
    colours = file.block(*file.numbers("I"))
    resources = _resources(file.block(*file.numbers("I")), notes)
    (length,) = file.numbers(long) if file.left else (0,)
    cut = length > file.left
    information = _information(file.block(min(length, file.left)), long, notes)
    picture = file.block(file.left)
    if cut or len(picture) < 2 or picture[0] or picture[1] > 3:
        picture = NO_PICTURE  # which the reader names
    parts = (struct.pack(">I", len(colours)), colours, struct.pack(">I", len(resources)), resources)
    return Salvaged(b"".join((head, *parts, struct.pack(">" + long, len(information)), information, picture)), notes)


def _resources(section: bytes, notes: list[str]) -> bytes:
    """The resources that can be read, one by one where not all can."""
    try:
        ImageResources.frombytes(struct.pack(">I", len(section)) + section)
        return section
    except MALFORMED:
        pass
    section_cursor, kept = _Cursor(section), b""
    try:
        while section_cursor.left >= 12:
            start = section_cursor.place
            _, _, name = section_cursor.numbers("4sHB")
            section_cursor.block(name + (name + 1) % 2)
            (length,) = section_cursor.numbers("I")
            section_cursor.block(min(length + length % 2, section_cursor.left))
            one = section[start : section_cursor.place]
            kept += one if _is_sound(one) else b""
    except ValueError:
        pass  # nothing behind it can be found
    notes.append("some of what it says beside its layers is damaged and was left out")
    return kept


def _is_sound(resource: bytes) -> bool:
    try:
        ImageResource.frombytes(resource)
    except MALFORMED:
        return False
    return True


def _information(section: bytes, long: str, notes: list[str]) -> bytes:
    """The section of the layers with nothing but these in it."""
    layers, deep = _layer_list(section, long)
    if not layers:
        return b""
    try:
        info = _mended(layers, long, notes)
        LayerInfo.frombytes(struct.pack(">" + long, len(info)) + info, version=2 if long == "Q" else 1)
    except MALFORMED:
        notes.append("its layers are damaged and were left out")
        return b""
    info += bytes(-len(info) % 4)
    if not deep:
        return struct.pack(">" + long, len(info)) + info
    return struct.pack(f">{long}I4s4s{long}", 0, 0, b"8BIM", deep, len(info)) + info


def _layer_list(section: bytes, long: str) -> tuple[bytes, bytes]:
    """The layers' part of the section, as far as it goes, and the block that it is in (none in 8-bit files)."""
    cursor = _Cursor(section)
    try:
        (length,) = cursor.numbers(long)
        if length:
            return cursor.block(min(length, cursor.left)), b""
        cursor.block(*cursor.numbers("I"))
        while True:
            _, key = cursor.numbers("4s4s")
            (length,) = cursor.numbers(long if key in DEEP else "I")
            block = cursor.block(min(-(-length // 4) * 4, cursor.left))
            if key in DEEP:
                return block, key
    except ValueError:
        return b"", b""


def _mended(layers: bytes, long: str, notes: list[str]) -> bytes:
    """Count, records and pixels. A record that makes no sense is taken without what it says beyond its place and look; a channel
    that is not all there becomes one that cannot be decoded, so that reading leaves its layer out."""
    cursor = _Cursor(layers)
    (count,) = cursor.numbers("h")
    read = [_record(cursor, long, notes) for _ in range(abs(count))]
    records, pixels = [], []
    for place, channels, rest in read:
        lengths = []
        for number, length in channels:
            stored = cursor.block(length) if length <= cursor.left else LOST
            if stored is LOST:
                cursor.block(cursor.left)  # whatever follows is not where it belongs
            pixels.append(stored)
            lengths.append(struct.pack(f">h{long}", number, len(stored)))
        records.append(place + struct.pack(">H", len(channels)) + b"".join(lengths) + rest)
    return struct.pack(">h", count) + b"".join(records + pixels)


def _record(cursor: _Cursor, long: str, notes: list[str]) -> tuple[bytes, list[tuple[int, int]], bytes]:
    """A layer's place, its channels (number and bytes), and the rest of its record."""
    place = cursor.block(16)
    channels = [cursor.numbers(f"h{long}") for _ in range(*cursor.numbers("H"))]
    signature, key, opacity, clipped, flags, extra_length = cursor.numbers("4s4sBBBxI")
    if signature != b"8BIM" or any(number not in CHANNELS for number, _ in channels):
        raise ValueError("a layer record is damaged")
    extra = cursor.block(extra_length)
    known = key if key in BLEND_KEYS else b"norm"
    rest = struct.pack(">4s4sBBBx", signature, known, opacity, min(clipped, 1), flags)
    try:
        data = place + bytes(2) + rest + struct.pack(">I", extra_length) + extra
        record = LayerRecord.frombytes(data, version=2 if long == "Q" else 1)
    except MALFORMED:
        name = _pascal_name(extra)
        notes.append(f"what else {name!r} says of itself is damaged, such as its mask")
        extra = struct.pack(">II", 0, 0) + bytes([len(name)]) + name.encode("macroman") + bytes(-(len(name) + 1) % 4)
    else:
        name = record.tagged_blocks.get_data(Tag.UNICODE_LAYER_NAME, record.name)
    if known != key:
        notes.append(f"{name!r} has the blend mode {key.decode('latin-1')!r}, which is not known; it is drawn as normal")
    return place, channels, rest + struct.pack(">I", len(extra)) + extra


def _pascal_name(extra: bytes) -> str:
    """The name in what follows a layer's look: behind its mask and its blending ranges."""
    cursor = _Cursor(extra)
    try:
        for _ in range(2):
            cursor.block(*cursor.numbers("I"))
        return cursor.block(*cursor.numbers("B")).decode("macroman")
    except ValueError:
        return ""
