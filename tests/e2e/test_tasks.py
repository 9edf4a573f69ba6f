"""Every task and every event, through a real server process and the client."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from acetate.protocol import (
    Box,
    Cancelled,
    Client,
    Condition,
    Connected,
    Engine,
    Failed,
    Finished,
    Image,
    LayerReady,
    Parameters,
    Preview,
    Progress,
    Queued,
    Receiving,
    Started,
)
from acetate.vocabulary.tasks import TASKS


@pytest.fixture
def server(shared_server: Any) -> Any:
    return shared_server


SOURCE = np.random.default_rng(3).integers(0, 256, (20, 30, 4), dtype=np.uint8)
SOURCE[:4] = 0
MASK = np.zeros((20, 30), np.uint8)
MASK[5:15, 5:25] = 255


def picture(rgba: np.ndarray = SOURCE) -> Image:
    return Image(rgba.shape[1], rgba.shape[0], "rgba8", rgba.tobytes())


def conditions(task: str) -> dict[str, Condition]:
    found = {need: Condition(picture()) for need in TASKS[task].conditions}
    if "mask" in found:
        found["mask"] = Condition(Image(30, 20, "gray8", MASK.tobytes()))
    return found


def pixels(event: LayerReady) -> np.ndarray:
    return np.frombuffer(event.data, np.uint8).reshape(event.layer.height, event.layer.width, 4)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_brings_the_engines_layers_byte_for_byte(client: Client, drawn: Any, task: str) -> None:
    arrays: dict[str, Any] = {need: SOURCE for need in TASKS[task].conditions}
    if "mask" in arrays:
        arrays["mask"] = MASK
    expected = drawn(task=task, prompt="a kite", seed=5, count=2, **arrays)

    asked = Parameters(prompt="a kite", seed=5, count=2)
    events = list(client.run(task, asked, conditions(task), crop=False, timeout=120))
    layers = [event for event in events if isinstance(event, LayerReady)]

    assert isinstance(events[-1], Finished) and events[-1].layers == len(expected)
    assert [(event.layer.role, event.layer.seed, event.layer.picture) for event in layers] == [
        (picture.role, picture.seed, picture.index) for picture in expected
    ]
    for event, picture_ in zip(layers, expected, strict=True):
        assert np.array_equal(pixels(event), picture_.rgba)


def test_events_come_in_their_order(client: Client, server: Any) -> None:
    """The job waits at its gate until progress was heard: on a busy machine a quick job's may be left out."""
    kinds = []
    for event in client.run("foreground", Parameters(prompt="a kite @gate:heard"), timeout=120):
        kinds.append(type(event))
        if isinstance(event, Progress):
            server.open_gate("heard")

    assert kinds[:2] == [Queued, Started]
    assert set(kinds[2:-2]) == {Progress}
    assert kinds[-2:] == [LayerReady, Finished]


def test_a_job_shows_what_it_becomes(client: Client, until: Any) -> None:
    """It goes on until a preview was made: one costs at most 2 % of the time so far, whatever else the machine does."""
    job = client.submit("foreground", Parameters(prompt="a kite @sleep:0.05", seed=9, steps=1000))
    preview = until(client, lambda event: isinstance(event, Preview))[-1]
    client.cancel(job)
    until(client, lambda event: isinstance(event, Cancelled))

    assert (preview.image.width, preview.image.height, preview.image.data[:4]) == (8, 8, bytes((9, 90, 120, 200)))


def test_a_layer_is_cropped_to_its_alpha_and_placed_on_the_canvas(client: Client, drawn: Any) -> None:
    (whole,) = drawn(prompt="a kite", width=50, height=40)
    (event,) = [
        event
        for event in client.run("foreground", Parameters(prompt="a kite"), box=Box(-10, 100, 50, 40), timeout=120)
        if isinstance(event, LayerReady)
    ]
    layer = event.layer
    left, top = layer.x - layer.box.x, layer.y - layer.box.y

    assert layer.box == Box(-10, 100, 50, 40)
    assert np.array_equal(pixels(event), whole.rgba[top : top + layer.height, left : left + layer.width])
    outside = whole.rgba[..., 3].copy()
    outside[top : top + layer.height, left : left + layer.width] = 0
    assert not outside.any()


def test_an_empty_layer_arrives_without_pixels(client: Client) -> None:
    (event,) = [e for e in client.run("foreground", Parameters(prompt="@empty"), timeout=120) if isinstance(e, LayerReady)]

    assert (event.layer.width, event.layer.height, event.data) == (0, 0, b"")


