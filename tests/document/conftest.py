"""What several tests of layered files need: pixels to write, and the other programs that read them."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate.document import RGBA
from acetate.raster import Pixels

GOLDEN = Path(__file__).parent / "golden"

PROGRAMS = ("magick", "convert-im7.q16", "convert-im6.q16", "/usr/bin/convert")
"""Names of ImageMagick's converter; a bare `convert` in the path may be something else."""


ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Its primaries under D50, from its specification's profile."""


@pytest.fixture
def profile() -> Callable[..., bytes]:
    """`profile(primaries=…, curve=…, space=…)`: as little of an ICC profile as Little CMS takes; Adobe RGB without more."""

    def make(
        primaries: tuple[tuple[float, ...], ...] = ADOBE_RGB,
        curve: bytes = struct.pack(">4s4xIH2x", b"curv", 1, round(2.19921875 * 256)),
        space: bytes = b"RGB ",
        further: dict[bytes, bytes] | None = None,
    ) -> bytes:
        d50 = (0.96420, 1.0, 0.82491)
        white, *columns = (struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in xyz)) for xyz in (d50, *primaries))
        names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC") if space == b"RGB " else (b"kTRC",)
        tags = dict(zip(names, (*columns, curve, curve, curve) if space == b"RGB " else (curve,), strict=True))
        tags |= {b"wtpt": white} | (further or {})
        head = bytearray(128)
        head[8:12], head[12:24], head[36:40], head[68:80] = b"\2\x40\0\0", b"mntr" + space + b"XYZ ", b"acsp", white[8:]
        table, offset = struct.pack(">I", len(tags)), 132 + 12 * len(tags)
        for name, content in tags.items():
            table += struct.pack(">4sII", name, offset, len(content))
            offset += len(content)
        whole = bytes(head) + table + b"".join(tags.values())
        return struct.pack(">I", len(whole)) + whole[4:]

    return make


@pytest.fixture
def golden() -> Path:
    return GOLDEN


@pytest.fixture
def noise() -> Callable[..., RGBA]:
    """`noise(height, width, seed)`: random colour and alpha, fully transparent and opaque pixels among them."""

    def make(height: int, width: int, seed: int = 0) -> RGBA:
        rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
        rgba[..., 3] = np.clip(rgba[..., 3].astype(int) * 2 - 128, 0, 255)
        return rgba

    return make


@pytest.fixture
def difference() -> Callable[[RGBA, RGBA], float]:
    """The largest premultiplied difference in 8-bit levels: what an eye could see of two straight-alpha pictures."""

    def compare(one: RGBA, other: RGBA) -> float:
        assert one.shape == other.shape
        seen = [np.concatenate([a[..., :3] * (a[..., 3:] / 255.0), a[..., 3:]], axis=-1) for a in (one, other)]
        return float(np.abs(seen[0] - seen[1]).max(initial=0))

    return compare


@pytest.fixture
def imagemagick(tmp_path: Path) -> Callable[..., Pixels]:
    """`imagemagick("file.psd[0]")`: the picture as ImageMagick reads it, in 8 bits or, `imagemagick(…, 16)`, in 16."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name)) and _is_imagemagick(found)), None)
    if program is None:
        message = f"ImageMagick is not installed (looked for {', '.join(PROGRAMS)}; Debian's package is imagemagick)"
        if os.environ.get("ACETATE_TEST_PROGRAMS") == "1":
            pytest.fail(message)
        pytest.skip(message)

    def load(source: str, depth: int = 8) -> Pixels:
        raw = tmp_path / "imagemagick.rgba"
        size = subprocess.run([program, source, "-format", "%w %h", "info:"], check=True, capture_output=True, text=True).stdout
        width, height = map(int, size.split())
        subprocess.run([program, source, "-depth", str(depth), "-endian", "LSB", f"rgba:{raw}"], check=True, capture_output=True)
        return np.fromfile(raw, f"<u{depth // 8}").reshape(height, width, 4)

    return load


def _is_imagemagick(program: str) -> bool:
    answer = subprocess.run([program, "-version"], capture_output=True, text=True)
    return "ImageMagick" in answer.stdout
