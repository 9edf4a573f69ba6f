"""The tagged blocks of a layer: which are known, and which change its look in a way that we do not draw.

What we do not know may be anything: a note names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import Tag

from .adjustments import KINDS as ADJUSTMENTS
from .effects import TAGS as EFFECTS

HARMLESS: Set[bytes] = {
    *(tag.value for tag in ADJUSTMENTS),
    *(tag.value for tag in EFFECTS),
    *(
        b"luni",
        b"lyid",
        b"lnsr",
        b"lyvr",
        b"lclr",
        b"lspf",
        b"fxrp",
        b"shmd",
        b"cust",
        b"lmgm",
        b"plLd",
        b"PlLd",
        b"SoLd",
        b"SoLE",
    ),
    *(b"lsct", b"lsdk", b"clbl", b"infx", b"knko", b"tsly", b"brst", b"iOpa", b"vmgm", b"lrFX", b"Mtrn", b"FMsk", b"Anno"),
    *(
        b"vmsk",
        b"vsms",
        b"vogk",
        b"vowv",
        b"vstk",
        b"vscg",
        b"SoCo",
        b"GdFl",
        b"PtFl",
        b"TySh",
        b"tySh",
        b"artb",
        b"artd",
        b"abdd",
    ),
    *(b"sn2P", b"pths", b"anFX", b"shpa", b"LMsk", b"extn", b"PxSc", b"PxSD", b"cinf", b"Txt2", b"FEid", b"FXid", b"lnkD"),
    *(b"xmp ", b"cai ", b"CAI ", b"OCIO", b"GenI", b"Lr16", b"Lr32", b"Layr", b"Patt", b"Pat2", b"Pat3"),
}
"""Keys of blocks that change nothing of the look, or that are read, here or elsewhere: names, numbers, locks, colours of the list,
guides and settings of tools, sources of text, shapes and smart objects, and what Clip Studio and SAI keep for themselves."""


def undrawn(layer: PSDLayer) -> Iterator[str]:
    """What the blocks of a layer say of its look that we do not draw, as parts of a sentence after its name."""
    blocks = layer.tagged_blocks
    depth = _number(layer, Tag.KNOCKOUT_SETTING, 0)
    if depth:
        yield f"is a {'shallow' if depth == 1 else 'deep'} knockout, which is not drawn"
    if not _number(layer, Tag.TRANSPARENCY_SHAPES_LAYER, 1):
        yield "has 'transparency shapes layer' switched off, which is not drawn"
    channels = blocks.get_data(Tag.CHANNEL_BLENDING_RESTRICTIONS_SETTING)
    if channels:
        yield "is restricted to some of the channels, which is not drawn"
    for key in blocks:
        code = bytes(getattr(key, "value", key))
        if code not in HARMLESS:
            yield f"has the block {code.decode('ascii', 'replace')!r}, which is not drawn"


def _number(layer: PSDLayer, tag: Tag, default: int) -> int:
    value = layer.tagged_blocks.get_data(tag)
    value = getattr(value, "value", value)
    return value if isinstance(value, int) else default
