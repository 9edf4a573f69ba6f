from __future__ import annotations

import json
from typing import Any

import pytest
from acetate.server.schemas import asyncapi, json_schema, typescript


def test_the_schema_of_the_messages_is_printed(acetate: Any) -> None:
    assert json.loads(acetate("protocol").out) == json_schema.document()


@pytest.mark.parametrize(("form", "document"), [("json-schema", json_schema.document), ("asyncapi", asyncapi.document)])
def test_each_form_is_printed_when_asked_for(acetate: Any, form: str, document: Any) -> None:
    code, out, err = acetate("protocol", "--schema", form)

    assert (code, json.loads(out), err) == (0, document(), "")


def test_types_for_typescript_are_printed_as_they_are(acetate: Any) -> None:
    assert acetate("protocol", "--schema", "typescript").out == typescript.document()


def test_another_form_is_refused_by_name(acetate: Any) -> None:
    code, _, err = acetate("protocol", "--schema", "wsdl")

    assert code == 2 and "--schema is 'wsdl'; it must be one of" in err
