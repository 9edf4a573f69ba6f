"""`acetate protocol`: the messages of the websocket for other programs and languages. Knows the forms that schemas have."""

from __future__ import annotations

import argparse
import json

SCHEMAS = {
    "json-schema": "JSON Schema, draft 2020-12",
    "asyncapi": "AsyncAPI 3.0",
    "typescript": "types for TypeScript",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `acetate protocol` takes."""
    forms = "; ".join(f"{name}: {meaning}" for name, meaning in SCHEMAS.items())
    parser.add_argument("--schema", choices=SCHEMAS, default="json-schema", help=f"{forms} (default: json-schema)")
    parser.description = "Print the messages of the websocket as a schema; docs/protocol.md says what comes when."


def run(options: argparse.Namespace) -> int:
    """Print the schema; returns the exit code."""
    from ..schemas import asyncapi, json_schema, typescript

    if options.schema == "typescript":
        print(typescript.document(), end="")
    else:
        print(json.dumps({"json-schema": json_schema, "asyncapi": asyncapi}[options.schema].document(), indent=2))
    return 0
