"""Anything at all on the parsers: they return a message or raise `ProtocolError`, and nothing else ever happens."""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import pytest
from acetate.protocol import ProtocolError
from acetate.protocol import messages as wire
from acetate.protocol.frames import UploadPart, pack_header, unpack, unpack_upload
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES, SOAK_EXAMPLES = 60, 50_000
"""Inputs per test: 100,000 from hypothesis in the soak, and as many mutated ones on a real server in `tests/e2e/test_fuzz.py`."""

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
names = st.sampled_from(
    sorted({name for cls in wire.FROM_CLIENT.values() for name in cls.__dataclass_fields__} | {"x", "y", "prompt", "loras"})
)
nearly = st.fixed_dictionaries(
    {"type": st.sampled_from([*wire.FROM_CLIENT, "nonsense", ""])},
    optional={
        "job": st.from_regex(r"[a-z0-9]{8,12}", fullmatch=True) | values,
        "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True) | values,
        "parameters": st.dictionaries(names, values, max_size=5),
        "conditions": st.dictionaries(names, values, max_size=3),
        "box": st.dictionaries(st.sampled_from(["x", "y", "width", "height"]), values),
    },
)


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


texts = st.text() | values.map(dumped) | nearly.map(dumped) | st.tuples(nearly, st.dictionaries(names, values)).map(
    lambda both: dumped({**both[0], **both[1]})
)  # fmt: skip
sha256 = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
headers = st.builds(UploadPart, sha256, st.integers(0, 2**40), st.integers(0, 2**21), st.sampled_from(["raw", "zlib"]))
frames = (
    st.binary()
    | st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=200)).map(lambda both: struct.pack(">I", both[0]) + both[1])
    | st.tuples(headers, st.binary(max_size=100)).map(lambda both: pack_header(both[0]) + both[1])
    | st.tuples(texts, st.binary(max_size=50)).map(
        lambda both: struct.pack(">I", len(both[0].encode(errors="replace"))) + both[0].encode(errors="replace") + both[1]
    )
)


def read_text(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        message = wire.from_client(text)
        assert wire.from_client(wire.to_text(message)) == message, "what was understood can be said again"
    with contextlib.suppress(ProtocolError):
        wire.from_server(text)


def read_frame(frame: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        unpack_upload(frame)
    with contextlib.suppress(ProtocolError):
        unpack(frame)


def with_examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("count", [EXAMPLES, pytest.param(SOAK_EXAMPLES, marks=pytest.mark.soak)])
def test_any_text_is_a_message_or_a_named_refusal(count: int) -> None:
    with_examples(count)(given(texts)(read_text))()


@pytest.mark.parametrize("count", [EXAMPLES, pytest.param(SOAK_EXAMPLES, marks=pytest.mark.soak)])
def test_any_frame_is_a_part_or_a_named_refusal(count: int) -> None:
    with_examples(count)(given(frames)(read_frame))()
