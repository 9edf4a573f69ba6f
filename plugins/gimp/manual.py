"""Where the manual lies that F1 opens: beside the plug-in's zip, as a browser has to read it. Knows no widget."""

from __future__ import annotations

import sys
from pathlib import Path

DOMAIN = "acetate"
"""What GIMP calls our part of its help."""
FOLDER = Path(sys.argv[0]).absolute().parent / "help"
"""Holds a folder for each language, as GIMP wants it."""


def page_of(help_id: str) -> str:
    """The address of the part of the manual that is about a procedure, or about a page of the window."""
    return f"{(FOLDER / 'en' / 'manual.html').as_uri()}#{help_id}"
