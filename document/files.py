"""Files in and out: which format it is, and that a failed write leaves the old file as it was.

Knows the formats by name only; their bytes are the business of `document/formats/`.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from acetate.raster import RGBA, to_8_bits

from .composition.baking import said
from .errors import TooLarge, UnreadableFile, UnsupportedFile, UnwritableFile
from .formats import ora, ora_reading, picture, png, psd
from .formats.kinds import kind_of
from .formats.limits import MAX_FILE_BYTES, MAX_STREAM_BYTES
from .gimp import reading as gimp
from .krita import reading as krita
from .layer import Document, Group, Layer, Node, walk
from .naming import clean
from .outline import Outline, of_document
from .photoshop import tiff
from .tree import NodePath, Place

WRITERS: dict[str, Callable[[Document, BinaryIO], Iterable[str] | None]] = {
    "psd": psd.write,
    "psb": psd.write_large,
    "ora": ora.write,
    "png": png.write,
}
FORMATS = tuple(WRITERS)
"""What can be written. A writer returns what the person has to know beside the `losses`."""


READERS = {"psd": psd.read, "ora": ora_reading.read, "kra": krita.read, "xcf": gimp.read, "tiff": tiff.read}
"""Of what can have layers; all else is a flat picture."""
INSERTERS = {"psd": psd.insert, "ora": ora.insert}
READ_ONLY = {"kra": "a Krita file", "xcf": "a GIMP image", "tiff": "a TIFF"}
"""What layers are read from, and none can be added to."""

PHOTOSHOP_LAYERS, PHOTOSHOP_DEPTH = 8_000, 10
"""Adobe's limits, not those of the format."""


def read(path: str | os.PathLike[str]) -> Document:
    """A PSD, PSB, OpenRaster or picture file as a document, whatever its suffix. Raises a `DocumentError` saying why not."""
    try:
        if os.path.isfile(path) and os.path.getsize(path) <= MAX_FILE_BYTES:
            with open(path, "rb") as file:
                if kind_of(file.read(4)) == "psd":
                    file.seek(0)  # from the disk layer by layer: all its bytes would need as much memory as its pixels
                    return psd.read(file, Path(path).name)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    return _read(load(path), Path(path).name)


