"""A PSD opened, not yet decoded: within bounds of size, of a damaged one the sound parts.

psd-tools parses it; what it raises, and what it would only warn of, becomes a `DocumentError` here.
"""

from __future__ import annotations

import io
import logging
import struct
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from psd_tools import ParseLimits, PSDImage
from psd_tools.api import utils as psd_limits
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.utils import PSDLargeImageWarning, has_transparency
from psd_tools.compression import PSDDecompressionWarning
from psd_tools.constants import ColorMode, Compression, Resource

from ..errors import UnreadableFile
from ..formats.decoding import MALFORMED, DamagedError, decoding
from ..formats.limits import MAX_FILE_BYTES, MAX_SIDE, PixelBudget, check_canvas
from .salvage import salvaged

HEADER = struct.Struct(">4sH6xHIIHH")
"""Signature, version, channels, height, width, bits per channel, colour mode."""

LIMITS = ParseLimits(max_read_bytes=MAX_FILE_BYTES, max_total_bytes=2 * MAX_FILE_BYTES)
MAX_DECODING_BYTES = 2**32
"""What decoding one layer may take at its peak: 16-bit planes are widened on the way."""

psd_limits.MAX_DIMENSION_PSD = MAX_SIDE  # it would render a PSB no larger than a PSD

_ONE_AT_A_TIME = threading.RLock()

logging.getLogger("psd_tools").addHandler(logging.NullHandler())  # its warnings on odd files are not for the terminal


def open_psd(file: BinaryIO, name: str, damage: list[str] | None = None) -> PSDImage:
    """Parse without decoding pixels. Raises a `DocumentError` for what is too large, damaged or of an unsupported kind.

    Where `damage` is given, the sound parts of a damaged file are taken, and it gets what was given up.
    """
    check_header(file.read(HEADER.size), name)
    file.seek(0)
    try:
        psd = PSDImage.open(file, max_alloc_bytes=MAX_DECODING_BYTES, parse_limits=LIMITS)
    except MALFORMED:
        if damage is None:
            raise
        file.seek(0)
        sound = salvaged(file.read())
        damage += sound.notes
        psd = PSDImage.open(io.BytesIO(sound.data), max_alloc_bytes=MAX_DECODING_BYTES, parse_limits=LIMITS)
    check_layers(psd, name)
    missing = _missing_bytes(psd)
    if missing and (damage is None or not len(psd)):
        raise DamagedError(f"it ends early, {missing:,} bytes of its merged picture are missing")
    if missing and damage is not None:
        damage.append(f"{missing:,} bytes of its merged picture are missing, so it was not used")
        psd._record.image_data.data = b""
    return psd


@contextmanager
def psd_decoding(name: str) -> Iterator[None]:
    """Decoding inside raises instead of turning a channel black. The lock is for warning filters, which are global."""
    with _ONE_AT_A_TIME, decoding(name, "PSD", in_our_words=True), warnings.catch_warnings():
        warnings.simplefilter("error", PSDDecompressionWarning)
        warnings.simplefilter("ignore", PSDLargeImageWarning)
        yield


def check_header(head: bytes, name: str) -> None:
    """Raise a `DocumentError` for what is no PSD, or too large."""
    if head[:4] == b"8BPS" and len(head) < HEADER.size:
        raise UnreadableFile(f"{name} is not a readable PSD: it ends after {len(head)} bytes")
    if head[:4] != b"8BPS":
        raise UnreadableFile(f"{name} is not a readable PSD: it begins with {head[:4]!r}, not b'8BPS'")
    _, version, channels, height, width, depth, mode = HEADER.unpack(head)
    modes = [one.value for one in ColorMode]
    for what, found, known in (
        ("version", version, (1, 2)),
        ("number of channels", channels, range(1, 57)),
        ("number of bits per channel", depth, (1, 8, 16, 32)),
        ("colour mode", mode, modes),
    ):
        if found not in known:
            raise UnreadableFile(f"{name} is not a readable PSD: its {what} is {found}, which none has")
    if not (width and height):
        raise UnreadableFile(f"{name} is not a readable PSD: its canvas is {width} x {height}")
    check_canvas(name, width, height)


def check_layers(psd: PSDImage, name: str) -> None:
    """Raise `TooLarge` for layers that are too many, too large together or too deep; `name` is what messages call the file."""
    _spend(psd, PixelBudget(name), 0)


def _spend(layers: Iterable[PSDLayer], budget: PixelBudget, depth: int) -> None:
    for layer in layers:
        if isinstance(layer, PSDGroup):
            budget.spend(0, 0, depth=depth)
            _spend(layer, budget, depth + 1)
        else:
            budget.spend(max(0, layer.width), max(0, layer.height), depth=depth)
        mask = layer._record.mask_data
        if mask is not None:
            budget.spend(mask.width, mask.height, depth=depth)
            if mask.real_flags is not None:
                budget.spend(mask.real_width, mask.real_height, depth=depth)


def _missing_bytes(psd: PSDImage) -> int:
    """What a file that was cut off lacks of its merged picture, which comes last: psd-tools takes whatever part is left of it."""
    header, picture = psd._record.header, psd._record.image_data
    rows = header.height * header.channels
    if picture.compression == Compression.RAW:
        needed = rows * ((header.width * header.depth + 7) // 8)
    elif picture.compression == Compression.RLE:
        size = 2 * header.version
        whole_entries = min(rows, len(picture.data) // size)
        lengths = np.frombuffer(picture.data, f">u{size}", count=whole_entries)
        needed = rows * size + int(lengths.sum(dtype=np.int64))
    else:
        return 0
    return max(0, needed - len(picture.data))


def spare_channels(psd: PSDImage) -> int:
    """Channels that are neither colour nor the merged picture's transparency: saved selections, spot colours."""
    if psd.color_mode == ColorMode.MULTICHANNEL:
        return 0
    spare = max(0, psd.channels - ColorMode.channels(psd.color_mode) - has_transparency(psd))
    return 0 if has_unnamed_transparency(psd) else spare


def has_unnamed_transparency(psd: PSDImage) -> bool:
    """Whether the one channel beside the colours is the merged picture's alpha, though the file does not say so.

    MediBang and FireAlpaca write such files; Photoshop names every channel that somebody saved.
    """
    named = any(psd.image_resources.get_data(key) for key in (Resource.ALPHA_NAMES_UNICODE, Resource.ALPHA_NAMES_PASCAL))
    one = psd.channels == ColorMode.channels(psd.color_mode) + 1
    return one and len(psd) > 0 and not named and not has_transparency(psd)
