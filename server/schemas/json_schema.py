"""The messages and the headers of binary frames as JSON Schema (draft 2020-12), from the annotations that check them.

Knows annotations; knows hardly a message by name. What a client sends is closed, as the server refuses unknown fields by name;
`hello`, and all that the server says, is open: newer versions may say more. What a schema cannot say: that 4.0 is no integer, how
many bytes a whole message has, and what depends on several fields.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from acetate.protocol import frames, messages
from acetate.protocol.annotations import AtMost, Between, Fields, Known, Matching
from acetate.protocol.schema import encode
from acetate.vocabulary.value_types import ValueType

from . import descriptions, parameter_types
from .parameter_types import JsonSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CLOSED = "Exact"
"""Begins the name of a value in a client's message that the server sends too, and then with more fields perhaps."""
_PLAIN: Mapping[Any, JsonSchema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    Any: {},
}
_LONGEST = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


def document() -> JsonSchema:
    """Everything that crosses the wire: `$defs` has a schema for each message, header and value, and one for each direction."""
    made = Definitions()
    directions = {
        "FromServer": made.union(messages.FROM_SERVER.values(), "A text frame of the server.", closed=False),
        "HeaderFromServer": made.union(frames.FROM_SERVER.values(), "The header of the server's binary frame.", closed=False),
        "FromClient": made.union(messages.FROM_CLIENT.values(), "A text frame of a client.", closed=True),
        "HeaderFromClient": made.union(frames.FROM_CLIENT.values(), "The header of a client's binary frame.", closed=True),
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:acetate:protocol:{messages.VERSION}",
        "title": f"The protocol of Acetate, version {messages.VERSION}",
        "description": "What docs/protocol.md says in words. A field that has its default is left out.",
        "anyOf": [_reference(name) for name in directions],
        "$defs": {**directions, **made.schemas},
    }


class Definitions:
    """Schemas of dataclasses by name, made as they are referred to: those of the server's messages first."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}
        self._open: set[str] = set()

    def union(self, kinds: Iterable[Any], description: str, *, closed: bool) -> JsonSchema:
        """A schema of any of these messages."""
        members = [self._refer(cls, cls.__name__, closed and cls is not messages.Hello, is_message=True) for cls in kinds]
        return {"description": description, "oneOf": members}

    def _refer(
        self, cls: Any, name: str, closed: bool, limits: Mapping[str, Between] | None = None, *, is_message: bool = False
    ) -> JsonSchema:
        """A reference to the schema of a dataclass, whose numbers may be limited from outside."""
        if not closed:
            self._open.add(name)
        elif name in self._open:
            name = f"{CLOSED}{name}"
        made = self._object(cls, closed, limits or {})
        if is_message:
            made["properties"] = {"type": {"const": cls.TYPE}, **made["properties"]}
            made["required"] = ["type", *made["required"]]
        assert self.schemas.setdefault(name, made) == made, f"{name} has two schemas"
        return _reference(name)

    def _object(self, cls: Any, closed: bool, limits: Mapping[str, Between]) -> JsonSchema:
        said, hints = descriptions.of_fields(cls), get_type_hints(cls, include_extras=True)
        fields = [field for field in dataclasses.fields(cls) if field.init]
        properties = {}
        for field in fields:
            hint = Annotated[hints[field.name], limits[field.name]] if field.name in limits else hints[field.name]
            notes = {"description": said.get(field.name) or field.metadata.get("help"), "default": _default(field)}
            properties[field.name] = self._field(field, hint, closed) | {
                note: value for note, value in notes.items() if value is not None
            }
        required = [field.name for field in fields if _is_required(field)]
        schema = {"type": "object", "description": descriptions.of_class(cls), "properties": properties, "required": required}
        return schema | ({"additionalProperties": False} if closed else {})

    def _field(self, field: dataclasses.Field[Any], hint: Any, closed: bool) -> JsonSchema:
        type = field.metadata.get("type")
        if not isinstance(type, ValueType):
            return self.schema_of(hint, closed)
        schema = parameter_types.schema_of(type)
        return {"anyOf": [schema, {"type": "null"}]} if field.default is None else schema

    def schema_of(self, hint: Any, closed: bool) -> JsonSchema:
        """The schema of what an annotation takes: every kind that `protocol/schema.py` checks."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._limited(arguments[0], arguments[1:], closed)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.schema_of(one, closed) for one in arguments]}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return self._sequence(arguments, closed)
        if origin is not None and issubclass(origin, Mapping):
            values = self.schema_of(arguments[1], closed)
            return {"type": "object", **({"additionalProperties": values} if values else {})}
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self._refer(hint, _value_name(hint), closed)
        return {"type": "null"} if hint is type(None) else dict(_PLAIN[hint])

    def _sequence(self, arguments: tuple[Any, ...], closed: bool) -> JsonSchema:
        if arguments[1:] == (Ellipsis,):
            return {"type": "array", "items": self.schema_of(arguments[0], closed)}
        items = [self.schema_of(one, closed) for one in arguments]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}

    def _limited(self, hint: Any, limits: tuple[Any, ...], closed: bool) -> JsonSchema:
        for limit in limits:
            if isinstance(limit, Fields):
                return self._refer(hint, _value_name(hint), closed, dict(limit.limits))
        schema = self.schema_of(hint, closed)
        for limit in limits:
            if isinstance(limit, Between):
                schema |= {"minimum": limit.low, "maximum": limit.high}
            elif isinstance(limit, AtMost):
                schema[_LONGEST[schema["type"]]] = limit.count
            elif isinstance(limit, Matching):
                schema |= {"pattern": f"^(?:{limit.pattern})$", "description": limit.meaning}
            elif isinstance(limit, Known):
                schema["examples"] = list(limit.words)
        return schema


def _reference(name: str) -> JsonSchema:
    return {"$ref": f"#/$defs/{name}"}


def _value_name(cls: Any) -> str:
    """The engine is a message and a value within another: the value has no `type`."""
    return f"{cls.__name__}Value" if hasattr(cls, "TYPE") else str(cls.__name__)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    """The default as JSON; `None` where there is none, or where it is null."""
    if _is_required(field):
        return None
    return encode(field.default if field.default_factory is dataclasses.MISSING else field.default_factory())