def outline(path: str | os.PathLike[str]) -> Outline:
    """The layers that a file holds, without their pixels: of a PSD with layers only its list is read, of others all.

    Raises as `read`.
    """
    try:
        with open(path, "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and (found := _listed(file, Path(path).name)):
                return found
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error
    return of_document(read(path))


def outline_bytes(data: bytes, *, name: str) -> Outline:
    """As `outline`, from memory; raises the same."""
    return _listed(io.BytesIO(data), name) or of_document(_read(data, name))


def _listed(file: BinaryIO, name: str) -> Outline | None:
    """The list of a PSD with layers; `None` where it takes reading the whole, as of a damaged one the sound parts are."""
    if kind_of(file.read(4)) != "psd":
        return None
    file.seek(0)
    with suppress(UnreadableFile):
        found = psd.outline(file, name)
        return found if found.entries else None
    return None


def write(document: Document, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write in the format of the suffix (`FORMATS`), completely or not at all; returns the `losses`.

    Raises `UnsupportedFile` for another suffix, and `UnwritableFile` or `TooLarge` where the format or the disk refuses it.
    """
    writer = WRITERS[format_of(path)]
    notes: list[str] = []
    write_whole(Path(path), lambda file: notes.extend(writer(document, file) or ()))
    return (*losses(document, format_of(path)), *notes)


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
    above: str | NodePath | None = None,
    below: str | NodePath | None = None,
) -> tuple[str, ...]:
    """Add one layer to a PSD or OpenRaster file and leave everything else in it as it is, even what `read` could not keep.

    It goes directly above or below the layer of that name or path (as in `tree.find`), else on top. Without `target`, the file
    itself is replaced. Returns what the file's merged picture lacks now, one sentence each. Raises a `DocumentError`, and
    `TypeError` for what is no layer.
    """
    data, notes = _inserted(load(path), layer, Path(path).name, Place(above, below))
    write_whole(Path(path if target is None else target), lambda file: file.write(data))
    return notes


def insert_into_bytes(
    data: bytes,
    layer: Layer,
    *,
    name: str,
    above: str | NodePath | None = None,
    below: str | NodePath | None = None,
    hide: Collection[NodePath] = (),
    notes: list[str] | None = None,
) -> bytes:
    """As `insert_into_file`, in memory; raises the same, and adds what that returns to `notes`.

    The layers at the paths of `hide`, as they are before, are hidden.
    """
    data, lacking = _inserted(data, layer, name, Place(above, below, hide))
    if notes is not None:
        notes += lacking
    return data


def _inserted(data: bytes, layer: Layer, name: str, place: Place) -> tuple[bytes, tuple[str, ...]]:
    if not isinstance(layer, Layer):  # the caller's mistake, which would look like a damaged file further down
        raise TypeError(f"the layer is a {type(layer).__name__}; it must be a Layer")
    kind = kind_of(data)
    if kind in READ_ONLY:
        raise UnsupportedFile(f"{name} is {READ_ONLY[kind]}; no layer can be added to one", "Convert it to PSD first.")
    if kind not in INSERTERS:
        raise UnsupportedFile(f"{name} has no layers that one could be added to", "PSD and OpenRaster files have.")
    return INSERTERS[kind](data, layer, name, place)


def losses(document: Document, format: str) -> tuple[str, ...]:
    """What the format will not keep of this document, one sentence each, for the person."""
    nodes = list(walk(document.layers))
    if format == "png":
        merged = sum(isinstance(node, Layer) for node in nodes)
        flat = (f"PNG has no layers; merged into one picture: {merged}",) if merged > 1 else said(document.layers)
        return (*flat, *_homeless("PNG", {"IPTC": document.metadata.iptc, "guides": document.metadata.guides}))
    notes = [f"the name {node.name!r} was shortened or cleaned" for node in nodes if clean(node.name) != node.name]
    if document.space is not None and len(nodes) > 1:
        notes.append("its layers were blended in another colour space than sRGB, in which they are now: soft edges may differ")
    if format == "ora":
        notes += [*ora.losses(document), *_homeless("OpenRaster", _beside_pixels(document))]
    else:
        notes += [*psd.losses(document), *_beyond_photoshop(document)]
    for node in nodes:
        if format in ("psd", "psb") and isinstance(node, Group) and node.opacity < 1:
            notes.append(f"Krita ignores the opacity of a group in a PSD: {node.name!r} has {node.opacity:.0%}")
    return tuple(notes)


def _beside_pixels(document: Document) -> dict[str, object]:
    """What the document says of itself and its layers, by the words for it."""
    said, nodes = document.metadata, list(walk(document.layers))
    return {
        "XMP": said.xmp,
        "IPTC": said.iptc,
        "guides": said.guides,
        "layer colours": any(node.label for node in nodes),
        "locks": any(node.locks for node in nodes),
    }


def _homeless(format: str, values: dict[str, object]) -> list[str]:
    lost = ", ".join(what for what, value in values.items() if value)
    return [f"{format} has no place for these, which were left out: {lost}"] if lost else []


def _beyond_photoshop(document: Document) -> list[str]:
    """What a PSD holds and Photoshop does not take."""
    notes, count, depth = [], sum(1 for _ in walk(document.layers)), _depth(document.layers)
    if count > PHOTOSHOP_LAYERS:
        notes.append(f"Photoshop takes at most {PHOTOSHOP_LAYERS:,} layers and groups; the document has {count:,}")
    if depth > PHOTOSHOP_DEPTH:
        notes.append(f"Photoshop takes groups at most {PHOTOSHOP_DEPTH} deep; the document has them {depth} deep")
    return notes


def _depth(nodes: Sequence[Node]) -> int:
    return max((1 + _depth(node.children) for node in nodes if isinstance(node, Group)), default=0)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix asks for. Raises `UnsupportedFile`."""
    suffix = os.path.splitext("x" + os.path.basename(path))[1].lower()
    if suffix[1:] not in WRITERS:
        choices = ", ".join(f".{format}" for format in FORMATS)
        raise UnsupportedFile(f"{path} ends in {suffix or 'no suffix'!r}; {choices} can be written", f"Use one of {choices}.")
    return suffix[1:]


def _read(data: bytes, name: str) -> Document:
    kind = kind_of(data)
    if kind in READERS:
        return READERS[kind](io.BytesIO(data), name)
    return png.document_of(picture.decode(data, name), Path(name).stem)


def load(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, for `read_bytes` and the like. Raises `UnreadableFile`, or `TooLarge` for more than are read."""
    try:
        found = os.stat(path)
        if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
            raise UnreadableFile(f"{path} is a device, not a picture file")
        if found.st_size > MAX_FILE_BYTES:
            raise TooLarge(f"{path} has {found.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        return Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else __load_stream(path)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}") from error


def __load_stream(path: str | os.PathLike[str]) -> bytes:
    """All of a pipe. In pieces, as a program that is told to end does so between two of them."""
    data = bytearray()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            data += piece
            if len(data) > MAX_STREAM_BYTES:
                raise TooLarge(f"{path} is a stream of more than {MAX_STREAM_BYTES:,} bytes", "Save it as a file first.")
    return bytes(data)


def write_whole(path: Path, write: Callable[[BinaryIO], object], replacing: AbstractContextManager[object] | None = None) -> None:
    """Write to a temporary file in the same folder, then rename it; after a failure the old file is still there and it is
    gone. What is `replacing` is entered for the renaming alone, and may refuse it.

    Raises `UnwritableFile`, and what `write` and `replacing` raise.
    """
    path = path.resolve()
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                write(file)
            if path.exists():
                shutil.copymode(path, temporary)
            with replacing or nullcontext():
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableFile(f"{path} cannot be written: {error.strerror or error}") from error
