"""The texts of both plug-ins in the editor's language: the one way in which a visible text leaves the code.

Every text stands in the code in English, whole, with named blanks: `_("Insert {count} layers").format(count=3)`. The catalogues
are gettext's, one for each language, compiled when a plug-in is put together; a text without a translation stays English. What
comes from the server has its blanks filled in already: `said` finds the text that it was made from.
"""

from __future__ import annotations

import gettext as standard
import io
import os
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""The variables that gettext looks at, the most important first."""
BLANK = re.compile(r"\{(\w+)\}")
"""A blank of a text, such as `{count}`."""

_catalogue = standard.NullTranslations()
_texts: Mapping[str, str] = {}


def speak(languages: Sequence[str]) -> None:
    """Use the first of these languages that has a catalogue (`de_AT` finds `de`), else English."""
    global _catalogue, _texts
    _catalogue, _texts = standard.NullTranslations(), {}
    _origins.cache_clear()
    for language in (name for asked in languages for name in names_of(asked)):
        if language == "en":
            return
        if data := _compiled(language):
            found = standard.GNUTranslations(io.BytesIO(data))
            _catalogue, _texts = found, {key: text for key, text in vars(found)["_catalog"].items() if isinstance(key, str)}
            return


def of_environment() -> list[str]:
    """The languages that the environment asks for, as gettext reads it."""
    return next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "").split(":")


def names_of(language: str) -> tuple[str, ...]:
    """What a catalogue for it may be called: `de-AT`, `de_AT.UTF-8@euro` -> `de_AT`, `de`.

    Chinese is written in two ways, and who reads one is not helped by the other: `zh_TW` never finds `zh_CN`.
    """
    name = re.split(r"[.@]", language)[0].replace("-", "_")
    first, _, rest = name.partition("_")
    if first != "zh":
        return (name, first)
    return ("zh_CN",) if rest[:4].lower() in ("", "hans", "cn", "sg") else (name,)


def _compiled(language: str) -> bytes | None:
    """The catalogue beside the plug-ins' code, in a folder or a zip; `None` where there is none, as in a checkout."""
    try:
        return pkgutil.get_data("acetate.plugins", f"languages/{language}.mo")
    except OSError:
        return None


def _(text: str) -> str:
    """The text in the editor's language. Empty stays empty: gettext keeps the catalogue's own head under that."""
    return _catalogue.gettext(text) if text else ""


def counted(one: str, many: str, count: int, **values: object) -> str:
    """`one` or `many` as the language counts, with `{count}` and the other blanks filled in."""
    return _catalogue.ngettext(one, many, count).format(count=count, **values)


def marked(text: str) -> str:
    """The text as it is, for a constant that `_` translates where it is shown."""
    return text


def said(text: str) -> str:
    """A finished text of the engine or the server in the editor's language; as it is when its origin is not found.

    A value that is itself a text of the catalogue is translated, too.
    """
    return _said(text, _origins())


def _said(text: str, origins: Sequence[_Origin]) -> str:
    if not text or text in _texts:
        return _(text)
    for origin in origins:
        if origin.begins_and_ends(text) and (found := re.fullmatch(origin.pattern, text, re.DOTALL)):
            # A value may be what a person typed: nothing is read into it that does not begin or end with words of ours.
            plain = [one for one in origins if one.start or one.end]
            return _texts[origin.text].format(**{name: _said(value, plain) for name, value in found.groupdict().items()})
    return text


class _Origin(NamedTuple):
    """A text with blanks, and what a text that it has become looks like; most others are told apart without the pattern."""

    text: str
    pattern: str
    start: str
    end: str

    def begins_and_ends(self, text: str) -> bool:
        return text.startswith(self.start) and text.endswith(self.end)


@lru_cache(maxsize=1)
def _origins() -> tuple[_Origin, ...]:
    """The catalogue's texts with blanks, those with the most words of their own first."""
    texts = sorted(_with_blanks(), key=lambda text: -len(BLANK.sub("", text)))
    return tuple(_Origin(text, _pattern(text), BLANK.split(text)[0], BLANK.split(text)[-1]) for text in texts)


def _with_blanks() -> Iterator[str]:
    return (text for text in _texts if BLANK.search(text) and re.search(r"\w{2}", BLANK.sub("", text)))


def _pattern(text: str) -> str:
    seen: set[str] = set()
    parts, place = [], 0
    for blank in BLANK.finditer(text):
        name = blank[1]
        parts += [re.escape(text[place : blank.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        place = blank.end()
    return "".join(parts) + re.escape(text[place:])
