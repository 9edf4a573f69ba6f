"""Photoshop's layers inside a TIFF, as they would stand in a PSD.

A TIFF of Intel's byte order has its numbers the other way round, and so has all that Photoshop puts into it: counts, codes, the
trees of settings, but not pixels. A block of another shape than is known here becomes an empty one: its key still says what the
layer is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..formats.decoding import MALFORMED

TITLE = b"Adobe Photoshop Document Data Block\0"
LAYERS: Mapping[int, bytes] = {8: b"Layr", 16: b"Lr16", 32: b"Lr32"}
"""The key of the layers by bits per channel."""
OWN_MASK, REAL_MASK = -2, -3
"""Channels that have the size of a mask and not of the layer."""
RUN_LENGTHS = 1
PATH_COUNTS = [bytes([0, kind]) for kind in (0, 3, 6, 8)]
"""Records of a path that have no coordinates."""
MAX_NESTING = 64
"""Settings within settings; those of Photoshop have a dozen."""


def section_of(tag: bytes, depth: int, *, little: bool) -> bytes:
    """A PSD's section of layers out of a TIFF's tag, of 8, 16 or 32 bits. Raises one of `MALFORMED` where it makes no sense.

    The tag's numbers stand with the lowest byte first if `little`.
    """
    if not tag.startswith(TITLE):
        raise ValueError(f"it begins with {tag[:8]!r}")
    source, layers, others = _Source(tag[len(TITLE) :], little), b"", b""
    while source.left >= 12:
        _, key = source.code(), source.code()
        content = source.part(source.number("I"), padding=4)
        if key == LAYERS[depth]:
            layers = _layers(content)
        elif not little:
            others += _block(key, content.rest())
    if depth > 8 and layers:
        others, layers = _block(LAYERS[depth], layers) + others, b""
    layers += bytes(-len(layers) % 4)
    return struct.pack(">I", len(layers)) + layers + bytes(4) + others


class _Source:
    """Reads numbers of either order up to an end, and gives them as a PSD has them. Raises `ValueError` beyond it."""

    def __init__(self, data: bytes, little: bool) -> None:
        self._data, self._place, self.little = data, 0, little

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def raw(self, length: int) -> bytes:
        if not 0 <= length <= self.left:
            raise ValueError("it ends early")
        self._place += length
        return self._data[self._place - length : self._place]

    def rest(self) -> bytes:
        return self.raw(self.left)

    def part(self, length: int, padding: int = 1) -> _Source:
        """What is so long, by itself; behind it the padding is passed over."""
        found = _Source(self.raw(length), self.little)
        self.raw(min(self.left, -length % padding))
        return found

    def numbers(self, layout: str) -> tuple[int, ...]:
        found = struct.Struct(("<" if self.little else ">") + layout)
        return found.unpack(self.raw(found.size))

    def number(self, layout: str) -> int:
        return self.numbers(layout)[0]

    def same(self, layout: str) -> bytes:
        """Numbers, for a PSD."""
        return struct.pack(">" + layout, *self.numbers(layout))

    def code(self) -> bytes:
        """Four letters, which are a number, too."""
        return self.raw(4)[:: -1 if self.little else 1]


def _block(key: bytes, content: bytes) -> bytes:
    content += bytes(-len(content) % 4)
    return b"8BIM" + key + struct.pack(">I", len(content)) + content


class _Record(NamedTuple):
    rows: Mapping[int, int]
    """Rows of each mask's channel."""
    height: int
    channels: tuple[tuple[int, int], ...]
    """Number and bytes of each."""


def _layers(source: _Source) -> bytes:
    out = source.same("h")
    (count,) = struct.unpack(">h", out)
    records = []
    for _ in range(abs(count)):
        record, written = _record(source)
        records.append(record)
        out += written
    return out + b"".join(_channel(source, record, *channel) for record in records for channel in record.channels)


def _record(source: _Source) -> tuple[_Record, bytes]:
    out = [source.same("4i")]
    top, _, bottom, _ = struct.unpack(">4i", out[0])
    channels = tuple((source.number("h"), source.number("I")) for _ in range(source.number("H")))
    out.append(struct.pack(">H", len(channels)) + b"".join(struct.pack(">hI", *channel) for channel in channels))
    out += source.code(), source.code(), source.raw(4)
    extra = source.part(source.number("I"))
    mask, rows = _mask(extra.part(extra.number("I")))
    ranges = extra.raw(extra.number("I"))
    length = extra.raw(1)
    name = length + extra.raw(length[0] + -(length[0] + 1) % 4)
    inside = struct.pack(">I", len(mask)) + mask + struct.pack(">I", len(ranges)) + ranges + name + _blocks(extra)
    return _Record(rows, bottom - top, channels), b"".join((*out, struct.pack(">I", len(inside)), inside))


def _mask(source: _Source) -> tuple[bytes, dict[int, int]]:
    """Places, colours and switches, of the second mask, too; then, by four bits, density and feather of each."""
    if not source.left:
        return b"", {}
    places, switches = source.same("4i"), source.raw(2)
    top, _, bottom, _ = struct.unpack(">4i", places)
    out, rows = places + switches, {OWN_MASK: bottom - top}
    if source.left >= 18:
        switched, second = source.raw(2), source.same("4i")
        top, _, bottom, _ = struct.unpack(">4i", second)
        rows[REAL_MASK] = bottom - top
        out += switched + second
    if switches[1] & 16 and source.left:
        bits = source.raw(1)
        out += bits + b"".join(source.raw(1) if bit % 2 == 0 else source.same("d") for bit in range(4) if bits[0] >> bit & 1)
    return out + source.rest(), rows


