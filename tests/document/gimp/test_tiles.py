"""Tiles in every way that GIMP packs them."""

import zlib

import numpy as np
import pytest
from acetate.document.gimp.tiles import DEFLATED, NOT_PACKED, RUNS, assembled


@pytest.mark.parametrize("packing", [NOT_PACKED, RUNS, DEFLATED])
def test_a_picture_of_several_tiles_comes_out_as_it_was(packing, noise):
    rgba, data, starts = noise(70, 130), b"", []
    for y in (0, 64):
        for x in (0, 64, 128):
            part = np.ascontiguousarray(rgba[y : y + 64, x : x + 64])
            starts.append(len(data))
            planes = [np.ascontiguousarray(part[..., channel]).tobytes() for channel in range(4)]
            runs = b"".join(b"\x80" + len(plane).to_bytes(2, "big") + plane for plane in planes)
            data += {NOT_PACKED: part.tobytes(), RUNS: runs, DEFLATED: zlib.compress(part.tobytes())}[packing]
    assert np.array_equal(assembled(data, starts, 130, 70, 4, packing), rgba)


def test_runs_and_copies_of_every_length_are_unpacked():
    data = b"\x02\x07" + b"\xfe\x01\x02" + b"\x7f\x00\x03\x09"
    assert assembled(data, [0], 8, 1, 1, RUNS).ravel().tolist() == [7, 7, 7, 1, 2, 9, 9, 9]


@pytest.mark.parametrize("data", [b"\x09\x07", b"\xfe\x01", b"\x80\x00\x00"])
def test_tiles_that_are_too_long_or_too_short_are_errors(data):
    with pytest.raises((ValueError, IndexError)):
        assembled(data, [0], 8, 1, 1, RUNS)


def test_missing_tiles_are_named():
    with pytest.raises(ValueError, match="it has 1 tiles; 2 belong to 65 x 1 pixels"):
        assembled(b"", [0], 65, 1, 1, RUNS)
