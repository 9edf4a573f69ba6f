from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from acetate.protocol import frames
from acetate.protocol import messages as wire
from acetate.server.schemas import asyncapi
from jsonschema import Draft7Validator

DOCUMENT = asyncapi.document()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        yield from references(one)


def found(reference: str) -> Any:
    place = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def test_every_reference_leads_somewhere() -> None:
    assert all(found(reference) for reference in references(DOCUMENT))


@pytest.mark.parametrize(
    ("action", "kinds"),
    [
        ("receive", [*wire.FROM_CLIENT, *(f"{kind} (binary)" for kind in frames.FROM_CLIENT)]),
        ("send", [*wire.FROM_SERVER, *(f"{kind} (binary)" for kind in frames.FROM_SERVER)]),
    ],
)
def test_the_server_receives_what_clients_say_and_sends_the_rest(action: str, kinds: list[str]) -> None:
    operation = DOCUMENT["operations"][action]

    assert [found(found(one["$ref"])["$ref"])["name"] for one in operation["messages"]] == kinds
    assert operation["action"] == action


def test_its_schemas_are_of_the_draft_that_asyncapi_has() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_a_list_of_pairs_is_one_in_the_older_draft_too() -> None:
    whole = {"$ref": "#/components/schemas/Parameters", "components": DOCUMENT["components"]}

    assert Draft7Validator(whole).is_valid({"loras": [["soft", 0.5]]})
    for wrong in ([["soft"]], [["soft", "a lot"]], [["soft", 0.5, 1, 1]], [["soft", 99]]):
        assert not Draft7Validator(whole).is_valid({"loras": wrong})
