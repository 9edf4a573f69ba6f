"""What the source says about a dataclass and its fields, for readers of schemas. Knows docstrings; knows no schema."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import Any


@cache
def of_fields(cls: Any) -> dict[str, str]:
    """The docstring below each field of a dataclass, by the field's name, on one line; fields without one are left out."""
    (definition,) = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(definition.body, definition.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split()).replace("`None`", "`null`")
    return found


def of_class(cls: Any) -> str:
    """A dataclass's docstring on one line."""
    return " ".join((inspect.getdoc(cls) or "").split())
