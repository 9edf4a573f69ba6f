"""LibLZF's compression, as Krita's tiles have it: runs of literal bytes, and copies of what came before."""

from __future__ import annotations


def unpacked(data: bytes, length: int) -> bytes:
    """The `length` bytes that were packed. Raises `ValueError` for anything else."""
    out, place, end = bytearray(), 0, len(data)
    while place < end:
        control = data[place]
        place += 1
        if control < 32:
            out += data[place : place + control + 1]
            place += control + 1
            continue
        count, back = control >> 5, (control & 31) << 8
        if count == 7 and place < end:
            count += data[place]
            place += 1
        if place >= end:
            raise ValueError("its packed pixels end early")
        start = len(out) - back - data[place] - 1
        place += 1
        if start < 0 or len(out) > length:
            raise ValueError("its packed pixels are damaged")
        count += 2
        pattern = out[start : start + count]
        out += (pattern * (count // len(pattern) + 1))[:count]
    if len(out) != length:
        raise ValueError("its packed pixels have another size than they say")
    return bytes(out)
