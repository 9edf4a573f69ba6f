"""Damaged files of every kind: each is read or refused by name, within seconds, and what was read can be composed and written.

Seeded: a failure's message has the number that makes the file again. `make soak` tries forty times as many.
"""

import io
import random
import time
from pathlib import Path

import numpy as np
import pytest
from acetate.document import Document, DocumentError, Group, Layer, compose, read_bytes, walk, write_bytes
from PIL import Image

KINDS = ("psd", "psb", "ora", "png", "tiff", "layered", "xcf")
SECONDS = 20.0
"""What one damaged file of a few kilobytes may take, on a busy machine."""
LARGE = 2**22
"""Pixels of a canvas or of all layers, beyond which what was read is not composed: a damaged size may well be a possible one."""
ODD_NUMBERS = (0, 1, 2, 3, 4, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 30_001, 2**31 - 1, 2**31, 2**32 - 1, 2**30)


def scene():
    rgba = np.random.default_rng(0).integers(0, 256, (12, 16, 4), dtype=np.uint8)
    inner = Group("group ✓", (Layer(rgba[:5, :4].copy(), 2, 1, "inner", opacity=0.5),), blend_mode="multiply")
    flat = np.full((9, 9, 4), (200, 30, 40, 255), np.uint8)
    return Document(16, 12, (Layer(rgba, name="paper", role="background", parameters={"seed": 1}), inner, Layer(flat, 3, 3, "")))


@pytest.fixture(scope="module")
def sound():
    """One sound file of each kind."""
    from psd_tools import PSDImage

    files = {kind: write_bytes(scene(), kind) for kind in ("psd", "ora", "png")}
    psb = PSDImage.open(io.BytesIO(files["psd"]))
    psb._record.header.version = 2
    files["psb"] = psb._record.tobytes()
    tiff = io.BytesIO()
    Image.fromarray(compose(scene())).save(tiff, "TIFF", compression="tiff_lzw")
    golden = Path(__file__).with_name("golden")
    given = {"layered": golden / "layers-intel-8.tif", "xcf": golden / "gimp.xcf"}
    return files | {"tiff": tiff.getvalue()} | {kind: path.read_bytes() for kind, path in given.items()}


def damaged(data, others, chance):
    """The file with one to six faults: bits, bytes, numbers, cuts, holes, repetitions, pieces of other files."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if len(data) < 8:
            break
        place, other = (chance.randrange(min(len(data), chance.choice((64, 512, 4096, len(data))))) for _ in range(2))
        length = chance.choice((1, 2, 4, 16, 100, 400))
        match chance.randrange(7):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                size, order = chance.choice((1, 2, 4)), chance.choice(("big", "little"))
                data[place : place + size] = (chance.choice(ODD_NUMBERS) % 256**size).to_bytes(size, order)
            case 2:
                del data[chance.randrange(len(data)) :]
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = chance.randbytes(length)
            case 5:
                data[place : place + length] = data[other : other + length]
            case 6:
                piece = chance.choice(others)
                start = chance.randrange(len(piece))
                data[place : place + length] = piece[start : start + length]
    return bytes(data)


def tried(data, name):
    """Read, compose and write one file as far as it goes."""
    try:
        document = read_bytes(data, name_or_format=name)
    except DocumentError as error:
        assert name in str(error), f"the message does not name the file: {error}"
        return
    pixels = [node.box.width * node.box.height for node in walk(document.layers) if isinstance(node, Layer)]
    if max(sum(pixels), document.width * document.height) <= LARGE:
        compose(document)
        for format in ("psd", "ora"):
            read_bytes(write_bytes(document, format), name_or_format=name)


def try_many(sound, kind, numbers):
    for number in numbers:
        chance = random.Random(f"{kind} {number}")
        data = damaged(sound[kind], list(sound.values()), chance)
        start = time.process_time()
        try:
            tried(data, f"damaged.{kind}")
        except Exception as error:
            raise AssertionError(f"damaged file {kind} {number}: {type(error).__name__}: {error}") from error
        took = time.process_time() - start
        assert took < SECONDS, f"damaged file {kind} {number} took {took:.0f} s"


@pytest.mark.parametrize("kind", KINDS)
def test_the_sound_files_are_read(sound, kind):
    document = read_bytes(sound[kind], name_or_format=f"sound.{kind}")
    assert len(list(walk(document.layers))) == {"png": 1, "tiff": 1, "layered": 2, "xcf": 7}.get(kind, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_by_name(sound, kind):
    try_many(sound, kind, range(50))


def test_a_layer_that_lies_too_far_away_to_be_written_is_left_out(sound):
    try_many(sound, "psd", [1135])


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_damaged_files_are_read_or_refused_by_name(sound, kind):
    try_many(sound, kind, range(50, 2050))
