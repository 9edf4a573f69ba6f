from __future__ import annotations

import dataclasses
import json
import typing

import pytest
from acetate.engine import Request
from acetate.protocol import Failure, ProtocolError
from acetate.protocol import messages as wire

BY_HAND = [
    wire.Submit(
        "0123456789abcdef",
        "repaint",
        wire.Parameters(prompt="ein Drachen 🪁", loras=(("ink", 0.8),), prompts={"background": "sky"}),
        wire.Conditions(wire.Placed("0" * 64, -5, 7), wire.Placed("1" * 64)),
        wire.Box(-10, 0, 512, 300),
        "bgra8",
        priority="front",
        keep=False,
    ),
    wire.Attach("0123456789abcdef", (0, 2)),
]


@pytest.mark.parametrize("message", BY_HAND)
def test_a_clients_message_survives_the_wire(message: wire.ClientMessage) -> None:
    assert wire.from_client(wire.to_text(message)) == message


def test_a_servers_message_survives_the_wire() -> None:
    layer = wire.Layer(
        "0123456789abcdef", 0, "a kite (7)", "foreground", 3, 4, 10, 20, wire.Box(0, 0, 64, 64), "rgba8", 800, "0" * 64,
        group=(wire.Group("g", "a kite"),), parameters={"seed": 7, "nested": {"list": [1, 2.5, None]}}, quality={"haze": 0.01},
    )  # fmt: skip
    failed = wire.Failed("0123456789abcdef", Failure("out-of-memory", "8 GB are needed", "Try a smaller size."))
    for message in (layer, failed, wire.History((), True)):
        assert wire.from_server(wire.to_text(message)) == message


def test_every_type_has_its_own_name_in_its_direction() -> None:
    assert len(wire.FROM_CLIENT) == len(typing.get_args(wire.ClientMessage))
    assert len(wire.FROM_SERVER) == len(typing.get_args(wire.ServerMessage))


def test_the_client_passes_over_what_a_newer_server_adds() -> None:
    assert wire.from_server('{"type":"weather","sunny":true}') is None
    assert wire.from_server('{"type":"cancelled","job":"0123456789abcdef","by":"somebody"}') == wire.Cancelled("0123456789abcdef")


def test_a_message_of_64_kib_is_taken_and_a_larger_one_is_not() -> None:
    frame = json.dumps({"type": "jobs"})
    assert wire.from_client(frame + " " * (wire.MAX_TEXT_BYTES - len(frame))) == wire.ListJobs()
    with pytest.raises(ProtocolError, match="65536"):
        wire.from_client(frame + " " * (wire.MAX_TEXT_BYTES - len(frame) + 1))


def test_bytes_count_not_characters() -> None:
    with pytest.raises(ProtocolError, match="65536"):
        wire.from_client(json.dumps({"type": "é" * 40_000}, ensure_ascii=False))


def test_the_parameters_are_the_engines() -> None:
    """Same names, same defaults: whoever leaves a parameter out means the same on both sides."""
    pictures = {"task", "source", "deep_source", "mask", "foreground", "background", "blended", "references"}
    engine = {f.name: f for f in dataclasses.fields(Request) if f.name not in pictures}
    ours = {f.name: f for f in dataclasses.fields(wire.Parameters)}

    assert set(ours) == set(engine)
    asked, known = wire.Parameters(), Request()
    assert {n: getattr(asked, n) for n in ours if n != "model"} == {n: getattr(known, n) for n in ours if n != "model"}


@pytest.mark.parametrize("name", ["sketchpad", "My Model v1.0 (final).safetensors", "模型", "portraits/soft"])
def test_names_from_a_list_are_taken(name: str) -> None:
    assert wire.from_client(json.dumps(submit(model=name))).parameters.model == name  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../b", "a//b", "a/.b", "C:x", "a\\b", "", ".hidden", "a\0b", "a\nb"])
def test_names_that_look_like_paths_are_not(name: str) -> None:
    with pytest.raises(ProtocolError, match="not a path"):
        wire.from_client(json.dumps(submit(model=name)))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"prompts": {"sky": "blue"}}, "unknown layer 'sky'"),
        ({"width": 8192, "height": 8193}, "height is 8193; it must be a whole number from 1 to 8192"),
        ({"loras": [["ink", 11]]}, "weight of LoRA 'ink' is 11; it must be a number from -10 to 10"),
        ({"colour": "red"}, "unknown parameter 'colour'"),
    ],
)
def test_wrong_parameters_are_refused_as_they_come(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        wire.from_client(json.dumps(submit(**parameters)))


def test_upscaling_options_are_plain_values() -> None:
    given = {"mode": "redraw", "tile_width": 512, "uniform": True, "seam_strength": 0.5}
    message = wire.from_client(json.dumps(submit(upscaling=given)))
    assert message.parameters.upscaling == given  # type: ignore[union-attr]
    assert [type(value) for value in message.parameters.upscaling.values()] == [str, int, bool, float]  # type: ignore[union-attr]
    with pytest.raises(ProtocolError, match="upscaling: tile_width"):
        wire.from_client(json.dumps(submit(upscaling={"tile_width": [512]})))


def submit(**parameters: object) -> dict[str, object]:
    return {"type": "submit", "job": "0123456789abcdef", "task": "foreground", "parameters": parameters}


def test_a_layers_name_is_cleaned_and_fails_no_job() -> None:
    text = json.dumps({**submit(), "name": "na\0b\u202e \ud800c"})
    assert wire.from_client(text).name == "nab c"  # type: ignore[union-attr]


def test_names_of_a_server_that_cleans_nothing_are_clean_for_the_editor() -> None:
    group = {"id": "g", "name": "a\0"}
    layer = {"type": "layer", "job": "j", "index": 0, "name": "\x1b[1mb\n", "role": "", "x": 0, "y": 0, "width": 1, "height": 1}
    layer |= {
        "box": {"x": 0, "y": 0, "width": 1, "height": 1},
        "format": "rgba8",
        "bytes": 4,
        "sha256": "0" * 64,
        "group": [group],
    }
    found = wire.from_server(json.dumps(layer))
    assert isinstance(found, wire.Layer) and (found.name, found.group[0].name) == ("[1mb ", "a")


def test_hello_alone_may_say_more_than_is_known() -> None:
    hello = {"type": "hello", "protocol": 1, "client": "a\0b", "session": "a-session", "later": [{}]}
    assert wire.from_client(json.dumps(hello)) == wire.Hello(1, "ab", "a-session")
    with pytest.raises(ProtocolError, match="unknown field 'later'"):
        wire.from_client(json.dumps({"type": "jobs", "later": 1}))
