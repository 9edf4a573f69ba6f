"""The generation record inside an XMP packet, our own and another program's."""

import numpy as np
import pytest
from acetate.document import Layer
from acetate.document.formats import generation_metadata, xmp

PIXELS = np.zeros((1, 1, 4), np.uint8)
KITE = Layer(PIXELS, name="kite ✓", parameters={"prompt": 'a <red> & "blue" kite 🪁', "seed": 7})


def test_a_packet_carries_any_text():
    text = generation_metadata.text(1, 1, {1: KITE})
    assert xmp.record_text(xmp.packet(text)) == text


def test_a_later_record_replaces_ours_in_the_packet():
    packet = xmp.packet(generation_metadata.text(1, 1, {1: KITE}))
    text = generation_metadata.text(1, 1, {1: KITE, 2: Layer(PIXELS, name="two", parameters={"seed": 8})})
    updated = xmp.updated(packet, text)
    assert xmp.record_text(updated) == text
    assert updated.count(b"dc:description>") == 2  # one element, opened and closed


def test_a_packet_of_another_program_keeps_all_its_words():
    foreign = xmp.packet("x").replace(b"dc:", b"other:").replace(b"xmlns:other", b"xmlns:dc")
    foreign = foreign[: foreign.index(b'<rdf:Description rdf:about="" xmlns:dc')] + b"</rdf:RDF>\n</x:xmpmeta>"
    text = generation_metadata.text(1, 1, {1: KITE})
    updated = xmp.updated(foreign, text)
    assert xmp.record_text(updated) == text
    assert all(line in updated for line in foreign.splitlines())


def test_somebody_elses_description_is_not_overwritten():
    theirs = xmp.packet("Copyright 2026, all rights reserved")
    assert xmp.updated(theirs, generation_metadata.text(1, 1, {1: KITE})) == theirs


@pytest.mark.parametrize(
    "packet",
    [b"", b"\xff\xfe\x00", b"<x", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<?xml version='1.0' encoding='nonsense'?><x/>"],
)
def test_a_broken_packet_holds_no_text_and_is_left_alone(packet):
    assert xmp.record_text(packet) == ""
    if packet:
        assert xmp.updated(packet, "text") == packet


def test_a_packet_without_end_is_not_even_parsed(monkeypatch):
    monkeypatch.setattr(xmp, "MAX_PACKET", 1000)
    assert xmp.record_text(xmp.packet("x")) == "x"
    assert xmp.record_text(xmp.packet("x") + b"\0" * 1000) == ""


def test_the_zeros_that_a_packet_is_filled_up_with_are_passed_over():
    assert xmp.record_text(xmp.packet("x") + b"\0\0\0") == "x"
