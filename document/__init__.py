"""Layered documents: one value type and its file formats. Knows no torch, no socket and no editor."""

from acetate.raster import RGBA, resize
from acetate.vocabulary.box import Box

from .adjustment import Adjustment
from .composition.baking import baked
from .composition.compose import compose
from .errors import DocumentError, LayerNotFound, TooLarge, UnreadableFile, UnsupportedFile, UnwritableFile
from .files import (
    FORMATS,
    format_of,
    insert_into_bytes,
    insert_into_file,
    load,
    losses,
    outline,
    outline_bytes,
    read,
    read_bytes,
    read_image,
    write,
    write_bytes,
    write_whole,
)
from .formats.png import flatten
from .layer import BLEND_MODES, PASS_THROUGH, Document, Group, Layer, Node, trim, walk
from .mask import Mask
from .outline import Entry, Outline
from .tree import NodePath, alone, below, find, hide, insert, names

__all__ = [
    "BLEND_MODES",
    "FORMATS",
    "PASS_THROUGH",
    "RGBA",
    "Adjustment",
    "Box",
    "Document",
    "DocumentError",
    "Entry",
    "Group",
    "Layer",
    "LayerNotFound",
    "Mask",
    "Node",
    "NodePath",
    "Outline",
    "TooLarge",
    "UnreadableFile",
    "UnsupportedFile",
    "UnwritableFile",
    "alone",
    "baked",
    "below",
    "compose",
    "find",
    "flatten",
    "format_of",
    "hide",
    "insert",
    "insert_into_bytes",
    "insert_into_file",
    "load",
    "losses",
    "names",
    "outline",
    "outline_bytes",
    "read",
    "read_bytes",
    "read_image",
    "resize",
    "trim",
    "walk",
    "write",
    "write_bytes",
    "write_whole",
]
