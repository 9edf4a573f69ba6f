from __future__ import annotations

import pytest
from acetate.protocol.frames import SENT_PART_BYTES
from acetate.protocol.link import SMALLEST_PART, Link
from acetate.protocol.pixels import BYTES_PER_PIXEL

MIB = 1 << 20
BOTH = ("raw", "zlib")


def link(rate: float, seconds: float = 1.0, offered: tuple[str, ...] = BOTH) -> Link:
    """One over which so many bytes a second have gone."""
    found = Link(offered)
    found.sent(int(rate * seconds), seconds)
    return found


@pytest.mark.parametrize("offered", [("raw", "zlib"), ("zlib", "raw"), ("zstd", "zlib")])
def test_until_something_was_sent_the_other_end_chooses(offered: tuple[str, ...]) -> None:
    new = Link(offered)
    new.sent(4 * MIB, 0.001)  # into a buffer
    assert new.encoding == next(name for name in offered if name in BOTH)
    assert new.rate is None and new.part_bytes == SENT_PART_BYTES


@pytest.mark.parametrize("offered", [("raw", "zlib"), ("zlib", "raw")])
@pytest.mark.parametrize(("rate", "encoding"), [(30e3, "zlib"), (10e6, "zlib"), (1e9, "raw")])
def test_a_measured_link_chooses_among_what_is_offered(rate: float, encoding: str, offered: tuple[str, ...]) -> None:
    assert link(rate, offered=offered).encoding == encoding


@pytest.mark.parametrize("only", BOTH)
@pytest.mark.parametrize("rate", [30e3, 1e9])
def test_who_takes_only_one_encoding_gets_no_other(only: str, rate: float) -> None:
    assert link(rate, offered=(only, only)).encoding == only


@pytest.mark.parametrize("rate", [1e3, 30e3, 100e3, 300e3, 1e6, 2e6, 1e9])
def test_a_part_occupies_the_link_for_about_a_second_at_most(rate: float) -> None:
    """So that a question, an answer or a ping gets in between."""
    size = link(rate).part_bytes

    assert SMALLEST_PART <= size <= SENT_PART_BYTES and size <= max(rate, SMALLEST_PART)
    assert all(size % bytes_ == 0 for bytes_ in BYTES_PER_PIXEL.values())
    assert size // 4 % 4 == 0, "whole pixels also where a part grows fourfold"


def test_a_link_that_has_become_another_is_noticed() -> None:
    changing = link(30e3, seconds=60)
    assert changing.encoding == "zlib"
    for _ in range(40):
        changing.sent(4 * MIB, 0.1)
    assert changing.encoding == "raw"
