"""The messages as TypeScript, from their JSON Schema: an interface for each, a union for each direction. Knows its types.

A whole number beyond 2**53 - 1 is no `number` of JavaScript's: where the range allows one, it is `number | bigint`.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from acetate.protocol import messages

from . import json_schema
from .parameter_types import JsonSchema

LARGEST_SAFE = 2**53 - 1
WIDTH = 110
_HEAD = """\
// The messages of Acetate's protocol, version {version}. Written by `acetate protocol --schema typescript`; do not edit.
"""


def document() -> str:
    """A module of types, ready to be imported."""
    definitions: dict[str, JsonSchema] = json_schema.document()["$defs"]
    parts = [_HEAD.format(version=messages.VERSION)]
    for name, schema in sorted(definitions.items()):
        if not name.startswith(json_schema.CLOSED):  # TypeScript compares structures, which are the same
            parts.append(_definition(name, schema))
    return "\n".join(parts)


def _definition(name: str, schema: JsonSchema) -> str:
    if "properties" not in schema:
        return f"{_comment(schema, '')}export type {name} =\n  | " + "\n  | ".join(map(_type, schema["oneOf"])) + ";\n"
    required = schema["required"]
    lines = [
        f"{_comment(one, '  ')}  {field}{'' if field in required else '?'}: {_type(one)};\n"
        for field, one in schema["properties"].items()
    ]
    return f"{_comment(schema, '')}export interface {name} {{\n{''.join(lines)}}}\n"


def _comment(schema: JsonSchema, margin: str) -> str:
    text = " ".join(
        filter(None, [schema.get("description", ""), _title(schema), _range(schema), _default(schema), _examples(schema)])
    )
    if not text:
        return ""
    if len(text) + len(margin) + 7 <= WIDTH:
        return f"{margin}/** {text} */\n"
    lines = textwrap.wrap(text, WIDTH - len(margin) - 3, break_long_words=False)
    return f"{margin}/**\n" + "".join(f"{margin} * {line}\n" for line in lines) + f"{margin} */\n"


def _title(schema: JsonSchema) -> str:
    return next((f"{one['title'][0].upper()}{one['title'][1:]}." for one in _alternatives(schema) if "title" in one), "")


def _range(schema: JsonSchema) -> str:
    return next((f"From {one['minimum']} to {one['maximum']}." for one in _alternatives(schema) if "minimum" in one), "")


def _default(schema: JsonSchema) -> str:
    return f"Default: {json.dumps(schema['default'])}." if "default" in schema else ""


def _examples(schema: JsonSchema) -> str:
    return f"One of {', '.join(schema['examples'])}, or a new one." if "examples" in schema else ""


def _alternatives(schema: JsonSchema) -> list[JsonSchema]:
    alternatives: list[JsonSchema] = schema.get("anyOf", [schema])
    return alternatives


def _type(schema: JsonSchema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2].removeprefix(json_schema.CLOSED))
    if "anyOf" in schema:
        return " | ".join(map(_type, schema["anyOf"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if kind == "integer":
        return "number | bigint" if max(-schema["minimum"], schema["maximum"]) > LARGEST_SAFE else "number"
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema)
    return {None: "unknown"}.get(kind, str(kind))


def _array(schema: JsonSchema) -> str:
    if "prefixItems" in schema:
        least = schema.get("minItems", 0)
        return f"[{', '.join(_type(one) + '?' * (at >= least) for at, one in enumerate(schema['prefixItems']))}]"
    item = _type(schema["items"])
    return f"({item})[]" if " | " in item else f"{item}[]"


def _object(schema: JsonSchema) -> str:
    if properties := schema.get("properties"):
        return "{ " + "; ".join(f"{name}?: {_type(one)}" for name, one in properties.items()) + " }"
    values = schema.get("additionalProperties")
    return f"Record<string, {_type(values) if values else 'unknown'}>"
