import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import DocumentClosedError, JobPlan, RefusedError, UnwantedError
from acetate.plugins.bridge.job import insertion
from acetate.plugins.bridge.job_status import JobStatus
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.krita import canvas
from acetate.plugins.krita.forms import remembering
from acetate.plugins.krita.host import KritaHost
from acetate.plugins.krita.inserting import records
from acetate.plugins.krita.inserting.records import made_with
from acetate.protocol import Box, Group, Layer, LayerReady


def ready(data=bytes(range(16)), **more):
    layer = Layer(
        "job-0001", 0, "fig (7)", "foreground", 3, 4, 2, 2, Box(0, 0, 8, 8), "bgra8", len(data), "0" * 64, seed=7,
        parameters={"prompt": "fig", "seed": 7}, **more,
    )  # fmt: skip
    return LayerReady(layer, data)


@pytest.fixture
def document(app):
    made = app.createDocument(40, 30)
    made.setActiveNode(made.topLevelNodes()[0])
    return made


def result(document, *layers, **more):
    plan = JobPlan(anchor=canvas.identity(document.topLevelNodes()[0]), **more)
    status = JobStatus("job-0001", layers=list(layers or [ready()]))
    return PendingResult(status, document, plan, Form(prompt="fig", seed=7))


def inserted(app, one):
    work = insertion(KritaHost(app), one)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def test_the_result_lies_above_the_layer_that_was_active_and_is_active_itself(app, document):
    node = inserted(app, result(document))
    assert [one.name() for one in document.topLevelNodes()] == ["Background", "fig (7)"]
    assert document.activeNode() is node is document.topLevelNodes()[1]


def test_an_artist_who_went_on_stays_where_he_is(app, document):
    other = document.createNode("other", "paintlayer")
    document.rootNode().addChildNode(other, None)
    document.setActiveNode(other)
    node = inserted(app, result(document))
    assert document.activeNode() is other and node is not other


def test_so_does_one_who_has_painted_on_the_same_layer(app, document, monkeypatch):
    monkeypatch.setattr(KritaHost, "moment", lambda self, document: 2)
    mine = document.activeNode()
    inserted(app, result(document, moment=1))
    assert document.activeNode() is mine
    node = inserted(app, result(document, moment=2))
    assert document.activeNode() is node


def test_so_he_does_where_krita_makes_the_new_layer_active_at_once(app, document, monkeypatch):
    """As Krita 5.3 may."""
    root, other = document.rootNode(), document.createNode("other", "paintlayer")
    root.addChildNode(other, None)
    document.setActiveNode(other)
    add = root.addChildNode
    monkeypatch.setattr(root, "addChildNode", lambda node, above: add(node, above) and document.setActiveNode(node))
    inserted(app, result(document))
    assert document.activeNode() is other


def test_the_document_remembers_the_form_and_what_made_the_layer(app, document):
    node = inserted(app, result(document))
    assert made_with(document, node) == {"prompt": "fig", "seed": 7, "task": "foreground"}
    assert remembering.remembered(document)["form"] == Form(prompt="fig", seed=7).to_json()
    assert made_with(document, document.topLevelNodes()[0]) == {}


def candidate(number):
    made_by = {"prompt": f"fig {number}", "seed": number}
    shape = {"x": 3, "y": 4, "width": 2, "height": 2, "box": Box(0, 0, 8, 8), "format": "bgra8", "bytes": 16, "sha256": "0" * 64}
    group = (Group("figs", "figs"),)
    stack = {"group": group, "picture": number, "order": 1 - number}
    layer = Layer("job-0001", number, f"fig {number}", "foreground", **shape, **stack, parameters=made_by)
    return LayerReady(layer, bytes(range(16)))


def test_every_layer_of_a_group_is_remembered_with_its_own_parameters_and_the_group_with_the_uppermost(app, document):
    group = inserted(app, result(document, candidate(0), candidate(1)))
    lower, upper = group.childNodes()
    assert [one.name() for one in (group, lower, upper)] == ["figs", "fig 1", "fig 0"]
    assert [made_with(document, one)["seed"] for one in (group, lower, upper)] == [0, 1, 0]


def test_only_the_newest_layers_are_remembered(app, document, monkeypatch):
    monkeypatch.setattr(records, "REMEMBERED_LAYERS", 2)
    nodes = [inserted(app, result(document)) for _ in range(3)]
    assert [bool(made_with(document, node)) for node in nodes] == [False, True, True]


