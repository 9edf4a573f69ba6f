"""Files from anyone: whatever is in them, the answer is a document or a `DocumentError`, within bounded memory."""

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from acetate.document import Document, DocumentError, Group, Layer, compose, read_bytes, write_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MEMORY = 1200 * 2**20
"""Address space of the reading process: an import of the package takes a third of it."""

READ_WITHIN_MEMORY = """
import json, resource, sys
from acetate.document import DocumentError, read
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
for path in sys.argv[2:]:
    try:
        read(path)
        outcome = "read"
    except DocumentError as error:
        outcome = f"{type(error).__name__}: {error}"
    print(json.dumps([path, outcome]), flush=True)
"""


def psd(width, height, layers=b"", *, version=1, channels=4, depth=8, merged=b"\0\0"):
    """A file around hand-made layer records."""
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, channels, height, width, depth, 3)
    body = struct.pack(">I", len(layers)) + layers
    return head + bytes(8) + struct.pack(">I", len(body)) + body + merged


def record(top, left, bottom, right, channel_lengths=(2, 2, 2, 2)):
    """One layer's record, its name empty."""
    channels = b"".join(struct.pack(">hI", i - 1, length) for i, length in enumerate(channel_lengths))
    rectangle = struct.pack(">4iH", top, left, bottom, right, len(channel_lengths))
    return rectangle + channels + b"8BIMnorm" + bytes([255, 0, 8, 0]) + struct.pack(">III", 12, 0, 0) + bytes(4)