def test_a_result_of_another_size_is_brought_to_the_box(client: Client) -> None:
    parameters = Parameters(prompt="a kite", width=32, height=32)
    (event,) = [
        e
        for e in client.run("foreground", parameters, box=Box(0, 0, 90, 60), crop=False, timeout=120)
        if isinstance(e, LayerReady)
    ]

    assert (event.layer.width, event.layer.height) == (90, 60)


def test_conditions_are_cut_to_the_box_on_the_canvas(client: Client, drawn: Any) -> None:
    """The source lies at (100, 50); the box covers its right part and 8 columns beyond."""
    cut = np.zeros((20, 20, 4), np.uint8)
    cut[:, :12] = SOURCE[:, 18:]
    (expected,) = drawn(task="refine", prompt="a kite", source=cut)
    given = {"source": Condition(picture(), 100, 50)}

    events = client.run("refine", Parameters(prompt="a kite"), given, box=Box(118, 50, 20, 20), crop=False, timeout=120)
    (event,) = [event for event in events if isinstance(event, LayerReady)]

    assert np.array_equal(pixels(event), expected.rgba)


def test_a_mask_is_placed_on_its_own(client: Client) -> None:
    """A 4 x 4 selection at (110, 60): outside it the source is untouched, bit for bit."""
    given = {
        "source": Condition(picture(), 100, 50),
        "mask": Condition(Image(4, 4, "gray8", b"\xff" * 16), 110, 60),
    }
    events = client.run("repaint", Parameters(prompt="a kite"), given, crop=False, timeout=120)
    (event,) = [event for event in events if isinstance(event, LayerReady)]
    changed = (pixels(event) != SOURCE).any(axis=2)

    assert changed.any()
    changed[10:14, 10:14] = False
    assert not changed.any()


def test_candidates_come_as_a_group_whose_first_is_visible(client: Client) -> None:
    events = client.run("foreground", Parameters(prompt="a red\napple", seed=7, count=3), timeout=120)
    layers = [event.layer for event in events if isinstance(event, LayerReady)]

    assert [layer.name for layer in layers] == ["a red apple (7)", "a red apple (8)", "a red apple (9)"]
    assert [layer.visible for layer in layers] == [True, False, False]
    assert [layer.order for layer in layers] == [2, 1, 0], "the first one lies on top"
    assert {tuple(group.name for group in layer.group) for layer in layers} == {("a red apple",)}


def test_a_scene_comes_as_a_group_with_its_blended_picture_hidden(client: Client) -> None:
    events = client.run("scene", Parameters(prompt="a boat", seed=4), timeout=120)
    layers = sorted((event.layer for event in events if isinstance(event, LayerReady)), key=lambda layer: layer.order)

    assert [layer.name for layer in layers] == ["Background", "Foreground", "Blended"]
    assert [layer.visible for layer in layers] == [True, True, False]
    assert [layer.group[0].name for layer in layers] == ["a boat (4)"] * 3


@pytest.mark.parametrize(
    ("format", "dtype", "expected"),
    [
        ("bgra8", "u1", lambda rgba: rgba[..., [2, 1, 0, 3]]),
        ("rgba16", "<u2", lambda rgba: rgba.astype(np.uint16) * 257),
    ],
)
def test_layers_come_in_the_clients_format(server: Any, drawn: Any, format: str, dtype: str, expected: Any) -> None:
    (whole,) = drawn(prompt="a kite")
    with Client("test", address=server.address, formats=[format]) as client:
        events = client.run("foreground", Parameters(prompt="a kite"), crop=False, timeout=120)
        (event,) = [event for event in events if isinstance(event, LayerReady)]

    found = np.frombuffer(event.data, dtype).reshape(64, 64, 4)
    assert event.layer.format == format
    assert np.array_equal(found, expected(whole.rgba))


