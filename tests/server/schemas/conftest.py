"""Validators of the protocol's JSON Schema, and messages drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from acetate.server.schemas import json_schema
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

DOCUMENT = json_schema.document()
DEFINITIONS = DOCUMENT["$defs"]


@pytest.fixture(scope="session")
def validator() -> Callable[[str], Draft202012Validator]:
    """The validator of one definition, by its name."""
    return cache(lambda name: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": DEFINITIONS}))


@pytest.fixture(scope="session")
def drawn_from() -> Callable[[str], st.SearchStrategy[Any]]:
    """Values that a definition admits, by its name."""
    return lambda name: values(DEFINITIONS[name])


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema admits."""
    if "$ref" in schema:
        return st.deferred(lambda: values(DEFINITIONS[schema["$ref"].rpartition("/")[2]]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return st.one_of([values(one) for one in schema[word]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return DRAWN[schema.get("type")](schema)


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        inside = schema.get("additionalProperties")
        return st.dictionaries(st.text(max_size=8), values(inside) if inside else _anything, max_size=3)
    properties, required = schema["properties"], schema.get("required", [])
    return st.fixed_dictionaries(
        {name: values(properties[name]) for name in required},
        optional={name: values(one) for name, one in properties.items() if name not in required},
    )


def _arrays(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        return st.tuples(*map(values, schema["prefixItems"])).map(list)
    return st.lists(values(schema["items"]), max_size=min(4, schema.get("maxItems", 4)))


def _texts(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        drawn = st.from_regex(schema["pattern"].removeprefix("^").removesuffix("$"), fullmatch=True)
        return drawn.filter(lambda text: len(text) <= schema.get("maxLength", 1000))
    return st.text(max_size=min(40, schema.get("maxLength", 40)))


_numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([0.5, -1.25, 1e300])
_anything = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
DRAWN: dict[str | None, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "object": _objects,
    "array": _arrays,
    "string": _texts,
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "number": lambda schema: st.floats(schema["minimum"], schema["maximum"]),
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
    None: lambda schema: _anything,
}


@pytest.fixture(scope="session")
def anything() -> st.SearchStrategy[Any]:
    """Any JSON value that can cross the wire. Numbers with a point are no whole ones: JSON Schema takes 4.0 for an integer."""
    return _anything
