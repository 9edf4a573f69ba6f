"""The server's settings from their sources: options before variables before the file before the defaults.

Knows where each value came from, and says of a wrong one where it stands and what would be right.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from acetate.engine.files.own_folders import settings_folder

from ..settings import FAKE_ENGINE, Settings
from .descriptions import HOME, descriptions

FILE_VARIABLE = "ACETATE_SETTINGS"
PREFIX = "ACETATE_"
OTHERS = ("HOME", "SETTINGS", "URL", "TOKEN", "CAFILE", "FAKE", "LOCK_DESCRIPTOR", "EDITORS", "KEEP", "SCREENSHOTS")
"""Variables that are no settings of the server: the client's, and those of the program's own tests."""


class SettingsError(Exception):
    """Some settings are wrong: a line for each says where it stands, its value, and what would be right."""


@dataclass(frozen=True)
class Configuration:
    """The settings, and where each came from: `default`, `file PATH`, `variable NAME` or `option NAME`."""

    settings: Settings
    sources: Mapping[str, str]


def default_file() -> Path:
    """The settings file in the platform's place for settings, or in `ACETATE_HOME` if that is set."""
    return settings_folder() / "settings.toml"


def configure(options: Mapping[str, str | bool], file: str | None = None) -> Configuration:
    """The settings. `options` are the texts of the options that were given, by the names of settings; `file` is another settings
    file, which must be there. Raises `SettingsError` with everything that is wrong."""
    values: dict[str, Any] = {}
    sources = {field.name: "default" for field in fields(Settings)}
    wrong: list[str] = []
    for found in (_of_file(file), _of_variables(), _of_options(options)):
        for name, source, value in found:
            if isinstance(value, ValueError):
                wrong.append(str(value))
            else:
                values[name], sources[name] = value, source
    if wrong:
        raise SettingsError("\n".join(wrong))
    if values.get("engine") == "fake":
        values["engine"] = FAKE_ENGINE
    if os.environ.get(descriptions()[HOME].variable):
        sources[HOME] = f"variable {descriptions()[HOME].variable}"
    return Configuration(Settings(**values), sources)


Found = Iterator[tuple[str, str, Any]]
"""The name of a setting, its source, and its value; a `ValueError` says what is wrong with it."""


def _of_file(chosen: str | None) -> Found:
    chosen = chosen or os.environ.get(FILE_VARIABLE)
    path = Path(chosen).expanduser() if chosen else default_file()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if chosen:
            yield "", "", ValueError(f"{path}: there is no such file")
        return
    except OSError as error:
        yield "", "", ValueError(f"{path} cannot be read: {error.strerror}")
        return
    except ValueError as error:  # of TOML, or of UTF-8
        yield "", "", ValueError(f"{path} is not TOML: {error}")
        return
    source = f"file {path}"
    for name, value in said.items():
        if (setting := descriptions().get(name)) is None:
            yield name, source, ValueError(f"{path}: there is no setting {name}{_meant(name)}")
        elif name == HOME:
            yield name, source, ValueError(f"{path}: {name} is set by {setting.variable} alone, where clients look, too")
        else:
            yield name, source, _beside(path, _tried(f"{path}: {name}", setting.type.checked, value))


def _beside(file: Path, value: Any) -> Any:
    """A path in a settings file is meant from the file's folder."""
    return file.parent.absolute() / value if isinstance(value, Path) else value


def _of_variables() -> Found:
    known = {setting.variable: setting for setting in descriptions().values() if setting.name != HOME}
    for variable, text in os.environ.items():
        if not variable.startswith(PREFIX) or not text.strip():  # an empty one is as good as none
            continue
        if (setting := known.get(variable)) is not None:
            yield setting.name, f"variable {variable}", _tried(variable, setting.type.read, text)
        elif variable.removeprefix(PREFIX) not in OTHERS and (meant := _meant(variable.removeprefix(PREFIX).lower(), PREFIX)):
            yield "", "", ValueError(f"there is no variable {variable}{meant}")


def _of_options(options: Mapping[str, str | bool]) -> Found:
    for name, given in options.items():
        setting = descriptions()[name]
        value = given if isinstance(given, bool) else _tried(str(setting.flag), setting.type.read, given)
        yield name, f"option {setting.flag}", value


def _tried(where: str, read: Callable[[Any], Any], given: Any) -> Any:
    try:
        return read(given)
    except ValueError as error:
        return ValueError(f"{where} is {error}")


def _meant(name: str, prefix: str = "") -> str:
    """`; did you mean …?` for a name like that of a setting."""
    close = difflib.get_close_matches(name, descriptions(), n=1, cutoff=0.8)
    return f"; did you mean {prefix + close[0].upper() if prefix else close[0]}?" if close else ""
