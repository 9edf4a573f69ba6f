"""The schema says what the protocol does: both take, and refuse, the same messages."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from acetate.protocol import ProtocolError, frames
from acetate.protocol import messages as wire
from acetate.protocol.schema import decode
from acetate.server.schemas import json_schema
from acetate.vocabulary.parameters import PARAMETERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

EXAMPLES, SOAK_EXAMPLES = 200, 5000
"""Generated messages per test, of which there are five."""
repeated = pytest.mark.parametrize("count", [EXAMPLES, pytest.param(SOAK_EXAMPLES, marks=pytest.mark.soak)])
DEPENDS_ON_SEVERAL = ("would have the seed", "bytes together", "the message has")
"""What is refused because of several fields at once, which no schema says."""


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas(one)


def generated(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def taken(message: Any) -> bool:
    try:
        wire.from_client(json.dumps(message))
    except ProtocolError as error:
        return any(words in str(error) for words in DEPENDS_ON_SEVERAL)
    return True


def test_it_is_a_schema_of_the_newest_draft() -> None:
    Draft202012Validator.check_schema(json_schema.document())


@pytest.mark.parametrize(
    ("direction", "kinds"),
    [
        ("FromClient", wire.FROM_CLIENT),
        ("FromServer", wire.FROM_SERVER),
        ("HeaderFromClient", frames.FROM_CLIENT),
        ("HeaderFromServer", frames.FROM_SERVER),
    ],
)
def test_every_message_is_in_its_direction_with_all_its_fields(direction: str, kinds: dict[str, Any]) -> None:
    definitions = json_schema.document()["$defs"]
    names = [one["$ref"].rpartition("/")[2] for one in definitions[direction]["oneOf"]]

    found = {definitions[name]["properties"]["type"]["const"]: set(definitions[name]["properties"]) for name in names}
    assert found == {kind: {"type", *(field.name for field in dataclasses.fields(cls))} for kind, cls in kinds.items()}


def test_every_number_has_a_range_and_every_definition_is_described() -> None:
    document = json_schema.document()
    numbers = [one for one in schemas(document) if one.get("type") in ("integer", "number")]

    assert numbers and all(one.keys() >= {"minimum", "maximum"} for one in numbers)
    assert all(one["description"] for one in document["$defs"].values())


def test_parameters_have_the_vocabularys_words_and_defaults() -> None:
    properties = json_schema.document()["$defs"]["Parameters"]["properties"]

    assert properties.keys() == PARAMETERS.keys()
    assert all(properties[name]["description"] == row.help for name, row in PARAMETERS.items())
    assert properties["seed"]["maximum"] == 2**63 - 1 and properties["count"]["default"] == 1


def test_what_a_client_sends_is_closed_and_what_it_hears_is_open() -> None:
    """But for `hello`: it is said before either side knows how new the other is."""
    definitions = json_schema.document()["$defs"]
    closed = {name for name, one in definitions.items() if one.get("additionalProperties") is False}

    assert closed >= {"Submit", "Parameters", "Conditions", "Placed", "ExactBox", "UploadPart"}
    assert not closed & {"Hello", "Welcome", "Layer", "Box", "Group", "PixelPart"}


@repeated
def test_what_the_schema_draws_for_a_client_the_server_takes(drawn_from: Any, validator: Any, count: int) -> None:
    @generated(count)
    @given(drawn_from("FromClient"))
    def check(message: dict[str, Any]) -> None:
        validator("FromClient").validate(message)
        assert taken(message)

    check()


@repeated
def test_schema_and_server_agree_about_a_wrong_place(drawn_from: Any, validator: Any, anything: Any, count: int) -> None:
    """A field of a message, or of a value in it, has any value, or is missing, or is there though nobody knows it."""
    whole, seen = validator("FromClient"), {True: 0, False: 0}

    @generated(count)
    @given(drawn_from("FromClient"), st.data())
    def check(message: dict[str, Any], data: st.DataObject) -> None:
        places = [one for one in schemas(message) if one] or [message]
        place = data.draw(st.sampled_from(places))
        name = data.draw(st.sampled_from([*(name for name in place if name != "type"), "unknown"]))
        if data.draw(st.booleans()):
            place[name] = data.draw(anything)
        else:
            place.pop(name, None)
        valid = whole.is_valid(message)
        seen[valid] += 1
        assert valid == taken(message), message

    check()
    assert min(seen.values()) > count // 20


@repeated
def test_what_the_schema_draws_for_the_server_a_client_understands(drawn_from: Any, validator: Any, count: int) -> None:
    @generated(count)
    @given(drawn_from("FromServer"))
    def check(message: dict[str, Any]) -> None:
        understood = wire.from_server(json.dumps(message))
        assert understood is not None
        validator("FromServer").validate(json.loads(wire.to_text(understood)))

    check()


HEADERS = {"HeaderFromClient": frames.FROM_CLIENT, "HeaderFromServer": frames.FROM_SERVER}


@repeated
@pytest.mark.parametrize("direction", HEADERS)
def test_headers_of_binary_frames_are_what_the_schema_draws(drawn_from: Any, direction: str, count: int) -> None:
    kinds: dict[str, Any] = HEADERS[direction]

    @generated(count)
    @given(drawn_from(direction))
    def check(header: dict[str, Any]) -> None:
        decode(kinds[header.pop("type")], header, "header")

    check()
