"""PSDs as psd-tools makes them, for tests that read them."""

import io

import numpy as np
from acetate.document import (
    read_bytes,
)
from PIL import Image
from psd_tools.constants import Resource
from psd_tools.psd.descriptor import Descriptor, DescriptorBlock, Double
from psd_tools.psd.tagged_blocks import TaggedBlock

SIZE = (12, 10)


def image(noise, seed=0):
    return Image.fromarray(noise(SIZE[1], SIZE[0], seed))


def soft(colour, radius=4.0):
    """A disc with a soft edge."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    rgba = np.full((SIZE[1], SIZE[0], 4), (*colour, 0), np.uint8)
    rgba[..., 3] = np.clip((radius - np.hypot(x - 5.5, y - 4.5)) * 70, 0, 255)
    return Image.fromarray(rgba)


def document_of(psd, *, drawn=False):
    """The file as our reader finds it; not `drawn`, its merged picture is a blank one and the file says so."""
    psd.image_resources.get_data(Resource.VERSION_INFO).has_composite = drawn or len(psd) == 0
    info = psd._record.layer_and_mask_information.layer_info
    if info is not None and psd.channels == 4:
        info.layer_count = -abs(info.layer_count)  # the fourth channel is transparency, no saved selection
    file = io.BytesIO()
    psd._record.write(file)
    return read_bytes(file.getvalue(), name_or_format="a.psd")


def mark(layer, tag, data=b""):
    """Give the layer a block by which readers know its kind."""
    layer.tagged_blocks[tag] = TaggedBlock(key=tag, data=data)
    return layer


def rendered(psd):
    """psd-tools' own rendering of the layers, the second opinion."""
    return np.asarray(psd.composite(force=False, ignore_preview=True).convert("RGBA"))


def solid_colour(red, green, blue):
    colour = Descriptor(classID=b"RGBC")
    for key, value in ((b"Rd  ", red), (b"Grn ", green), (b"Bl  ", blue)):
        colour[key] = Double(value)
    fill = DescriptorBlock(classID=b"null")
    fill[b"Clr "] = colour
    return fill
