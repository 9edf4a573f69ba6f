"""Jobs in GIMP from the click to the layer, with the fake GIMP and a client that writes down what it is asked."""

from __future__ import annotations

import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.gimp import canvas, host, jobs
from acetate.plugins.gimp.host import GimpHost, recorded
from acetate.protocol import Box, Finished, Layer, LayerReady, Progress, Queued

from ..bridge.fakes import FakeClient

SIZE = 8, 6


def arrived(job, name="fig (7)", data=None, **more):
    width, height = SIZE
    data = bytes(range(4 * width * height)) if data is None else data
    shape = {"box": Box(0, 0, width, height), "format": "rgba8", "bytes": len(data), "sha256": "0" * 64, "seed": 7}
    return LayerReady(Layer(job, 0, name, "foreground", 0, 0, width, height, **{**shape, **more}), data)


class Desk:
    """An image with one opaque layer, and jobs for it."""

    def __init__(self, gimp):
        self.gimp, self.client = gimp, FakeClient()
        self.jobs = EditorJobs(GimpHost(show=False), lambda: self.client)
        self.image = gimp.Image.new(*SIZE, gimp.ImageBaseType.RGB)
        self.paper = gimp.Layer.new(self.image, "paper", *SIZE, "rgba", 100.0, gimp.LayerMode.NORMAL)
        self.image.insert_layer(self.paper, None, 0)
        self.paper.get_buffer().data[:] = b"\x11\x22\x33\x44" * (SIZE[0] * SIZE[1])
        self.image.steps.clear()

    def generate(self, task="foreground", **more):
        image = more.pop("image", self.image)
        form = Form(task=task, prompt="fig", seed=7, **more)
        layer = self.paper if image is not None else None
        return self.jobs.generate(image, form, lambda: jobs.generation(form, image, layer, layer))

    def finish(self, result, *layers):
        for event in (Queued(result.job, 0), *(layers or [arrived(result.job)]), Finished(result.job, 1, 2.0)):
            self.jobs.take(event)
        return result

    def names(self):
        return [layer.get_name() for layer in self.image.get_layers()]


@pytest.fixture
def desk(gimp):
    return Desk(gimp)


def test_a_result_lies_above_its_layer_in_one_undo_step_and_is_acknowledged(desk):
    result = desk.finish(desk.generate())
    assert (desk.names(), result.made) == (["fig (7)", "paper"], [desk.image.get_layers()[0]])
    assert desk.client.asked("acknowledge") == [((result.job,), {})]
    assert len(desk.image.steps) == 1
    desk.image.undo()
    assert desk.names() == ["paper"]


def test_the_original_is_hidden_in_the_same_undo_step_unless_it_is_to_stay(desk):
    desk.finish(desk.generate("refine", original="keep"))
    assert desk.paper.get_visible()
    desk.finish(desk.generate("refine"))
    assert not desk.paper.get_visible()
    assert len(desk.image.steps) == 2
    desk.image.undo()
    assert desk.paper.get_visible() and len(desk.names()) == 2


def test_a_new_version_takes_over_what_was_done_to_the_old_one(desk, gimp):
    desk.paper.set_mode(gimp.LayerMode.MULTIPLY)
    desk.paper.set_opacity(40.0)
    desk.paper.set_color_tag("blue")
    desk.paper.set_lock_alpha(True)
    (layer,) = desk.finish(desk.generate("refine")).made
    assert (layer.get_mode(), layer.get_opacity()) == (gimp.LayerMode.MULTIPLY, 40.0)
    assert (layer.get_color_tag(), layer.get_lock_alpha()) == ("blue", True)
    (other,) = desk.finish(desk.generate()).made
    assert (other.get_opacity(), other.get_color_tag()) == (100.0, None), "a new layer is no version of another"


def test_a_larger_layer_lets_the_canvas_grow_or_says_that_it_reaches_beyond(desk):
    for grows, said, size in ((False, "reaches beyond the canvas", SIZE), (True, "", (16, 12))):
        result = desk.generate("upscale", grows=grows)
        desk.finish(result, arrived(result.job, box=Box(0, 0, 16, 12)))
        assert said in " ".join(result.remarks) and bool(said) == bool(result.remarks)
        assert desk.image.size == size


def test_it_is_said_once_that_a_model_draws_in_eight_bits(desk, gimp):
    desk.image.precision = gimp.Precision.FLOAT_LINEAR
    assert ["8-bit sRGB" in " ".join(desk.finish(desk.generate("refine")).remarks) for _ in range(2)] == [True, False]


def test_an_insertion_that_fails_closes_its_undo_step_and_is_not_acknowledged(desk, caplog):
    result = desk.generate()
    desk.finish(result, arrived(result.job, data=bytes(7)))
    assert isinstance(result.error, ValueError) and "7 bytes" in caplog.text
    assert not desk.image.undo_group_end(), "the undo group was never closed"
    assert (desk.names(), desk.client.asked("acknowledge")) == (["paper"], [])