def test_a_replaced_layer_is_gone(app, document):
    old = inserted(app, result(document))
    inserted(app, result(document, version_of=canvas.identity(old), original="replace"))
    assert len(document.topLevelNodes()) == 2
    assert old not in document.topLevelNodes()


def test_between_both_undo_steps_of_a_replacement_the_old_and_the_new_layer_are_there(app, document, krita):
    """What `replacing` looks for, to undo the second half as well."""
    old = inserted(app, result(document))
    new = inserted(app, result(document, version_of=canvas.identity(old), original="replace"))
    pair = {canvas.identity(old), canvas.identity(new)}
    there = []
    for step in (lambda: None, lambda: krita.undo(document), lambda: krita.undo(document)):
        step()
        there.append(sum(canvas.find(document, one) is not None for one in pair))
    assert there == [1, 2, 1]


def test_an_empty_result_is_refused_in_words(app, document):
    with pytest.raises(RefusedError, match="empty"):
        inserted(app, result(document, ready(b"")))
    assert len(document.topLevelNodes()) == 1


def test_a_closed_document_gets_nothing(app, document):
    document.close()
    with pytest.raises(DocumentClosedError):
        inserted(app, PendingResult(JobStatus("job-0001", layers=[ready()]), document))


def test_a_background_of_the_lowest_layer_lies_above_it_and_says_so(app, document):
    lowest = canvas.identity(document.topLevelNodes()[0])
    one = result(document, below=lowest)
    inserted(app, one)
    assert [node.name() for node in document.topLevelNodes()] == ["Background", "fig (7)"]
    assert "Drag it down" in " ".join(one.notes)


def test_a_document_that_is_closed_while_the_layer_is_added_is_not_touched_any_more(app, document, monkeypatch):
    root = document.rootNode()
    add = root.addChildNode
    monkeypatch.setattr(root, "addChildNode", lambda node, above: add(node, above) and document.close())
    monkeypatch.setattr(document, "setAnnotation", lambda *_: pytest.fail("Krita would die of this"))
    with pytest.raises(DocumentClosedError):
        inserted(app, result(document))


def test_layers_without_parameters_leave_no_record(app, document):
    one = result(document)
    layer = one.status.layers[0].layer
    one.status.layers = [LayerReady(Layer(**{**vars(layer), "parameters": {}}), one.status.layers[0].data)]
    inserted(app, one)
    assert remembering.remembered(document) == {}


# --- new versions ----------------------------------------------------------------------------------------------------


def old_layer(document):
    node = document.createNode("shadow", "paintlayer")
    node.setPixelData(bytes(range(1, 65)) * 3, 2, 3, 8, 6)
    node.setBlendingMode("multiply")
    node.setOpacity(100)
    node.setColorLabel(3)
    node.setInheritAlpha(True)
    document.rootNode().addChildNode(node, None)
    document.setActiveNode(node)
    return node


def version(document, old, **more):
    plan = {"anchor": canvas.identity(old), "version_of": canvas.identity(old), "original": "hide", **more}
    one = result(document)
    return PendingResult(one.status, document, JobPlan(**plan), Form(task="refine", prompt="fig"))


def test_a_new_version_has_everything_of_the_old_one_but_its_pixels(app, document):
    old = old_layer(document)
    mask = document.createTransparencyMask("half")
    old.setChildNodes([mask])
    new = inserted(app, version(document, old))
    kept = ("name", "blendingMode", "opacity", "colorLabel", "inheritAlpha")
    assert [getattr(new, one)() for one in kept] == [getattr(old, one)() for one in kept]
    assert [one.name() for one in new.childNodes()] == ["half"] and new.childNodes()[0] is not mask
    assert new.pixelData(3, 4, 2, 2) == bytes(range(16)) and not any(new.pixelData(2, 3, 1, 6))
    assert (old.visible(), new.visible()) == (False, True)
    assert document.topLevelNodes()[1:] == [old, new]


def test_several_layers_become_a_version_as_a_group_that_has_them(app, document):
    old = old_layer(document)
    one = version(document, old)
    one.status.layers = [candidate(0), candidate(1)]
    group = inserted(app, one)
    assert (group.type(), group.name(), group.blendingMode(), group.opacity()) == ("grouplayer", "shadow", "multiply", 100)
    assert [node.blendingMode() for node in group.childNodes()] == ["normal", "normal"]


