"""Layered documents: one value type and its file formats. Knows no torch, no socket and no editor."""

from acetate.raster import RGBA, resize
from acetate.vocabulary.box import Box

from .composition.baking import baked
from .composition.compose import compose
from .errors import DocumentError, LayerNotFound, TooLarge, UnreadableFile, UnsupportedFile, UnwritableFile
from .files import (
    FORMATS,
    format_of,
    insert_into_bytes,
    insert_into_file,
    losses,
    outline,
    read,
    read_bytes,
    read_image,
    write,
    write_bytes,
)
from .formats.png import flatten
from .layer import BLEND_MODES, PASS_THROUGH, Document, Group, Layer, Node, trim, walk
from .mask import Mask
from .outline import Entry, Outline
from .tree import alone, below, find, insert, names

__all__ = [
    "BLEND_MODES",
    "FORMATS",
    "PASS_THROUGH",
    "RGBA",
    "Box",
    "Document",
    "DocumentError",
    "Entry",
    "Group",
    "Layer",
    "LayerNotFound",
    "Mask",
    "Node",
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
    "insert",
    "insert_into_bytes",
    "insert_into_file",
    "losses",
    "names",
    "outline",
    "read",
    "read_bytes",
    "read_image",
    "resize",
    "trim",
    "walk",
    "write",
    "write_bytes",
]