def test_a_repaint_sends_layer_and_selection_and_gets_back_what_was_not_selected(desk, gimp):
    desk.image.select_rectangle(gimp.ChannelOps.REPLACE, 2, 1, 3, 2)
    result = desk.generate("repaint")
    pictures = desk.client.asked("submit")[0][0][2]
    assert {name: one.content.format for name, one in pictures.items()} == {"source": "rgba8", "mask": "gray8"}
    desk.finish(result)
    (layer,) = result.made
    data, sent = bytes(layer.get_buffer().data), arrived("?").data
    inside = [i for i in range(0, len(data), 4) if data[i : i + 4] == sent[i : i + 4]]
    assert inside == [4 * (8 * y + x) for y in (1, 2) for x in (2, 3, 4)]
    assert all(data[i : i + 4] == b"\x11\x22\x33\x44" for i in range(0, len(data), 4) if i not in inside)


def test_a_repaint_of_nothing_is_refused(desk):
    with pytest.raises(RefusedError, match="No part of the layer is selected"):
        desk.generate("repaint")
    assert desk.client.asked("submit") == []


def test_a_background_lies_below_its_layer(desk):
    desk.finish(desk.generate("background"))
    assert desk.names() == ["paper", "fig (7)"]


def test_an_image_with_a_palette_becomes_rgb_in_the_same_undo_step(desk, gimp):
    desk.image.base = gimp.ImageBaseType.INDEXED
    desk.finish(desk.generate())
    assert (desk.image.get_base_type(), len(desk.image.steps)) == (gimp.ImageBaseType.RGB, 1)
    desk.image.undo()
    assert (desk.image.get_base_type(), desk.names()) == (gimp.ImageBaseType.INDEXED, ["paper"])


@pytest.mark.parametrize("closed", [True, False])
def test_without_its_image_a_result_gets_one_of_its_own(desk, closed):
    result = desk.generate() if closed else desk.generate(image=None)
    desk.image.delete()
    desk.finish(result)
    (layer,) = result.made
    assert layer.get_image() is not desk.image and layer.get_image().size == SIZE
    assert canvas.attached(layer)["task"] == "foreground"
    assert layer.get_image().steps == [] and desk.client.asked("acknowledge")


def test_a_floating_selection_is_refused_before_anything_is_read(desk):
    desk.image.floating = desk.paper
    with pytest.raises(RefusedError, match="floating selection"):
        desk.generate()
    assert desk.client.calls == []


def test_progress_is_shown_once_for_each_change_and_ended(desk, gimp):
    result = desk.generate()
    desk.jobs.take(Queued(result.job, 0))
    for _ in range(3):
        desk.jobs.tick()
    desk.jobs.take(Progress(result.job, "denoise", 1, 2, 0.5))
    desk.jobs.tick()
    desk.finish(result)
    assert gimp.shown == [
        ("progress_init", "Acetate"),
        ("progress_set_text", "Looking for the server"),
        ("progress_pulse",),
        ("progress_set_text", "Waiting to start"),
        ("progress_pulse",),
        ("progress_set_text", "Drawing, step 1 of 2"),
        ("progress_update", 0.5),
        ("progress_set_text", "Inserting"),
        ("progress_update", 0.5),
        ("progress_end",),
        ("displays_flush",),
    ]


def test_a_layer_keeps_what_it_was_made_from_and_where_it_can_be_repeated(desk):
    made = desk.finish(desk.generate("refine")).made + desk.finish(desk.generate()).made
    refined, drawn = map(canvas.attached, made)
    assert refined["made_from"] == desk.paper.get_tattoo() and "box" not in refined
    assert (drawn["task"], drawn["box"], drawn["seed"], drawn["acetate"]) == ("foreground", [0, 0, *SIZE], 7, 1)


def test_what_a_layer_warns_of_is_kept_on_it(desk):
    from acetate.plugins.bridge.stack import Sheet

    assert "warnings" not in recorded({}, Sheet("fig", arrived("?")))
    assert recorded({}, Sheet("fig", arrived("?", warnings=("hazy",))))["warnings"] == ["hazy"]


def test_a_window_goes_on_while_a_picture_is_read(desk, monkeypatch):
    turns = []
    monkeypatch.setattr(host.GLib, "idle_add", lambda function, *given: turns.append((function, given)))
    desk.jobs = EditorJobs(GimpHost(show=False, windowed=True), lambda: desk.client)
    desk.generate("refine")
    ((turn, given),) = turns
    assert desk.client.asked("submit") == [], "nothing is read before the window has its turn"
    while turn(*given):
        pass
    assert len(desk.client.asked("submit")) == 1
    assert desk.gimp.shown == [], "nor does GIMP's status bar offer a Cancel that kills the window"
