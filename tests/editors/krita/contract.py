"""What the plug-in relies on in Krita. The same claims are checked in the real program and against the fake of the unit tests.

Every claim is a generator: it yields where Krita needs its event loop to settle. `krita_app()` and `new_document()` come from the
module `stage`, of which each side has its own.
"""

from acetate.plugins.bridge.host import DocumentClosedError
from acetate.plugins.bridge.stack import Folder, Sheet
from acetate.plugins.krita import canvas
from acetate.plugins.krita.forms import remembering
from acetate.plugins.krita.inserting import insertion
from acetate.protocol import Box
from pieces import arrived, claim, names
from stage import krita_app, new_document, redo, undo

SETTLE = 150


def finished(work):
    """The result of a `bridge.host.Work`, run to its end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def sheet(name="apple (7)", x=10, y=20, width=6, height=4, opaque=False, **more):
    return Sheet(name, arrived(x, y, width, height, opaque), **more)


def put_in(document, item, anchor=None, **more):
    return finished(insertion.insert(krita_app(), document, item, anchor, **more))


@claim
def a_new_layer_has_the_servers_bytes_at_its_place_also_under_alpha_0():
    document = new_document()
    yield SETTLE
    one = sheet()
    node = put_in(document, one)
    assert node.pixelData(10, 20, 6, 4).data() == one.ready.data
    assert canvas.layer_box(document, node) == Box(10, 20, 6, 4)
    assert node.name() == "apple (7)"
    assert node.type() == "paintlayer"


@claim
def a_new_layer_lies_directly_above_its_anchor():
    document = new_document()
    yield SETTLE
    (base,) = document.topLevelNodes()
    top = put_in(document, sheet("top"))
    middle = put_in(document, sheet("middle"), canvas.identity(base))
    assert names(document) == ["Background", "middle", "top"]
    put_in(document, sheet("second"), canvas.identity(middle))
    assert names(document) == ["Background", "middle", "second", "top"]
    assert canvas.find(document, canvas.identity(top)) == top


@claim
def or_directly_below_it_unless_nothing_is_there_to_lie_above():
    document = new_document()
    yield SETTLE
    (base,) = document.topLevelNodes()
    top = put_in(document, sheet("top"))
    assert not insertion.is_lowest(document, canvas.identity(top))
    put_in(document, sheet("behind"), canvas.identity(top), below=True)
    assert names(document) == ["Background", "behind", "top"]
    assert insertion.is_lowest(document, canvas.identity(base))
    put_in(document, sheet("second"), canvas.identity(base), below=True)
    assert names(document) == ["Background", "second", "behind", "top"]
    yield from undo(document)
    yield from undo(document)
    assert names(document) == ["Background", "top"]


@claim
def a_new_layer_joins_the_group_of_its_anchor():
    document = new_document()
    yield SETTLE
    put_in(document, Folder("group", (sheet("low"), sheet("high"))))
    low = document.topLevelNodes()[1].childNodes()[0]
    put_in(document, sheet("between"), canvas.identity(low))
    assert names(document) == ["Background", ["group", "low", "between", "high"]]


@claim
def an_anchor_that_is_gone_means_on_top():
    document = new_document()
    yield SETTLE
    gone = put_in(document, sheet("gone"))
    wanted = canvas.identity(gone)
    gone.remove()
    put_in(document, sheet("new"), wanted)
    assert names(document) == ["Background", "new"]


@claim
def one_undo_takes_a_layer_away_and_redo_brings_it_back():
    document = new_document()
    yield SETTLE
    one = sheet()
    put_in(document, one)
    yield SETTLE
    yield from undo(document)
    assert names(document) == ["Background"]
    yield from redo(document)
    assert names(document) == ["Background", "apple (7)"]
    assert document.topLevelNodes()[1].pixelData(10, 20, 6, 4).data() == one.ready.data


@claim
def a_whole_group_is_one_undo_step_too():
    document = new_document()
    yield SETTLE
    put_in(document, sheet("before"))
    yield SETTLE
    inner = Folder("scene", (sheet("background"), sheet("object"), sheet("blended", visible=False)))
    put_in(document, Folder("candidates", (Folder("second", (sheet("a"), sheet("b")), visible=False), inner)))
    yield SETTLE
    whole = [
        "Background",
        "before",
        ["candidates", ["second", "a", "b"], ["scene", "background", "object", "blended"]],
    ]
    assert names(document) == whole
    yield from undo(document)
    assert names(document) == ["Background", "before"]
    yield from redo(document)
    assert names(document) == whole
    second, scene = document.topLevelNodes()[2].childNodes()
    assert [second.visible(), scene.visible()] == [False, True]
    assert [node.visible() for node in scene.childNodes()] == [True, True, False]
    yield from undo(document)
    yield from undo(document)
    assert names(document) == ["Background"]


@claim
def the_picture_shows_a_new_group_at_once_and_after_redo():
    document = new_document()
    yield SETTLE
    low, high = sheet("low", opaque=True), sheet("high", opaque=True)
    put_in(document, Folder("group", (low, high)))
    shown = high.ready.data[:4]
    assert document.pixelData(10, 20, 1, 1).data() == shown
    yield SETTLE
    yield from undo(document)
    assert document.pixelData(10, 20, 1, 1).data() != shown
    yield from redo(document)
    assert document.pixelData(10, 20, 1, 1).data() == shown


@claim
def hidden_candidates_do_not_show():
    document = new_document()
    yield SETTLE
    hidden, first = sheet("hidden", opaque=True, visible=False), sheet("first", opaque=True)
    put_in(document, Folder("candidates", (first, hidden)))
    assert document.pixelData(10, 20, 1, 1).data() == first.ready.data[:4]


@claim
def layers_may_reach_beyond_the_canvas():
    document = new_document()
    yield SETTLE
    one = sheet("far", -5, 296, 12, 9)
    node = put_in(document, one)
    assert node.pixelData(-5, 296, 12, 9).data() == one.ready.data
    assert canvas.layer_box(document, node) == Box(-5, 296, 12, 9)


@claim
def opacity_and_blending_mode_of_a_file_arrive_in_the_same_undo_step():
    document = new_document()
    yield SETTLE
    put_in(document, Folder("file", (sheet("shade", opacity=0.5, blend_mode="multiply"), sheet("light", blend_mode="screen"))))
    yield SETTLE
    shade, light = document.topLevelNodes()[1].childNodes()
    assert (shade.opacity(), shade.blendingMode(), light.blendingMode()) == (128, "multiply", "screen")
    yield from undo(document)
    assert names(document) == ["Background"]


@claim
def nothing_is_put_into_a_document_that_was_closed():
    for item in (sheet(), Folder("group", (sheet(), sheet())), Folder("file", (sheet(), sheet(blend_mode="multiply")))):
        document = new_document()
        yield SETTLE
        work = insertion.insert(krita_app(), document, item, None)
        next(work)
        document.setModified(False)
        document.close()
        yield SETTLE
        assert not canvas.is_open(krita_app(), document)
        try:
            finished(work)
        except DocumentClosedError:
            continue
        raise AssertionError(f"{item.name} was put into a closed document")


@claim
def the_selection_is_read_with_its_soft_edges():
    document = new_document()
    yield SETTLE
    assert canvas.selection_box(document) is None
    assert finished(canvas.read_selection(document, Box(0, 0, 2, 2))) == bytes(4)
    yield from select(document, -4, 30, 20, 10, 255)
    assert canvas.selection_box(document) == Box(-4, 30, 20, 10)
    data = finished(canvas.read_selection(document, Box(-6, 29, 24, 12)))
    assert len(data) == 24 * 12
    assert data[24:26] == b"\0\0"
    assert data[26:46] == b"\xff" * 20
    yield from select(document, 0, 0, 3, 1, 77)
    assert finished(canvas.read_selection(document, Box(0, 0, 3, 1))) == bytes([77] * 3)


@claim
def a_layer_is_read_as_it_was_written_also_in_strips():
    document = new_document(900, 1200)
    yield SETTLE
    one = sheet("tall", -3, 5, 700, 1100)
    node = put_in(document, one)
    assert finished(canvas.read_layer(document, node, Box(-3, 5, 700, 1100))) == one.ready.data
    part = finished(canvas.read_layer(document, node, Box(-5, 5, 3, 1)))
    assert part == bytes(8) + one.ready.data[:4]


@claim
def a_group_is_read_as_it_looks():
    document = new_document()
    yield SETTLE
    low, high = sheet("low", opaque=True), sheet("high", x=12, opaque=True)
    group = put_in(document, Folder("group", (low, high)))
    data = finished(canvas.read_layer(document, group, Box(10, 20, 8, 1)))
    assert data[:8] == low.ready.data[:8]
    assert data[8:] == high.ready.data[: 4 * 6]


@claim
def the_document_keeps_what_it_was_generated_with():
    document = new_document()
    yield SETTLE
    assert remembering.remembered(document) == {}
    remembering.remember(document, {"form": "Glas 🍷", "layers": {"{id}": {"seed": 7}}})
    assert remembering.remembered(document) == {"form": "Glas 🍷", "layers": {"{id}": {"seed": 7}}}


@claim
def the_active_layer_is_known():
    document = new_document()
    yield SETTLE
    (base,) = document.topLevelNodes()
    document.setActiveNode(base)
    yield SETTLE
    assert canvas.active_layer(document) == base


def select(document, x, y, width, height, value):
    """Krita 5.2 crashes when a document is closed before it has drawn a new selection's outline."""
    selection = krita_app().new_selection()
    selection.select(x, y, width, height, value)
    document.setSelection(selection)
    for _ in range(2):  # the outline is computed in another thread, some time later
        document.waitForDone()
        yield 2 * SETTLE
    document.waitForDone()
