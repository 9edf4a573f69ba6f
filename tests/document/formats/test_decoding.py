"""Whatever a decoder raises becomes an error of ours; XML brings no document type."""

import pytest
from acetate.document import TooLarge, UnreadableFile
from acetate.document.formats.decoding import MALFORMED, decoding, parse_xml


@pytest.mark.parametrize("kind", MALFORMED, ids=lambda kind: kind.__name__)
def test_what_a_decoder_raises_becomes_an_error_that_names_the_file(kind):
    with (
        pytest.raises(UnreadableFile, match=r"kite\.psd .*PSD: at byte 7") as refused,
        decoding("kite.psd", "PSD"),
    ):
        raise kind("at byte 7")
    assert isinstance(refused.value.__cause__, kind)


def test_an_error_without_words_is_said_by_its_name():
    with pytest.raises(UnreadableFile, match="AssertionError"), decoding("kite.psd", "PSD"):
        raise AssertionError


def test_too_little_memory_is_another_matter_than_a_broken_file():
    with pytest.raises(TooLarge, match=r"kite\.psd") as refused, decoding("kite.psd", "PSD"):
        raise MemoryError
    assert refused.value.hint


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TooLarge("the canvas", "Scale it down.")], ids=["interrupt", "ours"])
def test_what_no_decoder_raises_goes_on_as_it_is(error):
    with pytest.raises(type(error)) as raised, decoding("kite.psd", "PSD"):
        raise error
    assert raised.value is error


def test_the_root_of_xml_is_given():
    root = parse_xml(b'<image w="3"><stack/></image>')
    assert (root.tag, root.get("w"), [child.tag for child in root]) == ("image", "3", ["stack"])


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"<!DOCTYPE x><x/>",
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<x>",
        b"",
        b"\xff\xff",
    ],
)
def test_xml_that_is_broken_or_declares_a_type_is_refused(data):
    with pytest.raises(UnreadableFile), decoding("kite.ora", "OpenRaster file"):
        parse_xml(data)
