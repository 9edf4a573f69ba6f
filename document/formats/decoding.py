"""Decoding foreign files: the one place where their decoders' exceptions become ours, and XML is read without its dangers.

Knows no format.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

from PIL import Image

from ..errors import TooLarge, UnreadableFile

_ONE_AT_A_TIME = threading.RLock()

MALFORMED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    ElementTree.ParseError,
    Image.DecompressionBombError,
    Warning,
)
"""What Pillow, psd-tools and the standard library raise on broken input, found by fuzzing, and warnings that were made errors;
they have no common root."""


class DamagedError(ValueError):
    """What is wrong with a file, in words for the person: it continues `… is not a readable PSD: `."""


@contextmanager
def decoding(name: str, kind: str, *, in_our_words: bool = False) -> Iterator[None]:
    """Every error that a decoder raises inside becomes `UnreadableFile`, and running out of memory `TooLarge`.

    `in_our_words` keeps back what a decoder says that speaks to programmers.
    """
    try:
        yield
    except MemoryError as error:
        raise TooLarge(f"{name} needs more memory than this machine can give", "Scale it down or split it.") from error
    except MALFORMED as error:
        why = "it is damaged" if in_our_words and not isinstance(error, DamagedError) else str(error) or type(error).__name__
        raise UnreadableFile(f"{name} is not a readable {kind}: {why}") from error


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Without the lines that libtiff and libjpeg write to the terminal themselves; what is wrong, we say."""
    with _ONE_AT_A_TIME, open(os.devnull, "wb") as nowhere:
        try:
            kept = os.dup(2)
        except OSError:  # there is no terminal to be kept clean
            yield
            return
        try:
            if sys.stderr is not None:  # a Windows program without a console
                sys.stderr.flush()
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def parse_xml(data: bytes) -> ElementTree.Element:
    """The root element; errors are those that `decoding` converts."""
    parser = ElementTree.XMLParser(target=_NoDoctype())
    parser.feed(data)
    root: ElementTree.Element = parser.close()
    return root


class _NoDoctype(ElementTree.TreeBuilder):
    """Entities could blow a small file up; no format here has any, so a document type is refused altogether."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError(f"its XML declares a document type ({name!r})")
