"""Files in and out: which format it is, and that a failed write leaves the old file as it was.

Knows the formats by name only; their bytes are the business of `psd`, `ora`, `png` and `picture`.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from acetate.raster import RGBA, to_8_bits

from .errors import TooLarge, UnreadableFile, UnsupportedFile, UnwritableFile
from .formats import ora, ora_operators, ora_reading, picture, png, psd
from .formats.limits import MAX_FILE_BYTES, MAX_STREAM_BYTES
from .layer import PASS_THROUGH, Document, Group, Layer, walk
from .naming import clean
from .outline import Outline, of_document

WRITERS: dict[str, Callable[[Document, BinaryIO], None]] = {
    "psd": psd.write,
    "ora": ora.write,
    "png": png.write,
}
FORMATS = tuple(WRITERS)
"""What can be written, and with `picture.FORMATS` what can be read."""


def read(path: str | os.PathLike[str]) -> Document:
    """A PSD, OpenRaster or picture file as a document, whatever its suffix. Raises a `DocumentError` saying what is wrong."""
    return _read(_load(path), Path(path).name)


def outline(path: str | os.PathLike[str]) -> Outline:
    """The layers that a file holds, without their pixels: of a PSD with layers only its list is read, of others all.

    Raises as `read`.
    """
    try:
        with open(path, "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and _layered(file.read(4)) == "psd":
                file.seek(0)
                found = psd.outline(file, Path(path).name)
                if found.entries:
                    return found
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    return of_document(read(path))


def write(document: Document, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write in the format of the suffix (.psd, .ora, .png), completely or not at all; returns the `losses`.

    Raises `UnsupportedFile` for another suffix, and `UnwritableFile` or `TooLarge` where the format or the disk refuses it.
    """
    writer = WRITERS[format_of(path)]
    _write_whole(Path(path), lambda file: writer(document, file))
    return losses(document, format_of(path))


def read_bytes(data: bytes, *, name_or_format: str) -> Document:
    """As `read`, from memory; the name is for messages and for the layer of a flat picture."""
    return _read(data, name_or_format)


def write_bytes(document: Document, format: str) -> bytes:
    """As `write`, to memory; `format` is one of `FORMATS`."""
    file = io.BytesIO()
    WRITERS[format_of(f".{format.lstrip('.')}")](document, file)
    return file.getvalue()


def read_image(path: str | os.PathLike[str]) -> RGBA:
    """Any picture, or a PSD or OpenRaster file merged, as `(H, W, 4)` uint8 straight alpha in sRGB, as networks see it; `read`
    keeps 16 bits and says what was lost."""
    return to_8_bits(png.flatten(read(path)))


def insert_into_file(
    path: str | os.PathLike[str],
    layer: Layer,
    target: str | os.PathLike[str] | None = None,
    *,
    above: str | None = None,
    below: str | None = None,
) -> tuple[str, ...]:
    """Add one layer to a PSD or OpenRaster file and leave everything else in it as it is, even what `read` could not keep.

    It goes directly above or below the layer of that name (names as in `tree.find`), else on top. Without `target`, the file
    itself is replaced. Returns what the file's merged picture lacks now, one sentence each. Raises a `DocumentError`, and
    `TypeError` for what is no layer.
    """
    data, notes = _inserted(_load(path), layer, Path(path).name, above, below)
    _write_whole(Path(path if target is None else target), lambda file: file.write(data))
    return notes


def insert_into_bytes(data: bytes, layer: Layer, *, name: str, above: str | None = None, below: str | None = None) -> bytes:
    """As `insert_into_file`, in memory; raises the same."""
    return _inserted(data, layer, name, above, below)[0]


def _inserted(data: bytes, layer: Layer, name: str, above: str | None, below: str | None) -> tuple[bytes, tuple[str, ...]]:
    if not isinstance(layer, Layer):  # the caller's mistake, which would look like a damaged file further down
        raise TypeError(f"the layer is a {type(layer).__name__}; it must be a Layer")
    kind = _layered(data)
    if kind is None:
        raise UnsupportedFile(f"{name} has no layers that one could be added to", "PSD and OpenRaster files have.")
    return {"psd": psd.insert, "ora": ora.insert}[kind](data, layer, name, above=above, below=below)


def losses(document: Document, format: str) -> tuple[str, ...]:
    """What the format will not keep of this document, one sentence each, for the person."""
    nodes = list(walk(document.layers))
    if format == "png":
        merged = sum(isinstance(node, Layer) for node in nodes)
        return () if merged <= 1 else (f"PNG has no layers; merged into one picture: {merged}",)
    notes = [f"the name {node.name!r} was shortened or cleaned" for node in nodes if clean(node.name) != node.name]
    if document.space is not None and len(nodes) > 1:
        notes.append("its layers were blended in another colour space than sRGB, in which they are now: soft edges may differ")
    for node in nodes:
        if format == "psd" and isinstance(node, Group) and node.opacity < 1:
            notes.append(f"Krita ignores the opacity of a group in a PSD: {node.name!r} has {node.opacity:.0%}")
        if format == "ora" and node.blend_mode == PASS_THROUGH and node.opacity < 1:
            notes.append(f"OpenRaster has pass-through at full opacity only: {node.name!r} has {node.opacity:.0%}, became normal")
        elif format == "ora" and ora_operators.BLEND_OPERATORS.get(node.blend_mode, "").startswith(ora_operators.KRITA):
            notes.append(f"only Krita reads the blend mode {node.blend_mode!r} in OpenRaster: to others {node.name!r} is normal")
    return tuple(notes)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix asks for. Raises `UnsupportedFile`."""
    suffix = os.path.splitext("x" + os.path.basename(path))[1].lower()
    if suffix[1:] not in WRITERS:
        choices = ", ".join(f".{format}" for format in FORMATS)
        raise UnsupportedFile(f"{path} ends in {suffix or 'no suffix'!r}; {choices} can be written", f"Use one of {choices}.")
    return suffix[1:]


def _read(data: bytes, name: str) -> Document:
    kind = _layered(data)
    if kind == "psd":
        return psd.read(io.BytesIO(data), name)
    if kind == "ora":
        return ora_reading.read(io.BytesIO(data), name)
    return png.document_of(picture.decode(data, name), Path(name).stem)


def _layered(data: bytes) -> str | None:
    return "psd" if data[:4] == b"8BPS" else "ora" if data[:4] == b"PK\x03\x04" else None


def _load(path: str | os.PathLike[str]) -> bytes:
    try:
        found = os.stat(path)
        if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
            raise UnreadableFile(f"{path} is a device, not a picture file")
        if found.st_size > MAX_FILE_BYTES:
            raise TooLarge(f"{path} has {found.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        return Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else _load_stream(path)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error


def _load_stream(path: str | os.PathLike[str]) -> bytes:
    """All of a pipe. In pieces, as a program that is told to end does so between two of them."""
    data = bytearray()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            data += piece
            if len(data) > MAX_STREAM_BYTES:
                raise TooLarge(f"{path} is a stream of more than {MAX_STREAM_BYTES:,} bytes", "Save it as a file first.")
    return bytes(data)


def _write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write to a temporary file in the same folder, then rename it; after a failure the old file is still there and it is
    gone."""
    path = path.resolve()
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                write(file)
            if path.exists():
                shutil.copymode(path, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableFile(f"{path} cannot be written: {error.strerror or error}") from error
