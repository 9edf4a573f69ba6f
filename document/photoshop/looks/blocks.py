"""The tagged blocks of a layer: which are known, and which change its look in a way that we do not draw.

What we do not know may be anything: a note names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import BlendMode, Tag

from .adjustments import KINDS as ADJUSTMENTS
from .descriptors import number_of
from .effects import TAGS as EFFECTS

HARMLESS: Set[bytes] = {
    *(tag.value for tag in (*ADJUSTMENTS, *EFFECTS)),
    *b"luni lyid lnsr lyvr lclr lspf fxrp shmd cust lmgm vmgm plLd PlLd SoLd SoLE lnkD Anno".split(),
    *b"lsct lsdk clbl infx knko tsly brst iOpa lrFX Mtrn FMsk LMsk FEid FXid Patt Pat2 Pat3".split(),
    *b"vmsk vsms vogk vowv vstk vscg SoCo GdFl PtFl TySh tySh Txt2 artb artd abdd sn2P pths".split(),
    *b"anFX shpa extn PxSc PxSD cinf OCIO GenI Lr16 Lr32 Layr".split(),
    *(b"xmp ", b"cai ", b"CAI "),
}
"""Keys of blocks that change nothing of the look, or that are read, here or elsewhere: names, numbers, locks, colours of the
list, guides and settings of tools, sources of text, shapes and smart objects."""


def undrawn(layer: PSDLayer) -> Iterator[str]:
    """What a layer and its blocks say of its look that we do not draw, as parts of a sentence after its name."""
    blocks = layer.tagged_blocks
    if layer.blend_mode == BlendMode.DISSOLVE:
        yield "has the mode 'dissolve', which is drawn as normal"
    depth = number_of(layer, Tag.KNOCKOUT_SETTING, 0)
    if depth:
        yield f"is a {'shallow' if depth == 1 else 'deep'} knockout, which is not drawn"
    if not number_of(layer, Tag.TRANSPARENCY_SHAPES_LAYER, 1):
        yield "has 'transparency shapes layer' switched off, which is not drawn"
    channels = blocks.get_data(Tag.CHANNEL_BLENDING_RESTRICTIONS_SETTING)
    if channels:
        yield "is restricted to some of the channels, which is not drawn"
    for key in blocks:
        code = bytes(getattr(key, "value", key))
        if code not in HARMLESS:
            yield f"has the block {code.decode('ascii', 'replace')!r}, which is not drawn"
