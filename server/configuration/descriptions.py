"""Every setting with its unit, range and meaning, read from `Settings` itself. Knows the dataclass; reads no file."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from acetate.protocol import home
from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from ..settings import Settings
from .value_types import ValueType, type_of

FLAGS: Mapping[str, str] = {
    "host": "--host",
    "port": "--port",
    "names": "--name",
    "tls_certificate": "--tls-certificate",
    "tls_key": "--tls-key",
    "insecure": "--insecure",
    "engine": "--engine",
    **{name: f"--{name}" for name in ENGINE_OPTIONS},
    "devices": "--device",
    "ray": "--ray",
    "ray_workers": "--ray-workers",
    "preload": "--preload",
    "until_idle": "--until-idle",
}
"""The settings that `acetate serve` has an option for."""
HOME = "folder"
"""The setting that a variable alone chooses, as clients look there for the server: `ACETATE_HOME`."""


@dataclass(frozen=True)
class Setting:
    """A setting as people meet it."""

    name: str
    group: str
    """The heading that it stands under."""
    meaning: str
    unit: str
    """`seconds`, `bytes` or nothing."""
    type: ValueType

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "ACETATE_HOME" if self.name == HOME else f"ACETATE_{self.name.upper()}"

    @property
    def flag(self) -> str | None:
        """The option of `acetate serve` that sets it."""
        return FLAGS.get(self.name)

    @property
    def default(self) -> Any:
        return home() if self.name == HOME else getattr(Settings(), self.name)


@cache
def descriptions() -> Mapping[str, Setting]:
    """All settings by their names, in the order of the dataclass."""
    hints, texts = get_type_hints(Settings, include_extras=True), _texts()
    found = {}
    for field in fields(Settings):
        unit = next((unit for unit in ("seconds", "bytes") if field.name.endswith(f"_{unit}")), "")
        group, meaning = texts[field.name]
        found[field.name] = Setting(field.name, group, meaning, unit, type_of(hints[field.name], unit))
    return found


def _texts() -> Mapping[str, tuple[str, str]]:
    """The heading and the docstring of each field, from the source: Python keeps neither."""
    source = textwrap.dedent(inspect.getsource(Settings))
    lines = ((number, re.match(r" *# --- (.+)", line)) for number, line in enumerate(source.splitlines(), 1))
    headings = {number: heading[1] for number, heading in lines if heading}
    (node,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    texts: dict[str, tuple[str, str]] = {}
    for statement, following in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            group = [text for number, text in headings.items() if number < statement.lineno][-1]
            meaning = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                meaning = " ".join(str(following.value.value).split())
            texts[statement.target.id] = group, meaning
    return texts
