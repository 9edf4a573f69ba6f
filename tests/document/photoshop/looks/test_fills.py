"""What a PSD describes: colours and tiles of patterns."""

import pytest
from acetate.document import compose
from acetate.document.photoshop.looks.fills import reference_point
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Tag
from psd_tools.psd.tagged_blocks import ReferencePoint

from tests.document.photoshop.made import SIZE, document_of, mark, solid_colour


def test_colours_of_a_file_of_32_bits_are_light():
    """psd-tools' `300dpi.psd`: (170, 10, 10) shows as (213, 58, 58)."""
    psd = PSDImage.new("RGB", SIZE, depth=32)
    layer = psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Fill")
    mark(layer, Tag.SOLID_COLOR_SHEET_SETTING, solid_colour(170.4, 10.6, 10.6))
    shown = compose(document_of(psd))[4, 4]
    assert shown.tolist() == pytest.approx([213, 58, 58, 255], abs=1)


def test_a_linked_pattern_begins_at_the_layers_reference_point(psd):
    layer = psd.create_pixel_layer(Image.new("RGBA", (4, 4)), "Kite", left=3, top=2)
    assert reference_point(layer) == (3, 2)
    mark(layer, Tag.REFERENCE_POINT, ReferencePoint([5.0, 4.0]))
    assert reference_point(layer) == (5, 4)
