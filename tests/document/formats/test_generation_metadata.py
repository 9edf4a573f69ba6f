import json

import numpy as np
import pytest
from acetate.document import Layer, UnwritableFile
from acetate.document.formats import generation_metadata, xmp

PIXELS = np.zeros((1, 1, 4), np.uint8)
PARAMETERS = {"prompt": 'a <red> & "blue" kite 🪁', "seed": 7, "loras": [["x", 0.5]]}
KITE = Layer(PIXELS, name="kite ✓", role="foreground", parameters=PARAMETERS)


def test_the_record_comes_back_by_id():
    text = generation_metadata.text(64, 48, {3: KITE, 9: Layer(PIXELS, name="plain")})
    entries = generation_metadata.parse(text)
    assert list(entries) == [3]
    assert (entries[3].name, entries[3].role, entries[3].parameters) == (KITE.name, KITE.role, KITE.parameters)


def test_the_record_is_ascii_and_says_the_canvas_size():
    text = generation_metadata.text(64, 48, {1: KITE})
    assert text.isascii()
    assert json.loads(text)["size"] == [64, 48]


def test_layers_without_parameters_leave_no_record():
    assert generation_metadata.text(64, 48, {1: Layer(PIXELS, name="plain")}) == ""


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"bytes"])
def test_parameters_that_are_not_json_are_refused(value):
    with pytest.raises(UnwritableFile, match="not plain JSON values"):
        generation_metadata.text(1, 1, {1: Layer(PIXELS, parameters={"seed": value})})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"acetate"',
        '{"acetate": 2, "layers": []}',
        '{"acetate": 1, "layers": {"id": 1}}',
        '{"acetate": 1, "layers": [1, null, {"id": []}, {"name": "x"}]}',
        "[" * 100_000,
        '{"a": ' * 50_000,
        '{"parameters": "of another program"}',
    ],
)
def test_what_is_not_a_record_of_ours_gives_no_entries(text):
    assert generation_metadata.parse(text) == {}


def test_values_of_the_wrong_kind_in_a_record_are_dropped():
    entries = generation_metadata.parse('{"acetate": 1, "layers": [{"id": 1, "name": 5, "role": null, "parameters": [1]}]}')
    assert entries == {1: generation_metadata.Entry()}


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
