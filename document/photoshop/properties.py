"""What a PSD says beside its pixels: resolution, copyright and guides of the file, colour and locks of a layer."""

from __future__ import annotations

from typing import Any, TypedDict

from psd_tools import PSDImage
from psd_tools.constants import Resource, SheetColorType, Tag
from psd_tools.psd.image_resources import GridGuidesInfo, ImageResource, ResoulutionInfo
from psd_tools.psd.layer_and_mask import LayerRecord

from ..formats import xmp
from ..layer import Node
from ..metadata import LABELS, LOCKS, Guide, Metadata

FIXED_POINT = 65536
"""Steps of an inch's pixels."""
GUIDE_STEPS = 32
"""Steps of a pixel."""
GRID = 576
"""The grid that Photoshop begins with, in the same steps: 18 pixels."""
PER_INCH, INCHES = 1, 1
"""How Photoshop shows resolution and size; what is stored is per inch always."""
LOCK_BITS = {"transparency": 1, "pixels": 2, "position": 4, "nesting": 8, "all": 1 << 31}


class Marks(TypedDict):
    """The fields of a layer that only its list shows."""

    label: str
    locks: frozenset[str]


def metadata_of(psd: PSDImage) -> Metadata:
    """What the file's resources say; those that make no sense count as none."""
    resources = psd.image_resources
    packet, iptc = (resources.get_data(key) for key in (Resource.XMP_METADATA, Resource.IPTC_NAA))
    stored, lines = resources.get_data(Resource.RESOLUTION_INFO), resources.get_data(Resource.GRID_AND_GUIDES_INFO)
    resolution = None
    if isinstance(stored, ResoulutionInfo) and stored.horizontal and stored.vertical:
        resolution = (stored.horizontal / FIXED_POINT, stored.vertical / FIXED_POINT)
    guides = lines.data if isinstance(lines, GridGuidesInfo) else []
    return Metadata(
        resolution=resolution,
        xmp=xmp.without_record(packet) if isinstance(packet, bytes) else b"",
        iptc=iptc if isinstance(iptc, bytes) else b"",
        guides=tuple(Guide("horizontal" if across else "vertical", place / GUIDE_STEPS) for place, across in guides),
    )


def marks_of(record: LayerRecord) -> Marks:
    """Colour and locks of one layer."""
    blocks = record.tagged_blocks
    colour, protected = blocks.get_data(Tag.SHEET_COLOR_SETTING), blocks.get_data(Tag.PROTECTED_SETTING)
    number = 0 if colour is None else int(getattr(colour, "value", colour))
    bits = 0 if protected is None else int(getattr(protected, "value", protected))
    locks = frozenset(name for name in LOCKS if bits & LOCK_BITS[name])
    return Marks(label=LABELS[number - 1] if 1 <= number <= len(LABELS) else "", locks=locks)


def put_metadata(psd: PSDImage, metadata: Metadata, record: str) -> None:
    """Put it all into a new file; `record` is our generation record, which goes into the XMP packet."""
    packet = xmp.updated(metadata.xmp, record) if record else metadata.xmp
    found: dict[Resource, object] = {Resource.XMP_METADATA: packet, Resource.IPTC_NAA: metadata.iptc}
    if metadata.resolution is not None:
        across, down = (min(2**32 - 1, max(1, round(value * FIXED_POINT))) for value in metadata.resolution)
        found[Resource.RESOLUTION_INFO] = ResoulutionInfo(across, PER_INCH, INCHES, down, PER_INCH, INCHES)
    if metadata.guides:
        lines: Any = [(round(max(0, one.position) * GUIDE_STEPS), one.direction == "horizontal") for one in metadata.guides]
        found[Resource.GRID_AND_GUIDES_INFO] = GridGuidesInfo(1, GRID, GRID, lines)
    for key, value in found.items():
        if value:
            psd.image_resources[key] = ImageResource(key=key, data=value)  # type: ignore[arg-type]


def put_marks(record: LayerRecord, node: Node) -> None:
    """Colour and locks into a new layer's record."""
    if node.label:
        record.tagged_blocks.set_data(Tag.SHEET_COLOR_SETTING, SheetColorType(1 + LABELS.index(node.label)))
    if node.locks:
        record.tagged_blocks.set_data(Tag.PROTECTED_SETTING, sum(LOCK_BITS[name] for name in node.locks))
