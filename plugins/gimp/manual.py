"""Where the manual lies that F1 opens: unpacked from the plug-in, as GIMP and a browser read no zip, and not among its own files,
of which GIMP copies only some to the folder of a new version. Knows no widget."""

from __future__ import annotations

import pkgutil
from pathlib import Path

from gi.repository import Gimp

DOMAIN = "acetate"
"""What GIMP calls our part of its help."""
LANGUAGE = "en"
"""GIMP looks for a folder of the language."""
PAGES = ("gimp-help.xml", "manual.html")


def unpacked() -> Path:
    """The folder with the manual, written anew where it is missing or another version's. Raises `OSError`."""
    folder = Path(Gimp.cache_directory(), "acetate-help")
    (folder / LANGUAGE).mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        data, path = pkgutil.get_data("acetate.plugins", f"gimp/help/{page}") or b"", folder / LANGUAGE / page
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
    return folder


def page_of(help_id: str) -> str:
    """The address of the part of the manual that is about a procedure, or about a page of the window. Raises `OSError`."""
    return f"{(unpacked() / LANGUAGE / 'manual.html').as_uri()}#{help_id}"
