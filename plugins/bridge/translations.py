"""The texts of both plug-ins in the editor's language: the one way in which a visible text leaves the code.

Every text stands in the code in English, whole, with named blanks: `_("Insert {count} layers").format(count=3)`. The catalogues
are gettext's, one for each language, beside this module; a text without a translation stays English.
"""

from __future__ import annotations

import gettext as standard
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "acetate"
FOLDER = Path(__file__).parent / "languages"
"""Where `<language>/LC_MESSAGES/acetate.mo` lie in an assembled plug-in."""

_catalogue: standard.NullTranslations = standard.NullTranslations()


def speak(languages: Sequence[str], folder: Path = FOLDER) -> None:
    """Use the first of these languages that has a catalogue (`de_DE` finds `de`), else English."""
    global _catalogue
    _catalogue = standard.translation(DOMAIN, folder, languages, fallback=True)


def _(text: str) -> str:
    """The text in the editor's language. Empty stays empty: gettext keeps the catalogue's own head under that."""
    return _catalogue.gettext(text) if text else ""


def counted(one: str, many: str, count: int) -> str:
    """`one` or `many` as the language counts, with `{count}` filled in."""
    return _catalogue.ngettext(one, many, count).format(count=count)


def marked(text: str) -> str:
    """The text as it is, for a constant that `_` translates where it is shown."""
    return text