def _blocks(source: _Source) -> bytes:
    out = b""
    while source.left >= 12:
        source.code()
        key, content = source.code(), source.part(source.number("I"), padding=4)
        try:
            out += _block(key, SHAPES.get(key, _unknown)(content) if source.little else content.rest())
        except MALFORMED:
            out += _block(key, b"")
    return out


def _channel(source: _Source, record: _Record, number: int, length: int) -> bytes:
    content = source.part(length)
    if not content.left:
        return b""
    compression = content.number("H")
    out = struct.pack(">H", compression)
    if compression == RUN_LENGTHS:
        rows = record.rows.get(number, record.height)
        out += content.same(f"{rows}H")
    return out + content.rest()


def _unknown(source: _Source) -> bytes:
    raise ValueError("its shape is not known")


def _of_numbers(layout: str) -> Callable[[_Source], bytes]:
    """Numbers of a layout, of which the last kind goes on to the end."""

    def change(source: _Source) -> bytes:
        out = source.same(layout[:-1])
        size = struct.calcsize(">" + layout[-1])
        return out + source.same(f"{source.left // size}{layout[-1]}") + source.rest()

    return change


def _text(source: _Source) -> bytes:
    count = source.number("I")
    return struct.pack(">I", count) + source.same(f"{count}H")


def _codes(source: _Source) -> bytes:
    """A number, then codes, then numbers: the kind of a group."""
    out = source.same("I")
    for _ in range(2):
        out += source.code() if source.left >= 4 else b""
    return out + source.same(f"{source.left // 4}I")


def _path(source: _Source) -> bytes:
    """Two numbers, then records: what each is, and six coordinates or a count and nothing."""
    out = source.same("2I")
    while source.left >= 26:
        kind = source.same("H")
        out += kind + source.same("12H" if kind in PATH_COUNTS else "6i")
    return out


def _settings(leading: int) -> Callable[[_Source], bytes]:
    """A tree behind so many numbers."""

    def change(source: _Source) -> bytes:
        return source.same(f"{leading}I") + _tree(source, 0)

    return change


def _tree(source: _Source, depth: int) -> bytes:
    out = _text(source) + _key(source)
    count = source.number("I")
    return out + struct.pack(">I", count) + b"".join(_key(source) + _value(source, depth) for _ in range(count))


def _key(source: _Source) -> bytes:
    length = source.number("I")
    return struct.pack(">I", length) + (source.raw(length) if length else source.code())


def _value(source: _Source, depth: int) -> bytes:
    if depth > MAX_NESTING:
        raise ValueError("it is nested too deeply")
    kind = source.code()
    if kind in (b"Objc", b"GlbO"):
        return kind + _tree(source, depth + 1)
    if kind == b"VlLs":
        count = source.number("I")
        return kind + struct.pack(">I", count) + b"".join(_value(source, depth + 1) for _ in range(count))
    return kind + VALUES.get(kind, _unknown)(source)


def _data(source: _Source) -> bytes:
    length = source.number("I")
    return struct.pack(">I", length) + source.raw(length)


VALUES: Mapping[bytes, Callable[[_Source], bytes]] = {
    b"doub": lambda source: source.same("d"),
    b"UntF": lambda source: source.code() + source.same("d"),
    b"long": lambda source: source.same("i"),
    b"comp": lambda source: source.same("q"),
    b"bool": lambda source: source.raw(1),
    b"TEXT": _text,
    b"enum": lambda source: _key(source) + _key(source),
    b"type": lambda source: _text(source) + _key(source),
    b"GlbC": lambda source: _text(source) + _key(source),
    b"tdta": _data,
    b"alis": _data,
}
"""The simple values of a tree, by their kinds."""
SHAPES: Mapping[bytes, Callable[[_Source], bytes]] = {
    b"luni": _text,
    b"lsct": _codes,
    b"lsdk": _codes,
    b"lnsr": lambda source: source.code(),
    **dict.fromkeys((b"lyid", b"lspf", b"brst", b"lyvr"), _of_numbers("I")),
    **dict.fromkeys((b"clbl", b"infx", b"knko", b"tsly", b"lmgm", b"vmgm", b"iOpa", b"nvrt"), lambda source: source.rest()),
    b"fxrp": _of_numbers("d"),
    **dict.fromkeys((b"lclr", b"mixr", b"post", b"thrs", b"selc"), _of_numbers("H")),
    b"levl": lambda source: source.same("146H"),  # what follows are channels that no mode here has
    **dict.fromkeys((b"vmsk", b"vsms"), _path),
    b"brit": _of_numbers("3hB"),
    b"expA": _of_numbers("Hf"),
    b"hue2": _of_numbers("HBBH"),
    **dict.fromkeys((b"SoCo", b"GdFl", b"PtFl", b"CgEd", b"vibA", b"blwh", b"artb", b"artd", b"abdd"), _settings(1)),
    **dict.fromkeys((b"lfx2", b"lmfx", b"lfxs"), _settings(2)),
}
"""How the blocks that are read here are laid out."""
