"""The protocol as AsyncAPI 3: one channel, who says what on it, and the JSON Schemas of all messages. Knows AsyncAPI's terms.

AsyncAPI's own schemas are JSON Schema draft-07 with additions, so the two words that newer drafts write otherwise are translated.
A binary frame is a message whose header has a schema and whose payload is bytes.
"""

from __future__ import annotations

from typing import Any

from acetate.protocol import frames, messages

from ..settings import DEFAULT_PORT
from . import json_schema
from .parameter_types import JsonSchema

ADDRESS = "/"


def document() -> dict[str, Any]:
    """The AsyncAPI document of a server, as its clients see it: it receives their messages and sends its own."""
    schema = json_schema.document()
    definitions: dict[str, JsonSchema] = schema["$defs"]
    directions = {
        "FromClient": {name: _text(name, definitions[name]) for name in _members(definitions["FromClient"])}
        | {name: _binary(name, definitions[name]) for name in _members(definitions["HeaderFromClient"])},
        "FromServer": {name: _text(name, definitions[name]) for name in _members(definitions["FromServer"])}
        | {name: _binary(name, definitions[name]) for name in _members(definitions["HeaderFromServer"])},
    }
    said = {name: message for one in directions.values() for name, message in one.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": schema["title"],
            "version": f"{messages.VERSION}.0.0",
            "description": "docs/protocol.md says in words what comes when; this says what it looks like.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": f"127.0.0.1:{DEFAULT_PORT}",
                "protocol": "ws",
                "description": "The address and the token are in server.json.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": {
            "connection": {
                "address": ADDRESS,
                "description": f"One websocket; a frame has at most {frames.MAX_FRAME_BYTES} bytes from a client.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in said},
            }
        },
        "operations": {
            "receive": _operation("receive", "What a client says, `hello` first.", directions["FromClient"]),
            "send": _operation("send", "What the server answers and tells.", directions["FromServer"]),
        },
        "components": {
            "messages": said,
            "schemas": {
                name: _translated(one)
                for name, one in definitions.items()
                if name not in directions and not name.startswith("HeaderFrom")
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer TOKEN"}},
        },
    }


def _members(union: JsonSchema) -> list[str]:
    return [one["$ref"].rpartition("/")[2] for one in union["oneOf"]]


def _text(name: str, schema: JsonSchema) -> dict[str, Any]:
    return {"name": _type(schema), "summary": schema["description"], "payload": {"$ref": f"#/components/schemas/{name}"}}


def _binary(name: str, schema: JsonSchema) -> dict[str, Any]:
    return {
        "name": f"{_type(schema)} (binary)",
        "summary": schema["description"],
        "contentType": "application/octet-stream",
        "headers": {"$ref": f"#/components/schemas/{name}"},
        "payload": {"type": "string", "format": "binary"},
    }


def _type(schema: JsonSchema) -> str:
    return str(schema["properties"]["type"]["const"])


def _operation(action: str, summary: str, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/connection"},
        "messages": [{"$ref": f"#/channels/connection/messages/{name}"} for name in said],
    }


def _translated(value: Any) -> Any:
    """A schema of draft 2020-12 as one of draft-07: references by their new place, and lists whose entries differ."""
    if isinstance(value, list):
        return [_translated(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "prefixItems" in value:
        rest = {word: one for word, one in value.items() if word not in ("prefixItems", "items")}
        return {**_translated(rest), "items": _translated(value["prefixItems"]), "additionalItems": False}
    return {
        word: one.replace("#/$defs/", "#/components/schemas/") if word == "$ref" and isinstance(one, str) else _translated(one)
        for word, one in value.items()
    }
