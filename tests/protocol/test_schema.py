from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from acetate.protocol import ProtocolError
from acetate.protocol.annotations import AtMost, Between, Matching
from acetate.protocol.schema import decode, dump, encode, parse


@dataclass(frozen=True)
class Inner:
    x: int
    y: int = 0


@dataclass(frozen=True)
class Sample:
    name: Annotated[str, Matching("[a-z]+", "lower-case letters")]
    count: Annotated[int, Between(1, 10)] = 1
    share: float | None = None
    kind: Literal["a", "b", 3] = "a"
    pair: tuple[str, float] = ("", 0.0)
    many: Annotated[tuple[Inner, ...], AtMost(2)] = ()
    table: Mapping[str, int] = field(default_factory=dict)
    on: bool = False
    anything: Any = None


FULL = Sample("abc", 3, 0.5, 3, ("x", 1.5), (Inner(1), Inner(2, 3)), {"k": 1}, True, [1, {"a": None}])


def test_a_value_survives_the_way_there_and_back() -> None:
    assert decode(Sample, json.loads(dump(encode(FULL))), "sample") == FULL


def test_defaults_are_not_sent() -> None:
    assert encode(Sample("abc")) == {"name": "abc"}
    assert encode(Inner(0)) == {"x": 0}, "a required field is sent whatever its value"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 5}, "sample.name is 5; it must be a text"),
        ({"name": "ABC"}, "sample.name is 'ABC'; it must be lower-case letters"),
        ({"name": "abc\n"}, "lower-case letters"),
        ({"name": "\ud800"}, "surrogate"),
        ({"count": 11}, "sample.count is 11; it must be a number from 1 to 10"),
        ({"count": True}, "sample.count is True; it must be an integer"),
        ({"count": 1.0}, "an integer"),
        ({"count": None}, "an integer"),
        ({"share": "x"}, "a finite number"),
        ({"share": float("nan")}, "a finite number"),
        ({"kind": "c"}, "one of a, b, 3"),
        ({"kind": 3.0}, "one of a, b, 3"),
        ({"pair": ["x"]}, "a list of 2"),
        ({"many": [{"x": 1}, {"x": 1}, {"x": 1}]}, "sample.many has a length of 3; at most 2"),
        ({"many": [{"x": 1, "z": 2}]}, "sample.many[0] has the unknown field 'z'; known are x, y"),
        ({"many": [{}]}, "sample.many[0] lacks 'x'"),
        ({"many": [5]}, "a JSON object"),
        ({"table": {"k": "v"}}, "sample.table.k is 'v'"),
        ({"table": []}, "a JSON object"),
        ({"on": 1}, "true or false"),
        ({"extra": 1}, "unknown field 'extra'"),
        ({"name": "x" * 500 + "!"}, "..."),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProtocolError) as error:
        decode(Sample, {"name": "abc", **change}, "sample")
    assert said in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("count", [1, 10])
def test_a_range_includes_its_ends(count: int) -> None:
    assert decode(Sample, {"name": "abc", "count": count}, "sample").count == count


def test_the_older_side_ignores_what_the_newer_one_adds() -> None:
    assert decode(Sample, {"name": "abc", "extra": 1, "many": [{"x": 1, "z": 2}]}, "sample", strict=False).many == (Inner(1),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested"),
        ('{"a":' * 50_000, "nested"),
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ('{"a":NaN}', "NaN"),
        ('{"a":-Infinity}', "Infinity"),
        ('{"a":1e999}', "not finite"),
        ('{"a":' + "1" * 5000 + "}", "64 bits"),
        ('{"a":-' + "9" * 19 + "}", "64 bits"),
        ('{"a":1,"a":2}', "twice"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_hostile_json_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        parse(text)


def test_the_largest_numbers_of_64_bits_are_taken() -> None:
    assert parse('{"a":9223372036854775807,"b":-9223372036854775807}')["a"] == 2**63 - 1
