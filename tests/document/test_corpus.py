"""Files of other programs, by the hundred: what can be read, what looks as its maker drew it, what an insertion leaves alone.

The files are not ours to keep here. `ACETATE_PSD_CORPUS=DIR` names a folder of them, such as checkouts of psd-tools, ag-psd,
webtoon/psd and PhotoshopAPI; without it nothing runs. `-s` shows the table; `ACETATE_PSD_CORPUS_REPORT=FILE` gets a line of
JSON for each file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
from acetate.document import RGBA, Box, DocumentError, Layer, compose, insert_into_bytes, read_bytes
from acetate.document.composition.colour import to_rgba
from acetate.document.formats.decoding import MALFORMED
from acetate.document.photoshop.merged_picture import StoredPicture
from acetate.document.photoshop.opening import has_unnamed_transparency
from acetate.raster import to_8_bits
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource

CORPUS = os.environ.get("ACETATE_PSD_CORPUS", "")
REPORT = os.environ.get("ACETATE_PSD_CORPUS_REPORT", "")
GENERAL = ("colours were", "16 bits", "the file's own picture", "the file does not say how", "extra channel")
"""How notes begin or what they contain that do not name a cause for another look."""
STAMP = Layer(np.full((2, 2, 4), (255, 0, 0, 255), np.uint8), name="stamp")

pytestmark = pytest.mark.skipif(not CORPUS, reason="ACETATE_PSD_CORPUS names no folder of PSD files")


@dataclass
class Finding:
    """What became of one file."""

    path: str
    refused: str = ""
    mean: float | None = None
    """Mean difference in levels from the picture that the file stores, over white; `None` where it stores none."""
    share: float = 0.0
    """Share of pixels that differ by more than 24 levels."""
    notes: tuple[str, ...] = ()
    inserted: bool | None = None
    """`False` where an insertion changed a sample outside the new layer's box; `None` where it was refused."""
    seconds: float = 0.0

    @property
    def off(self) -> bool:
        return self.mean is not None and (self.mean > 4 or self.share > 0.02)

    @property
    def named(self) -> bool:
        return any(not any(words in note for words in GENERAL) for note in self.notes)


def over_white(rgba: RGBA) -> np.ndarray:
    alpha = rgba[..., 3:] / np.float32(255)
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def examined(path: Path) -> Finding:
    data, start = path.read_bytes(), time.monotonic()
    finding = Finding(str(path))
    try:
        document = read_bytes(data, name_or_format=path.name)
        finding.notes = document.notes
        stored = stored_picture(data)
        if stored is not None and np.ptp(stored, axis=(0, 1)).any():
            far = np.abs(over_white(to_8_bits(compose(document))) - over_white(stored))
            finding.mean, finding.share = float(far.mean()), float((far.max(axis=-1) > 24).mean())
        finding.inserted = inserted_well(data, path.name)
    except DocumentError as error:
        finding.refused = str(error)
    finding.seconds = time.monotonic() - start
    return finding


def stored_picture(data: bytes) -> RGBA | None:
    try:
        psd = PSDImage.open(io.BytesIO(data))
        image = psd.topil(apply_icc=False) if psd.has_preview() else None
        if image is not None and psd.depth == 8 and has_unnamed_transparency(psd):
            image.putalpha(Image.fromarray(_samples(data)[-1].astype(np.uint8)))
    except MALFORMED:  # it ends early, or is of another length than it says
        return None
    if image is None:
        return None
    return to_rgba(
        image.convert("RGB") if image.mode in ("P", "1") else image, psd.image_resources.get_data(Resource.ICC_PROFILE)
    )[0]


def inserted_well(data: bytes, name: str) -> bool | None:
    """Whether a layer of 2 x 2 pixels on top leaves every sample of the stored picture outside its box as it was."""
    try:
        changed = insert_into_bytes(data, STAMP, name=name)
    except DocumentError:
        return None
    one, other = (_samples(file) for file in (data, changed))
    differs = (one != other).any(axis=0)
    differs[:2, :2] = False
    return not differs.any()


def _samples(data: bytes) -> np.ndarray:
    psd = PSDImage.open(io.BytesIO(data))
    return StoredPicture(psd).read(Box(0, 0, psd.width, psd.height))


def rows(findings: list[Finding]) -> Iterator[tuple[str, int]]:
    compared = [one for one in findings if one.mean is not None]
    off = [one for one in compared if one.off]
    inserted = [one for one in findings if one.inserted is not None]
    yield "files", len(findings)
    yield "read", sum(not one.refused for one in findings)
    yield "refused, with a reason", sum(bool(one.refused) for one in findings)
    yield "compositions compared with the stored picture", len(compared)
    yield "  within limits (mean 4 levels, 2 % of pixels over 24)", len(compared) - len(off)
    yield "  of these under 1 level", sum(not one.off and (one.mean or 0) < 1 for one in compared)
    yield "  over the limits", len(off)
    yield "    with the cause named", sum(one.named for one in off)
    yield "    without", sum(not one.named for one in off)
    yield "insertions", len(inserted)
    yield "  that change a sample outside the box", sum(not one.inserted for one in inserted)


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    paths = sorted(path for path in Path(CORPUS).rglob("*") if path.suffix.lower() in (".psd", ".psb"))
    distinct = {hashlib.sha256(path.read_bytes()).digest(): path for path in paths}
    found = [examined(path) for path in distinct.values()]
    if REPORT:
        Path(REPORT).write_text("".join(json.dumps(asdict(one)) + "\n" for one in found), encoding="utf-8")
    print()
    for words, number in rows(found):
        print(f"{number:6,}  {words}")
    return found


def test_a_different_look_is_always_said_with_its_cause(findings: list[Finding]) -> None:
    unnamed = Counter(one.path for one in findings if one.off and not one.named)
    assert not unnamed


def test_no_insertion_changes_a_sample_outside_its_box(findings: list[Finding]) -> None:
    assert not [one.path for one in findings if one.inserted is False]
