"""What is written from the messages: the tables of docs/protocol.md and the types of the TypeScript example.

`python tests/server/schemas/tables.py` writes both; tests compare.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from acetate.server.schemas import json_schema, typescript

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "protocol.md"
TYPES = ROOT / "examples" / "typescript" / "messages.ts"
ELSEWHERE = {"Parameters": "[models.md](models.md#parameters)"}
"""Values whose fields another page lists."""


def filled(page: str) -> str:
    """The page with a table of all fields between each pair of marks."""
    definitions = json_schema.document()["$defs"]
    directions = {name: _members(one) for name, one in definitions.items() if _is_union(name)}
    said = {name for names in directions.values() for name in names}
    listed = said | ELSEWHERE.keys()
    inside = [name for name in definitions if not (name in listed or _is_union(name) or _is_repeated(name))]
    for mark, names in {**directions, "Values": inside}.items():
        rows = "".join(_rows(name, definitions[name]) for name in names)
        table = f"| field | takes | default |\n|---|---|---|\n{rows}"
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        page = re.sub(f"{begin}.*?{end}", lambda _, text=begin + table + end: text, page, flags=re.DOTALL)
    return page


def _members(union: dict[str, Any]) -> list[str]:
    return [one["$ref"].rpartition("/")[2] for one in union["oneOf"]]


def _is_union(name: str) -> bool:
    return name.removeprefix("Header") in ("FromClient", "FromServer")


def _is_repeated(name: str) -> bool:
    return name.startswith(json_schema.CLOSED) or name.endswith("Value")


def _rows(name: str, schema: dict[str, Any]) -> str:
    fields = {field: one for field, one in schema["properties"].items() if field != "type"}
    kind = schema["properties"].get("type", {}).get("const", name)
    if not fields:
        return f"| `{kind}`: none | | |\n"
    rows = ((field, _takes(one), _default(field, one, schema["required"])) for field, one in fields.items())
    return "".join(f"| `{kind}.{field}` | {takes} | {default} |\n" for field, takes, default in rows)


def _takes(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2].removeprefix(json_schema.CLOSED).removesuffix("Value")
        return f"{name}: {ELSEWHERE[name]}" if name in ELSEWHERE else name
    if "anyOf" in schema:
        return " or ".join(_takes(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "anything")
    words = [f"`{one}`" for one in schema.get("examples", ())]
    known = f", such as {', '.join(words)}" if words else ""
    if kind == "array":
        most = f"at most {schema['maxItems']} " if "maxItems" in schema else ""
        return f"list of {most}({_takes(schema['items'])})"
    if "minimum" in schema:
        return f"{kind} {schema['minimum']} to {schema['maximum']}"
    if "pattern" in schema:
        return str(schema["title"]) if "title" in schema else "text without NUL"
    if "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters{known}"
    return {"string": "text", "boolean": "true or false", "object": "object"}.get(kind, kind) + known


def _default(field: str, schema: dict[str, Any], required: list[str]) -> str:
    if field in required:
        return "must be given"
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else "null"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    TYPES.write_text(typescript.document(), encoding="utf-8")
