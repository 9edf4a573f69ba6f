"""Layers and files as frames: the announcement first, then parts that add up to what was announced."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest
from acetate.protocol import BYTES_PER_PIXEL, Box, Layer
from acetate.protocol.frames import PART_BYTES, FilePart, PixelPart, unpack
from acetate.protocol.messages import Encoding, File
from acetate.server.delivery.blob_stream import BlobStream, file_frames, layer_frames
from acetate.server.worker.pixels import to_rgba8

NAME = "ab" * 32


def layer(width: int, height: int) -> Layer:
    box = Box(0, 0, width, height)
    return Layer("job-number-1", 0, "Foreground", "foreground", 0, 0, width, height, box, "rgba8", 4 * width * height, NAME)


def frames(stream: BlobStream) -> list[str | bytes]:
    async def all_of_them() -> list[str | bytes]:
        found = []
        while (frame := await stream.next()) is not None:
            found.append(frame)
        return found

    return asyncio.run(all_of_them())


def parts(found: list[str | bytes], kind: type) -> bytes:
    """The payloads, one after the other, each where its header says."""
    data = b""
    for frame in found:
        assert isinstance(frame, bytes)
        unpacked = unpack(frame)
        assert unpacked is not None
        header, payload = unpacked
        assert isinstance(header, kind) and header.offset == len(data) and len(payload) <= PART_BYTES  # type: ignore[attr-defined]
        data += payload
    return data


@pytest.mark.parametrize("encoding", ["raw", "zlib"])
@pytest.mark.parametrize("format", ["rgba8", "bgra8", "rgba16", "rgbaf32"])
def test_a_layer_comes_in_the_format_that_was_asked_for(format: str, encoding: Encoding, tmp_path: Path) -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (700, 512, 4)).astype(np.uint8)
    (tmp_path / NAME).write_bytes(rgba.tobytes())
    announced, *rest = frames(layer_frames(layer(512, 700), str(tmp_path / NAME), format, encoding))
    data = parts(rest, PixelPart)

    said = json.loads(announced)
    assert said["type"] == "layer" and said.get("format", "rgba8") == format
    assert said["bytes"] == len(data) == 512 * 700 * BYTES_PER_PIXEL[format]
    assert len(rest) == -(-len(data) // PART_BYTES)
    assert np.array_equal(to_rgba8(data, format, 512, 700, "layer"), rgba)


def test_an_empty_layer_is_announced_alone() -> None:
    (announced,) = frames(layer_frames(layer(0, 0), None, "rgba8", "raw"))
    assert json.loads(announced)["type"] == "layer"


def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    content = os.urandom(PART_BYTES + 10)
    (tmp_path / NAME).write_bytes(content)
    announced, *rest = frames(file_frames(File("job-number-1", "kite.psd", len(content), NAME, ()), str(tmp_path / NAME), "raw"))

    assert json.loads(announced)["name"] == "kite.psd"
    assert len(rest) == 2 and parts(rest, FilePart) == content


def test_what_has_been_deleted_from_the_disk_is_an_error_and_no_announcement(tmp_path: Path) -> None:
    (said,) = frames(file_frames(File("job-number-1", "kite.psd", 10, NAME, ()), str(tmp_path / NAME), "raw"))
    failure = json.loads(said)["failure"]
    assert failure["code"] == "unknown-image" and NAME in failure["message"]
