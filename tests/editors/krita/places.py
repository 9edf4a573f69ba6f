"""Where a result lies: with the canvas, which may have changed meanwhile, and with what is selected."""

from acetate.plugins.krita import canvas
from contract import put_in, select, sheet
from desk import activate, choose, docker, prepared, session
from krita import Krita
from moments import begin, comes, is_in
from painting import WAIT
from pieces import claim, names
from stage import undo


def carried(gate, change):
    """A result for a selection at (100, 200), 64 x 32, while the canvas is changed; returns its layer's box and the result."""
    document = yield from prepared(640, 480)
    mine = put_in(document, sheet("mine", 50, 60, 100, 100, opaque=True))
    yield from activate(document, mine)
    yield from select(document, 100, 200, 64, 32, 255)
    result = yield from begin(f"a fig @gate:{gate}")
    change(document)
    document.waitForDone()
    yield 2 * WAIT
    yield from comes(gate, result)
    return canvas.layer_box(document, result.made), result


def near(box, x, y, right, bottom):
    """The fake's disc does not fill its box: it lies inside, and its middle is where the box's is."""
    assert x <= box.x and y <= box.y and box.right <= right and box.bottom <= bottom, box
    assert box.width * 4 > right - x, (box, right - x)


@claim
def a_result_follows_a_canvas_that_was_cropped():
    box, result = yield from carried("cropped", lambda document: document.crop(30, 20, 400, 300))
    near(box, 70, 180, 134, 212)
    assert "went with it" in " ".join(result.notes)


@claim
def or_enlarged_to_the_left_and_upwards():
    box, _ = yield from carried("enlarged", lambda document: document.resizeImage(-40, -30, 700, 520))
    near(box, 140, 230, 204, 262)


@claim
def or_scaled():
    box, _ = yield from carried("scaled", lambda document: document.scaleImage(1280, 960, 72, 72, "Bilinear"))
    near(box, 200, 400, 328, 464)


@claim
def or_turned():
    box, _ = yield from carried("turned", lambda document: document.rotateImage(1.5707963267948966))
    near(box, 248, 100, 280, 164)


@claim
def and_lies_where_it_was_asked_for_when_nothing_happened():
    box, result = yield from carried("still", lambda document: None)
    near(box, 100, 200, 164, 232)
    assert not result.notes, result.notes


@claim
def a_result_in_a_hidden_group_or_off_the_canvas_is_said_to_be_there():
    document = yield from prepared()
    group = document.createGroupLayer("sketches")
    document.rootNode().addChildNode(group, None)
    inner = document.createNode("inner", "paintlayer")
    group.addChildNode(inner, None)
    yield from activate(document, inner)
    group.setVisible(False)
    result = yield from begin("a fig")
    yield is_in(result)
    assert "“sketches”, which is hidden" in " ".join(result.notes), result.notes
    document = yield from prepared()
    yield from select(document, 2000, 2000, 64, 64, 255)
    result = yield from begin("a fig")
    yield is_in(result)
    assert "outside the canvas" in " ".join(result.notes), result.notes


# --- selections ------------------------------------------------------------------------------------------------------


@claim
def a_local_selection_counts_as_the_selection():
    document = yield from prepared()
    mine = put_in(document, sheet("mine", 0, 0, 200, 200, opaque=True))
    yield from activate(document, mine)
    yield from select(document, 40, 50, 60, 70, 255)
    Krita.instance().action("add_new_selection_mask").trigger()
    yield 4 * WAIT
    document.setSelection(None)
    yield WAIT
    assert canvas.selection_of(document) is not None
    result = yield from begin("a fig")
    yield is_in(result)
    box = result.status.layers[0].layer.box
    assert (box.x, box.y, box.width, box.height) == (40, 50, 60, 70), box


@claim
def so_it_does_for_repainting():
    document = yield from prepared()
    mine = put_in(document, sheet("mine", 0, 0, 120, 100, opaque=True))
    yield from activate(document, mine)
    before = mine.pixelData(0, 0, 120, 100).data()
    yield from select(document, 40, 50, 30, 20, 255)
    Krita.instance().action("add_new_selection_mask").trigger()
    yield 4 * WAIT
    document.setSelection(None)
    yield WAIT
    choose("task", "repaint")
    result = yield from begin("a button")
    yield is_in(result)
    after = result.made.pixelData(0, 0, 120, 100).data()
    changed = [i // 4 for i in range(0, len(after), 4) if after[i : i + 4] != before[i : i + 4]]
    assert changed and all(40 <= at % 120 < 70 and 50 <= at // 120 < 70 for at in changed)


def cut(how):
    document = yield from prepared()
    docker().form_panel.more.setChecked(True)
    choose("clip", how)
    half = yield from select(document, 0, 0, 200, 150, 128)
    result = yield from begin("a fig")
    yield is_in(result)
    sent = result.status.layers[0]
    return document, result.made, sent, half


@claim
def a_result_is_cut_to_the_selections_shape_in_its_pixels():
    _, node, sent, _ = yield from cut("alpha")
    layer = sent.layer
    data = node.pixelData(layer.x, layer.y, layer.width, layer.height).data()
    expected = bytes((alpha * 128 + 127) // 255 for alpha in sent.data[3::4])
    assert data[3::4] == expected and data[0::4] == bytes(sent.data[0::4])


@claim
def or_by_a_mask_that_goes_with_one_undo_step():
    document, node, sent, _ = yield from cut("mask")
    (mask,) = node.childNodes()
    assert mask.type() == "transparencymask"
    assert mask.selection().pixelData(10, 10, 1, 1).data() == b"\x80"
    layer = sent.layer
    assert node.pixelData(layer.x, layer.y, layer.width, layer.height).data() == sent.data
    yield from undo(document)
    assert [name for name in names(document) if name != "Selection Mask"] == ["Background"], names(document)


@claim
def a_result_of_the_history_becomes_the_mask_of_a_layer():
    document = yield from prepared()
    mine = put_in(document, sheet("mine", 0, 0, 200, 200, opaque=True))
    yield from activate(document, mine)
    first = yield from begin("a fig")
    yield is_in(first)
    yield from activate(document, mine)
    seen = []
    session().inserted.connect(seen.append)
    try:
        session().insert_again(first.job, document, as_mask=True)
        yield lambda: seen
    finally:
        session().inserted.disconnect(seen.append)
    (mask,) = mine.childNodes()
    layer = first.status.layers[0].layer
    shown = mask.selection().pixelData(layer.x, layer.y, layer.width, layer.height).data()
    assert mask.type() == "transparencymask" and shown == bytes(first.status.layers[0].data[3::4])
    Krita.instance().action("edit_undo").trigger()
    yield lambda: mine.childNodes() == []
    assert len(names(document)) == 3