def test_what_was_not_selected_stays_to_the_bit_in_the_layers_own_depth(app):
    document = app.createDocument(40, 30, "RGBA", "U16")
    old = document.createNode("deep", "paintlayer")
    before = bytes((7 * i + 3) % 256 for i in range(8 * 8 * 6))
    old.setPixelData(before, 2, 3, 8, 6)
    document.rootNode().addChildNode(old, None)
    document.setActiveNode(old)
    one = version(document, old, source_box=Box(2, 3, 8, 6), restores=canvas.identity(old))
    mask = bytearray(48)
    for row, column in ((1, 1), (1, 2), (2, 1), (4, 6)):
        mask[8 * row + column] = 255
    one.mask = bytes(mask)
    after = inserted(app, one).pixelData(2, 3, 8, 6)
    changed = {i // 8 for i in range(len(before)) if after[i] != before[i]}
    assert changed == {8 * row + column for row, column in ((1, 1), (1, 2), (2, 1), (4, 6))}
    assert after[8 * 9 :][:8] == bytes(value for value in (0, 1, 2, 3) for _ in range(2)), "the wire's bytes, in 16 bits"
    assert after[8 * 38 :][:8] == bytes(8), "what the result leaves empty is empty"


def test_a_layer_that_was_moved_meanwhile_gets_its_new_version_where_it_is(app, document):
    old = old_layer(document)
    one = version(document, old, box=Box(3, 4, 2, 2), surroundings=canvas.surroundings(document))
    old._origin = type(old._origin)(5, 6)
    new = inserted(app, one)
    assert new.pixelData(8, 10, 2, 2) == bytes(range(16)) and one.remarks == ()


def test_a_canvas_that_was_cropped_takes_the_result_along_and_it_is_said(app, document):
    one = result(document, box=Box(3, 4, 2, 2), surroundings=canvas.surroundings(document))
    document.resizeImage(1, 2, 20, 20)
    assert inserted(app, one).pixelData(2, 2, 2, 2) == bytes(range(16))
    assert "went with it" in " ".join(one.notes)


def test_a_canvas_grows_with_a_layer_where_that_is_wanted_and_otherwise_it_is_said(app):
    for grows in (True, False):
        document = app.createDocument(4, 5)
        base = document.topLevelNodes()[0]
        plan = JobPlan(anchor=canvas.identity(base), grows=grows)
        one = PendingResult(JobStatus("job-0001", layers=[ready()]), document, plan, Form(task="upscale", scale=2.0))
        inserted(app, one)
        assert (document.width(), document.height()) == ((5, 6) if grows else (4, 5))
        assert ("reaches beyond the canvas of 4 × 5" in " ".join(one.notes)) != grows


def test_a_result_in_a_hidden_group_is_said_to_be_there(app, document):
    group = document.createGroupLayer("sketches")
    inner = document.createNode("inner", "paintlayer")
    document.rootNode().addChildNode(group, None)
    group.addChildNode(inner, None)
    group.setVisible(False)
    one = PendingResult(JobStatus("job-0001", layers=[ready()]), document, JobPlan(anchor=canvas.identity(inner)), Form())
    inserted(app, one)
    assert "“sketches”, which is hidden" in " ".join(one.notes)


class BusyHand(KritaHost):
    """An artist whose hand is at work until it is let go."""

    def __init__(self, app):
        super().__init__(app)
        self.busy, self.told = True, []

    def is_free(self, document):
        return not self.busy

    def notify(self, one):
        self.told.append(one.status.text)


@pytest.mark.parametrize("how", ["let go", "asked for"])
def test_a_result_waits_for_the_hand_or_until_it_is_asked_for(app, document, how):
    host, one = BusyHand(app), result(document)
    work = insertion(host, one)
    for _ in range(5):
        next(work)
    assert one.held and "hand is free" in host.told[-1] and len(document.topLevelNodes()) == 1
    host.busy, one.chosen = how != "let go", how == "asked for"
    for _ in work:
        pass
    assert not one.held and len(document.topLevelNodes()) == 2


def test_a_result_that_is_not_wanted_any_more_leaves_the_document_alone(app, document):
    host, one = BusyHand(app), result(document)
    work = insertion(host, one)
    next(work)
    one.status.stopping = True
    with pytest.raises(UnwantedError):
        next(work)
    assert len(document.topLevelNodes()) == 1
