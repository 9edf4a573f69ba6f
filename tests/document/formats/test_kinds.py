"""Files that are not read are called by their names, with a way out."""

import pytest
from acetate.document import UnreadableFile, UnsupportedFile, read_bytes


@pytest.mark.parametrize(
    ("data", "said", "remedy"),
    [
        (b"CSFCHUNK\0\0", "a Clip Studio Paint file", "In Clip Studio"),
        (b"\0\0\0\x1cftypavif\0", "an AVIF picture", "PNG"),
        (b"\0\0\0\x18ftypheic\0", "an HEIC photograph", "JPEG"),
        (b'\xef\xbb\xbf <svg xmlns="x"/>', "an SVG drawing", "PNG"),
        (b"mdipack\0\0", "a MediBang or FireAlpaca file (MDP)", "export it as PSD"),
        (b"\0\0\0\x0cJXL \r\n", "a JPEG XL picture", "PNG"),
        (b"%PDF-1.7", "a PDF or Illustrator file", "export it as PSD"),
    ],
)
def test_a_kind_that_is_not_read_is_named_with_a_way_out(data, said, remedy):
    with pytest.raises(UnsupportedFile) as refusal:
        read_bytes(data + bytes(40), name_or_format="art.x")
    assert str(refusal.value) == f"art.x is {said}, which is not read" and remedy in refusal.value.hint


def test_what_nobody_knows_gets_the_list_of_what_is_read():
    with pytest.raises(UnreadableFile, match="it begins with b'hello'") as refusal:
        read_bytes(b"hello", name_or_format="art.x")
    assert refusal.value.hint.startswith("PSD, PSB, OpenRaster, Krita, GIMP, PNG")
