"""The merged picture that a PSD stores beside its layers: read and written in one box, with every other pixel as it was.

Photoshop drew it, with all that we do not know; so it is the truth, and only what a change reaches is drawn anew. Rows are the
unit of its encoding: rows that the box does not touch keep their very bytes.
"""

from __future__ import annotations

from itertools import accumulate
from typing import cast

import numpy as np
from acetate.vocabulary.box import Box
from numpy.typing import NDArray
from psd_tools import PSDImage
from psd_tools.compression import decode_rle, encode_rle
from psd_tools.constants import ChannelID, Compression
from psd_tools.psd.layer_and_mask import ChannelData, ChannelDataList, ChannelInfo

Samples = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""`(channels, H, W)` in the file's depth: colours as stored, then transparency, then saved selections."""


class StoredPicture:
    """The merged picture of an open file. Nothing is decoded before a box is asked for."""

    def __init__(self, psd: PSDImage) -> None:
        header = psd._record.header
        self._data, self._header = psd._record.image_data, header
        self._sample = np.dtype(">f4" if header.depth == 32 else f">u{header.depth // 8}")
        self._row_bytes = header.width * self._sample.itemsize
        if self._data.compression not in (Compression.RAW, Compression.RLE):  # Photoshop itself writes no other here
            self._data.data = cast(bytes, self._data.get_data(header, split=False))
            self._data.compression = Compression.RAW

    def read(self, box: Box) -> Samples:
        """The samples of a box inside the canvas."""
        return self._rows(box)[:, :, box.x : box.right].astype(self._sample.newbyteorder("="))

    def write(self, box: Box, samples: Samples) -> None:
        """Put samples into a box inside the canvas."""
        rows = self._rows(box)
        rows[:, :, box.x : box.right] = samples
        channels, height, row = self._header.channels, self._header.height, self._row_bytes
        if self._data.compression == Compression.RAW:
            data = bytearray(self._data.data)
            for channel in range(channels):
                start = (channel * height + box.y) * row
                data[start : start + box.height * row] = rows[channel].tobytes()
            self._data.data = bytes(data)
            return
        size, lengths, starts = self._table()
        parts = []
        for channel in range(channels):
            first, end = channel * height + box.y, channel * height + box.bottom
            coded = encode_rle(rows[channel].tobytes(), self._header.width, box.height, self._header.depth, self._header.version)
            lengths[first:end] = np.frombuffer(coded, lengths.dtype, count=box.height)
            parts.append(self._data.data[starts[channel * height] : starts[first]])
            parts.append(coded[box.height * size :])
            parts.append(self._data.data[starts[end] : starts[(channel + 1) * height]])
        self._data.data = b"".join([lengths.tobytes(), *parts])

    def as_layer(self, channels: int) -> tuple[list[ChannelInfo], ChannelDataList]:
        """The first channels as those of a layer of the canvas' size, without decoding them."""
        info, stored = [], ChannelDataList()
        height, row = self._header.height, self._row_bytes
        if self._data.compression == Compression.RLE:
            _, lengths, starts = self._table()
        for channel in range(channels):
            first, end = channel * height, (channel + 1) * height
            if self._data.compression == Compression.RAW:
                data = self._data.data[first * row : end * row]
            else:
                data = lengths[first:end].tobytes() + self._data.data[starts[first] : starts[end]]
            stored.append(ChannelData(self._data.compression, data))
            info.append(ChannelInfo(ChannelID(channel), len(data) + 2))
        return info, stored

    def _rows(self, box: Box) -> Samples:
        """The whole rows of a box, `(channels, H, width)` in the file's byte order; a copy."""
        channels, height, row = self._header.channels, self._header.height, self._row_bytes
        rows = np.empty((channels, box.height, self._header.width), self._sample)
        if self._data.compression == Compression.RLE:
            size, lengths, starts = self._table()
        for channel in range(channels):
            first, end = channel * height + box.y, channel * height + box.bottom
            if self._data.compression == Compression.RAW:
                data = self._data.data[first * row : end * row]
            else:
                coded = lengths[first:end].tobytes() + self._data.data[starts[first] : starts[end]]
                data = decode_rle(coded, self._header.width, box.height, self._header.depth, self._header.version)
            rows[channel] = np.frombuffer(data, self._sample).reshape(rows[channel].shape)
        return rows

    def _table(self) -> tuple[int, NDArray[np.unsignedinteger], list[int]]:
        """Bytes of an entry, the coded length of every row, and where each row begins (and the last ends)."""
        size = 2 * self._header.version
        count = self._header.channels * self._header.height
        lengths = np.frombuffer(self._data.data, f">u{size}", count=count).copy()
        return size, lengths, list(accumulate(lengths.tolist(), initial=count * size))
