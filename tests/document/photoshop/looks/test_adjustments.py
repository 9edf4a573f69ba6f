"""Adjustment layers that cannot be drawn: left out by the name that Photoshop has for them, whatever makes them unreadable."""

import pytest
from acetate.document import names
from acetate.document.photoshop.looks.adjustments import KINDS
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Tag

from tests.document.photoshop.made import SIZE, document_of, mark


def with_adjustment(mode, tag):
    psd = PSDImage.new(mode, SIZE)
    psd.create_pixel_layer(Image.new(mode, SIZE), "Paper")
    mark(psd.create_pixel_layer(Image.new(mode, (0, 0)), "Change"), tag)
    return document_of(psd)


@pytest.mark.parametrize(("tag", "kind"), [one for one in KINDS.items() if one[0] != Tag.INVERT])
def test_a_block_that_makes_no_sense_still_says_what_the_layer_is(tag, kind):
    """So they are in a TIFF of Intel's byte order where their shape is not known."""
    document = with_adjustment("RGBA", tag)
    assert names(document) == ("Paper",)
    assert document.notes == (f"'Change' ({kind}) has no pixels of its own and was left out",)


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_a_change_of_inks_or_lightness_is_left_out_by_its_name(mode):
    assert "'Change' (invert) has no pixels of its own and was left out" in with_adjustment(mode, Tag.INVERT).notes