def solid_png(side):
    """A large picture in few bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 + 4 * side)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def ora(stack, members=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stack.xml", f'<image w="64" h="64"><stack>{stack}</stack></image>')
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def hostile_files():
    huge = record(0, 0, 30_000, 30_000)
    rle_rows = b"\0\1" + bytes(2 * 30_000)
    divider = record(0, 0, 0, 0)[:-16] + struct.pack(">III", 28, 0, 0) + bytes(4) + b"8BIMlsct" + struct.pack(">I", 4)
    nested = (divider + struct.pack(">I", 3)) * 2500 + (divider + struct.pack(">I", 1)) * 2500
    return {
        "300001.psd": psd(300_001, 5),
        "300001.psb": psd(5, 300_001, version=2),
        "huge-canvas.psd": psd(30_000, 30_000),
        "large-canvas-no-data.psd": psd(23_000, 23_000),
        "huge-layer.psd": psd(8, 8, struct.pack(">h", 1) + huge + b"\0\1" * 4),
        "huge-run-length-layer.psd": psd(
            8, 8, struct.pack(">h", 1) + record(0, 0, 30_000, 17_000, (60_002,) * 4) + rle_rows * 4, merged=b"\0\0" + bytes(256)
        ),
        "many-large-layers.psd": psd(8, 8, struct.pack(">h", 300) + record(0, 0, 8000, 8000) * 300 + b"\0\1" * 1200),
        "negative-layer.psd": psd(8, 8, struct.pack(">h", 1) + record(50, 50, -50, -50) + b"\0\0" * 4),
        "layer-count-lies.psd": psd(8, 8, struct.pack(">h", 32_767)),
        "length-lies.psd": psd(8, 8)[:34] + b"\xff\xff\xff\xff" + bytes(50),
        "resources-lie.psd": psd(8, 8)[:30] + b"\xff\xff\xff\xf0" + bytes(50),
        "deep-groups.psd": psd(8, 8, struct.pack(">h", 5000) + nested + bytes(8 * 5000), merged=b"\0\0" + bytes(256)),
        "bomb.png": solid_png(12_000),
        "large-but-allowed.png": solid_png(4000),
        "xml-bomb.ora": ora("<stack/>" * 2_000_000),
        "deep.ora": ora("<stack>" * 200_000 + "</stack>" * 200_000),
        "same-picture-many-times.ora": ora('<layer src="a.png"/>' * 5000, [("a.png", solid_png(4000))]),
        "picture-bomb.ora": ora('<layer src="a.png"/>', [("a.png", solid_png(12_000))]),
        "member-bomb.ora": ora('<layer src="a.png"/>', [("a.png", bytes(600 * 2**20))]),
        "far-layer.ora": ora('<stack x="2e9"><layer src="a.png" x="2e9"/></stack>', [("a.png", solid_png(1))]),
    }


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of every hostile file, in one process with little memory."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for name, data in hostile_files().items():
        (folder / name).write_bytes(data)
        paths.append(str(folder / name))
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    process = subprocess.run(
        [sys.executable, "-c", READ_WITHIN_MEMORY, str(MEMORY), *paths],
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
    )
    assert process.returncode == 0, process.stderr
    return {os.path.basename(path): outcome for path, outcome in map(json.loads, process.stdout.splitlines())}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("300001.psd", "TooLarge: 300001.psd is 300001 x 5"),
        ("300001.psb", "TooLarge: 300001.psb is 5 x 300001"),
        ("huge-canvas.psd", "TooLarge"),
        ("large-canvas-no-data.psd", "UnreadableFile"),
        (
            "huge-layer.psd",
            "TooLarge: a layer of huge-layer.psd has 30000 x 30000 pixels, 900,000,000 in all; one may have 268,435,456",
        ),
        ("huge-run-length-layer.psd", "TooLarge: a layer of huge-run-length-layer.psd has 17000 x 30000 pixels"),
        ("many-large-layers.psd", "TooLarge"),
        ("negative-layer.psd", "read"),
        ("layer-count-lies.psd", "UnreadableFile"),
        ("length-lies.psd", "UnreadableFile"),
        ("resources-lie.psd", "UnreadableFile"),
        ("deep-groups.psd", "TooLarge"),
        ("bomb.png", "TooLarge: bomb.png has 12000 x 12000 pixels"),
        ("large-but-allowed.png", "read"),
        ("xml-bomb.ora", "TooLarge: stack.xml"),
        ("deep.ora", "TooLarge: the groups of deep.ora are nested deeper than 64"),
        ("same-picture-many-times.ora", "TooLarge"),
        ("picture-bomb.ora", "TooLarge: a.png in picture-bomb.ora has 12000 x 12000 pixels"),
        ("member-bomb.ora", "TooLarge"),
        ("far-layer.ora", "read"),
    ],
)
def test_a_hostile_file_gets_a_named_answer_within_bounded_memory(outcomes, name, expected):
    assert outcomes[name].startswith(expected)


@pytest.fixture(scope="module")
def samples():
    """One small sound file of each format, with groups, names, parameters and empty layers in it."""
    rgba = np.random.default_rng(0).integers(0, 256, (7, 9, 4), dtype=np.uint8)
    inner = Group(
        "group ✓", (Layer(rgba[:4, :4].copy(), 2, 1, "inner", opacity=0.5), Layer(rgba[:0, :0].copy())), blend_mode="multiply"
    )
    document = Document(9, 7, (Layer(rgba, name="paper", role="background", parameters={"seed": 1}), inner))
    return {format: write_bytes(document, format) for format in ("psd", "ora", "png")}


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("format", ["psd", "ora", "png"])
def test_a_damaged_file_is_read_or_refused_but_never_anything_else(samples, format, data):
    damaged = bytearray(samples[format])
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.sampled_from(["set", "length", "cut", "insert"])):
            case "set":
                damaged[position] = data.draw(st.integers(0, 255))
            case "length":
                damaged[position : position + 4] = data.draw(
                    st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"])
                )
            case "cut":
                del damaged[position : position + data.draw(st.integers(1, 20))]
            case "insert":
                damaged[position:position] = data.draw(st.binary(max_size=8))
        damaged = damaged or bytearray(b"x")
    try:
        document = read_bytes(bytes(damaged), name_or_format=f"damaged.{format}")
    except DocumentError as error:
        assert f"damaged.{format}" in str(error)
    else:
        if document.width * document.height < 2**20:
            compose(document)
