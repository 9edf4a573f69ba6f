"""What the plug-in keeps in kritarc: the form used last, the styles, and the artist's choices. Knows no widget."""

from __future__ import annotations

from acetate.plugins.bridge.form import Form, from_json
from acetate.plugins.bridge.forms.styles import StyleBook
from krita import Krita

from . import remembering

GROUP = "acetate"
"""The plug-in's group of kritarc."""


def last_form() -> Form:
    return from_json(_read("form", "{}"))


def keep_form(form: Form) -> None:
    _write("form", form.to_json())


def styles() -> StyleBook:
    return StyleBook(_read("styles", ""))


def keep_styles(text: str) -> None:
    _write("styles", text)


def prompts_in_documents() -> bool:
    """Whether prompts and settings are saved with documents."""
    return _read("prompts_in_documents", "true") != "false"


def keep_prompts_in_documents(wanted: bool) -> None:
    _write("prompts_in_documents", "true" if wanted else "false")
    remembering.keep_in_documents(wanted)


def last_folder() -> str:
    """The folder of the file that was inserted or saved last; empty before the first."""
    return _read("folder", "")


def keep_folder(path: str) -> None:
    _write("folder", path)


def inserts_at_once() -> bool:
    """Whether results go into their documents when the hand is free, or only when they are chosen."""
    return _read("insertion", "when_free") != "when_chosen"


def keep_inserting_at_once(wanted: bool) -> None:
    _write("insertion", "when_free" if wanted else "when_chosen")


def _read(name: str, default: str) -> str:
    return str(Krita.instance().readSetting(GROUP, name, default))


def _write(name: str, value: str) -> None:
    Krita.instance().writeSetting(GROUP, name, value)