def test_a_float_layer_is_linear_and_comes_back_as_the_same_8_bit(server: Any, drawn: Any) -> None:
    (whole,) = drawn(prompt="a kite")
    with Client("test", address=server.address, formats=["rgbaf32"]) as client:
        (event,) = [
            e for e in client.run("foreground", Parameters(prompt="a kite"), crop=False, timeout=120) if isinstance(e, LayerReady)
        ]
        linear = np.frombuffer(event.data, "<f4").reshape(64, 64, 4)
        given = {"source": Condition(Image(64, 64, "rgbaf32", event.data))}
        back = [
            e for e in client.run("upscale", Parameters(scale=1), given, crop=False, timeout=120) if isinstance(e, LayerReady)
        ]

    srgb = whole.rgba[..., :3] / 255
    assert linear[..., :3] == pytest.approx(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4), abs=1e-6)
    assert linear[..., 3] == pytest.approx(whole.rgba[..., 3] / 255)
    result = np.frombuffer(back[0].data, "<f4").reshape(64, 64, 4)
    assert result == pytest.approx(linear, abs=1e-6)


def test_a_zlib_connection_brings_the_same_pixels(server: Any, drawn: Any) -> None:
    (whole,) = drawn(prompt="@big:700")
    with Client("test", address=server.address, encodings=["zlib"]) as client:
        assert client.welcome is not None and client.welcome.encoding == "zlib"
        events = list(client.run("foreground", Parameters(prompt="@big:700"), timeout=120))
    (event,) = [event for event in events if isinstance(event, LayerReady)]

    assert np.array_equal(pixels(event), whole.rgba)
    assert any(isinstance(event, Receiving) for event in events)


def test_what_the_engine_can_do_is_announced(client: Client, until: Any) -> None:
    engine = client.welcome.engine if client.welcome else None
    if engine is None or engine.state != "ready":
        engine = until(client, lambda event: isinstance(event, Engine) and event.state == "ready")[-1]

    assert engine.models[0]["name"] == "sketchpad"
    assert set(engine.tasks) == set(TASKS)
    assert engine.tasks["repaint"]["conditions"] == ["source", "mask"]


def test_a_job_is_cancelled_between_two_steps(client: Client, until: Any) -> None:
    """Long before its end; that it is the very next step, `tests/server/worker/test_process.py` shows."""
    job = client.submit("foreground", Parameters(prompt="@sleep:0.2", steps=1000))
    until(client, lambda event: isinstance(event, Progress) and event.stage == "denoise")
    client.cancel(job)
    after = until(client, lambda event: isinstance(event, (Cancelled, Failed, Finished)))

    assert isinstance(after[-1], Cancelled)
    assert all(event.step < event.steps / 2 for event in after if isinstance(event, Progress))


def test_a_waiting_job_is_cancelled_at_once(client: Client, server: Any, until: Any) -> None:
    first = client.submit("foreground", Parameters(prompt="@gate:go"))
    second = client.submit("foreground", Parameters(prompt="never"))
    client.cancel(second)
    until(client, lambda event: isinstance(event, Cancelled) and event.job == second)
    server.open_gate("go")

    until(client, lambda event: isinstance(event, Finished) and event.job == first)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("@oom:denoise", "out-of-memory"),
        ("@bad:load", "bad-request"),
        ("@nan:decode", "numeric-failure"),
        ("@bug:encode", "internal"),
        ("@disk:decode", "disk-full"),
        ("@exit:denoise", "worker-crashed"),
    ],
)
def test_a_failure_has_its_code_and_the_next_job_runs(client: Client, prompt: str, code: str) -> None:
    failed = list(client.run("foreground", Parameters(prompt=prompt), timeout=120))[-1]
    after = list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1]

    assert isinstance(failed, Failed) and failed.failure.code == code and failed.failure.message
    assert isinstance(after, Finished)


def test_pictures_with_nan_are_refused_by_name(client: Client) -> None:
    data = np.full((4, 4, 4), np.nan, "<f4").tobytes()
    last = list(client.run("refine", Parameters(), {"source": Condition(Image(4, 4, "rgbaf32", data))}, timeout=120))[-1]

    assert isinstance(last, Failed) and "source holds NaN" in last.failure.message


def test_connected_is_the_first_event(client: Client) -> None:
    assert isinstance(client.events.get(timeout=60), Connected)


@pytest.mark.parametrize("wrong", [Parameters(steps=5000), Parameters(model="../x"), Parameters(prompt="x" * 10_001)])
def test_parameters_that_the_protocol_refuses_fail_their_job(client: Client, wrong: Parameters) -> None:
    last = list(client.run("foreground", wrong, timeout=120))[-1]

    assert isinstance(last, Failed) and last.failure.code in ("bad-message", "too-large")


def test_a_task_that_does_not_exist_fails_its_job(client: Client) -> None:
    last = list(client.run("paint", timeout=120))[-1]

    assert isinstance(last, Failed) and "'paint'" in last.failure.message
