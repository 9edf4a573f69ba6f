"""What can go wrong with a layered document or a picture file.

DocumentError
├── UnreadableFile      missing, truncated, corrupt, or not a picture at all
├── UnsupportedFile     understood, but of a kind that is not read or written here
├── TooLarge            more pixels, layers or bytes than a file may bring
├── UnwritableFile      the target cannot be written; the document itself may be kept elsewhere
└── LayerNotFound       no layer, or more than one, has the name
"""

from __future__ import annotations


class DocumentError(Exception):
    """Root of the document errors; the message names the file and the value, `hint` says what would help (may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UnreadableFile(DocumentError):
    """The file is missing, truncated, corrupt or not what it says."""


class UnsupportedFile(DocumentError):
    """The file is sound but of a kind that is not read or written (animated, 32 bits per channel, an unknown suffix)."""


class TooLarge(DocumentError):
    """The file would need more memory than an untrusted file is given."""


class UnwritableFile(DocumentError):
    """The document cannot be written there, or holds a value that the format cannot carry."""


class LayerNotFound(DocumentError):
    """No layer has the name, or several have it; the message lists the existing names."""
