"""The vocabulary's types of values as JSON Schema: ranges, choices and lengths as the engine checks them. Knows no message."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from acetate.vocabulary.value_types import (
    LONGEST_NAME,
    MOST_BLOCKS,
    NAME_PATTERN,
    Choice,
    Flag,
    FreeText,
    ListedName,
    NamedValues,
    Number,
    TextOfEach,
    ValueType,
    WeightedNames,
    Whole,
)

JsonSchema = dict[str, Any]


@singledispatch
def schema_of(type: ValueType) -> JsonSchema:
    """The schema of what the type admits. Raises `TypeError` for a type that has none here."""
    raise TypeError(f"{type!r} has no JSON Schema")


@schema_of.register
def _(type: Whole) -> JsonSchema:
    return {"type": "integer", "minimum": type.least, "maximum": type.most}


@schema_of.register
def _(type: Number) -> JsonSchema:
    return {"type": "number", "minimum": type.least, "maximum": type.most}


@schema_of.register
def _(type: Choice) -> JsonSchema:
    return {"enum": list(type.choices)}


@schema_of.register
def _(type: Flag) -> JsonSchema:
    return {"type": "boolean"}


@schema_of.register
def _(type: FreeText) -> JsonSchema:
    return {"type": "string", "maxLength": type.most, "pattern": r"^[^\u0000]*$"}


@schema_of.register
def _(type: ListedName) -> JsonSchema:
    return {
        "type": "string",
        "maxLength": LONGEST_NAME,
        "pattern": f"^{NAME_PATTERN}$",
        "title": type.right,
    }


@schema_of.register
def _(type: TextOfEach) -> JsonSchema:
    text = schema_of(type.text)
    return {"type": "object", "properties": {key: text for key in type.keys}, "additionalProperties": False}


@schema_of.register
def _(type: WeightedNames) -> JsonSchema:
    name, weight = schema_of(ListedName()), schema_of(type.weight)
    blocks: JsonSchema = {"type": "array", "items": weight, "maxItems": MOST_BLOCKS}
    entry: JsonSchema = {"type": "array", "prefixItems": [name, weight, weight, blocks], "items": False, "minItems": 2}
    return {"type": "array", "items": entry, "maxItems": type.most}


@schema_of.register
def _(type: NamedValues) -> JsonSchema:
    options = {name: schema_of(option) for name, option in type.types.items()}
    return {"type": "object", "properties": options, "additionalProperties": False}
