from __future__ import annotations

import struct
from typing import Any

import pytest
from acetate.protocol.messages import MAX_TEXT_BYTES
from acetate.protocol.salvage import told_by

HUGE = "9" * 400


def frame(header: str, announced: int | None = None) -> bytes:
    body = header.encode()
    return struct.pack(">I", len(body) if announced is None else announced) + body + b"\xff\x00" * 20


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"submit","job":"job-0001","parameters":{"strength":NaN}}',
        '{"parameters":{"strength":-Infinity},"type":"submit","job":"job-0001"}',
        '{"type":"submit","parameters":{"seed":1' + HUGE + '},"job":"job-0001"}',
        '{"type":"submit","job":"job-0001","seed":1e999}',
        '{"type":"submit","job":"job-0001","task":"a","task":"b"}',
        '{"type":"submit","job":"job-0001","job":"job-0001"}',
        '{"type":"submit","job":"job-0001","x":' + "[" * 50_000,
        ' { "type" : "submit" , "job" : "job-0001" , "parameters": {',
        '{"type":"submit","job":"job-0001","task":',
        '{"type":"submit","keep":true,"n":-1.5,"job":"job-0001", oops',
        '{"type":"submit","job":"job-0001","parameters":{"prompt":"' + "x" * MAX_TEXT_BYTES + '"}}',
    ],
)
def test_a_damaged_message_still_tells_its_type_and_its_job(text: str) -> None:
    told = told_by(text)

    assert (told["type"], told["job"]) == ("submit", "job-0001")


@pytest.mark.parametrize(
    ("text", "job"),
    [
        ('{"type":"submit","job":"job-0001","job":"job-0002"}', None),
        ('{"type":"submit","parameters":{"job":"job-0003"', None),
        ('{"type":"submit","task":"say \\"job\\":\\"job-0003\\"","job":', None),
        ('"job":"job-0004"', None),
        ("[1]", None),
        ("", None),
        ("\udc80", None),
    ],
)
def test_what_is_in_doubt_is_not_told(text: str, job: Any) -> None:
    assert told_by(text).get("job") == job


@pytest.mark.parametrize("announced", [None, 10**6, 0])
def test_a_damaged_part_still_tells_its_picture(announced: int | None) -> None:
    assert told_by(frame('{"type":"upload","sha256":"abc","offset":' + HUGE + "}", announced))["sha256"] == "abc"


def test_a_long_text_is_read_in_one_pass() -> None:
    """Nothing of a client may keep the others waiting: the pattern never goes back over what it has read."""
    assert told_by('{"a":"' + "\\\\" * 500_000) == {}
    assert told_by('{"a":1,' * 9000) == {}
