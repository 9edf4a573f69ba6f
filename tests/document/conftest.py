"""What several tests of layered files need: pixels to write, and the other programs that read them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate.document import RGBA

GOLDEN = Path(__file__).parent / "golden"

PROGRAMS = ("magick", "convert-im7.q16", "convert-im6.q16", "/usr/bin/convert")
"""Names of ImageMagick's converter; a bare `convert` in the path may be something else."""


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
def imagemagick(tmp_path: Path) -> Callable[[str], RGBA]:
    """`imagemagick("file.psd[0]")`: the picture as ImageMagick reads it."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name)) and _is_imagemagick(found)), None)
    if program is None:
        message = f"ImageMagick is not installed (looked for {', '.join(PROGRAMS)}; Debian's package is imagemagick)"
        if os.environ.get("ACETATE_TEST_PROGRAMS") == "1":
            pytest.fail(message)
        pytest.skip(message)

    def load(source: str) -> RGBA:
        raw = tmp_path / "imagemagick.rgba"
        size = subprocess.run([program, source, "-format", "%w %h", "info:"], check=True, capture_output=True, text=True).stdout
        width, height = map(int, size.split())
        subprocess.run([program, source, "-depth", "8", f"rgba:{raw}"], check=True, capture_output=True)
        return np.fromfile(raw, np.uint8).reshape(height, width, 4)

    return load


def _is_imagemagick(program: str) -> bool:
    answer = subprocess.run([program, "-version"], capture_output=True, text=True)
    return "ImageMagick" in answer.stdout
