"""A procedure's values in the files that GIMP itself keeps: the last ones, and those that a person has saved.

GIMP writes the last values only when a call succeeds, and offers the rest only in a dialog that is bound to one procedure. The
files have its own form, so that Filters > Repeat, scripts and GIMP's own dialogs read what is written here. Knows no widget.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gi.repository import Gimp

NOT_KEPT = frozenset({"procedure", "run-mode", "image", "drawables"})
"""Properties of a config that say what a call is about, not how it is done."""
_LINE = re.compile(r'^\(([a-z][a-z0-9-]*) (?:"((?:[^"\\]|\\.)*)"|([^()]*))\)$', re.MULTILINE)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPED = str.maketrans({'"': '\\"', "\\": "\\\\", **{character: f"\\{letter}" for letter, character in _ESCAPES.items()}})


class Presets:
    """The values of one procedure's config, kept and brought back."""

    def __init__(self, name: str, config: Gimp.ProcedureConfig) -> None:
        self._config = config
        kept = Path(Gimp.directory(), "plug-in-settings", f"GimpProcedureConfigRun-{name}")
        self._last, self._saved = kept.with_name(f"{kept.name}.last"), kept.with_name(f"{kept.name}.default")
        self._initial = self._values()

    @property
    def has_saved(self) -> bool:
        """Whether there is anything that `load` would bring back."""
        return self._saved.exists()

    def keep(self) -> None:
        """Write the present values where the procedure's next call begins; a folder that cannot be written to stops nobody."""
        with contextlib.suppress(OSError):
            _write(self._last, written(self._values()))

    def recall(self) -> None:
        """Begin where the last call ended, as GIMP does for the procedure that it calls itself."""
        with contextlib.suppress(OSError):
            self._set(read(self._last.read_text(encoding="utf-8")))
        self._initial = self._values()

    def save(self) -> None:
        """Keep the present values until they are asked for. Raises `OSError`."""
        _write(self._saved, written(self._values()))

    def load(self) -> None:
        """Bring back what was saved. Raises `OSError`."""
        self._set(read(self._saved.read_text(encoding="utf-8")))

    def reset_to_initial(self) -> None:
        """Back to the values with which the window was opened."""
        self._set(self._initial)

    def reset_to_factory(self) -> None:
        """Back to the values that the procedure is registered with."""
        for spec in self._config.list_properties():
            if spec.name not in NOT_KEPT:
                with contextlib.suppress(TypeError, ValueError):
                    self._config.set_property(spec.name, spec.get_default_value())

    def _values(self) -> dict[str, Any]:
        names = (spec.name for spec in self._config.list_properties() if spec.name not in NOT_KEPT)
        return {name: self._config.get_property(name) for name in names}

    def _set(self, values: Mapping[str, Any]) -> None:
        """A value that does not fit, from another version, stays as it is."""
        present = self._values()
        for name, value in values.items():
            if name in present:
                with contextlib.suppress(TypeError, ValueError, OverflowError):
                    self._config.set_property(name, _as(present[name], value))


def written(values: Mapping[str, Any]) -> str:
    """The values as GIMP's configuration files spell them; those of other kinds than text, number and switch are left out."""
    lines = [f"({name} {_spelled(value)})" for name, value in values.items() if isinstance(value, (str, bool, int, float))]
    return "\n".join(["# settings\n", *lines, "\n# end of settings\n"])


def read(text: str) -> dict[str, Any]:
    """The values of such a file: texts as they are, everything else as the word that stands there."""
    found = {}
    for name, quoted, word in _LINE.findall(text):
        found[name] = word if word else _unescaped(quoted)
    return found


def _spelled(value: str | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f'"{value.translate(_ESCAPED)}"' if isinstance(value, str) else repr(value)


def _unescaped(text: str) -> str:
    octal = re.sub(r"((?:\\[0-7]{3})+)", lambda run: _bytes(run.group(1)).decode("utf-8", "replace"), text)
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape.group(1), escape.group(1)), octal)


def _bytes(octal: str) -> bytes:
    return bytes(int(digits, 8) & 0xFF for digits in octal.split("\\")[1:])


def _as(present: Any, value: Any) -> Any:
    """The value as the kind that the property has now; a text that was never set is `None`."""
    if isinstance(present, bool):
        return value in (True, "yes")
    if isinstance(present, int):
        return int(value)
    return float(value) if isinstance(present, float) else value


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
