"""From a prompt to a layer in the open picture."""

from acetate.plugins.bridge.stack import Folder, Sheet
from acetate.plugins.krita import canvas
from acetate.plugins.krita.colours import linear
from acetate.plugins.krita.forms import remembering
from acetate.plugins.krita.inserting import insertion
from acetate.plugins.krita.qt import Qt
from acetate.protocol import Box
from contract import finished, put_in, select, sheet
from desk import (
    OUT,
    QTest,
    activate,
    assert_equals_what_the_server_sent,
    choose,
    click,
    docker,
    failure_of,
    field,
    fix_seed,
    generate,
    inserted_by,
    layer_of,
    open_gate,
    prepared,
    ready,
    session,
    type_prompt,
)
from krita import Krita
from painting import chosen_tool
from pieces import claim, names
from stage import redo, undo, unseen_document


@claim
def a_prompt_becomes_a_layer_byte_for_byte_as_the_server_sent_it():
    document = yield from prepared()
    result = yield from generate("a red apple", seed=7)
    node = layer_of(document, "a red apple (7)")
    assert node.type() == "paintlayer"
    assert_equals_what_the_server_sent(node, result.status.layers[0])


@claim
def the_picture_shows_the_layer():
    document = yield from prepared()
    result = yield from generate("a red apple")
    layer, data = result.status.layers[0].layer, result.status.layers[0].data
    alpha = data[3::4]
    most = alpha.index(max(alpha))
    x, y, opacity = layer.x + most % layer.width, layer.y + most // layer.width, alpha[most] / 255
    shown = document.pixelData(x, y, 1, 1).data()
    over_white = [255 + (value - 255) * opacity for value in data[4 * most : 4 * most + 3]]
    assert all(abs(one - other) <= 1 for one, other in zip(shown, over_white, strict=False))


@claim
def one_undo_removes_it_and_redo_brings_it_back():
    document = yield from prepared()
    result = yield from generate("a red apple")
    yield from undo(document)
    assert names(document) == ["Background"]
    yield from redo(document)
    assert_equals_what_the_server_sent(layer_of(document, "a red apple (7)"), result.status.layers[0])


@claim
def it_is_identical_after_saving_and_opening_again():
    document = yield from prepared()
    result = yield from generate("a red apple")
    path = str(OUT / "saved.kra")
    assert document.saveAs(path)
    document.waitForDone()
    document.close()
    yield 200
    again = Krita.instance().openDocument(path)
    assert names(again) == ["Background", "a red apple (7)"]
    assert_equals_what_the_server_sent(layer_of(again, "a red apple (7)"), result.status.layers[0])


@claim
def it_lies_above_the_active_layer_inside_its_group_and_becomes_the_active_one():
    document = yield from prepared()
    finished(insertion.insert(Krita.instance(), document, Folder("group", (sheet("low"), sheet("high"))), None))
    low = document.topLevelNodes()[1].childNodes()[0]
    yield from activate(document, low)
    yield from generate("a kite")
    assert names(document) == ["Background", ["group", "low", "a kite (7)", "high"]]
    yield lambda: document.activeNode().name() == "a kite (7)"


@claim
def an_artist_who_went_on_to_another_layer_stays_there():
    document = yield from prepared()
    other = finished(insertion.insert(Krita.instance(), document, sheet("other"), None))
    background = layer_of(document, "Background")
    yield from activate(document, background)
    type_prompt("a kite @gate:elsewhere")
    fix_seed(7)
    click(docker().button)
    yield lambda: session().current is not None and session().current.status.fraction
    yield from activate(document, other)
    open_gate("elsewhere")
    yield ready
    yield 400
    assert document.activeNode() == other
    assert names(document) == ["Background", "a kite @gate:elsewhere (7)", "other"]


@claim
def other_layers_the_selection_and_the_tool_stay_as_they_are():
    document = yield from prepared()
    background = layer_of(document, "Background")
    Krita.instance().action("KisToolPolygon").trigger()
    yield lambda: chosen_tool() == "KisToolPolygon"
    yield from select(document, 20, 30, 50, 60, 200)
    before = background.pixelData(0, 0, 400, 300).data(), canvas.selection_box(document)
    mask = finished(canvas.read_selection(document, Box(0, 0, 100, 100)))
    yield from generate("a red apple")
    assert (background.pixelData(0, 0, 400, 300).data(), canvas.selection_box(document)) == before
    assert finished(canvas.read_selection(document, Box(0, 0, 100, 100))) == mask
    assert (background.name(), background.visible(), background.opacity()) == ("Background", True, 255)
    assert chosen_tool() == "KisToolPolygon"
    Krita.instance().action("KritaShape/KisToolBrush").trigger()


@claim
def it_fills_the_box_of_the_selection():
    document = yield from prepared()
    yield from select(document, 100, 50, 128, 96, 255)
    result = yield from generate("a red apple")
    assert result.status.layers[0].layer.box == Box(100, 50, 128, 96)
    box = canvas.layer_box(document, layer_of(document, "a red apple (7)"))
    assert box.x >= 100 and box.y >= 50 and box.x + box.width <= 228 and box.y + box.height <= 146


@claim
def a_selection_partly_outside_the_canvas_is_a_place_like_any_other():
    document = yield from prepared()
    yield from select(document, -40, 250, 100, 100, 255)
    result = yield from generate("a red apple")
    assert result.status.layers[0].layer.box == Box(-40, 250, 100, 100)
    assert_equals_what_the_server_sent(layer_of(document, "a red apple (7)"), result.status.layers[0])


def arrives_in(model, depth, profile=""):
    """One generated layer, in a document of that kind; returns the document, the node, its box, and what was sent."""
    if not drawn:
        yield from prepared()
        drawn.append((yield from generate("a red apple")).job)
    document = yield from prepared(model=model, depth=depth, profile=profile)
    result = yield from inserted_by(lambda: session().insert_again(drawn[0], document))
    node, sent = layer_of(document, "a red apple (7)"), result.status.layers[0]
    layer = sent.layer
    assert (node.colorModel(), node.colorDepth(), node.colorProfile()) == (model, depth, document.colorProfile())
    yield from undo(document)
    assert names(document) == ["Background"], "more than one undo step"
    yield from redo(document)
    box = Box(layer.x, layer.y, layer.width, layer.height)
    return document, node, box, sent


drawn = []
"""The job whose result all depths and colour models get: drawing is the same for each of them."""


def like_8_bits(model, depth, profile="", tolerance=1):
    """The layer, read back as 8-bit sRGB, is what was sent, wherever it is not fully transparent."""
    document, node, box, sent = yield from arrives_in(model, depth, profile)
    back = finished(canvas.read_layer(document, node, box))
    assert back[3::4] == sent.data[3::4], "another alpha"
    worst = max(abs(one - other) for one, other in zip(visible(back), visible(sent.data), strict=True))
    assert worst <= tolerance, f"colours are off by {worst}"
    return {"worst": worst, "profile": document.colorProfile()}


def visible(bgra):
    """Colour bytes of a sample of the pixels with some alpha."""
    return [value for i in range(0, len(bgra), 4 * 97) if bgra[i + 3] for value in bgra[i : i + 3]]


@claim
def it_arrives_in_16_bit_integers_as_the_same_values_times_257():
    _, node, box, sent = yield from arrives_in("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc")
    data = node.pixelData(box.x, box.y, box.width, box.height).data()
    assert data[0::2] == data[1::2] == sent.data


@claim
def it_arrives_in_linear_16_bit_integers():
    _, node, box, sent = yield from arrives_in("RGBA", "U16", "sRGB-elle-V2-g10.icc")
    sent = sent.data
    words = memoryview(node.pixelData(box.x, box.y, box.width, box.height).data()).cast("H")
    for i in range(0, len(sent), 397):
        value = sent[i] / 255
        assert abs(words[i] - 65535 * (value if i % 4 == 3 else linear(value))) <= 1


@claim
def it_arrives_in_32_bit_floats_as_linear_light():
    _, node, box, sent = yield from arrives_in("RGBA", "F32", "sRGB-elle-V2-g10.icc")
    sent = sent.data
    floats = memoryview(node.pixelData(box.x, box.y, box.width, box.height).data()).cast("f")
    for i in range(0, len(sent), 4 * 97):
        blue, green, red, alpha = (value / 255 for value in sent[i : i + 4])
        wanted = (linear(red), linear(green), linear(blue), alpha)
        assert all(abs(one - other) < 1e-6 for one, other in zip(floats[i : i + 4], wanted, strict=True))


@claim
def it_arrives_in_16_bit_floats():
    return (yield from like_8_bits("RGBA", "F16"))


@claim
def it_arrives_in_another_rgb_profile():
    return (yield from like_8_bits("RGBA", "U8", "ClayRGB-elle-V2-g22.icc", tolerance=3))


@claim
def it_arrives_in_rec_2020_floats():
    return (yield from like_8_bits("RGBA", "F32", "Rec2020-elle-V4-g10.icc"))


def as_krita_converts(model, depth, profile=""):
    """The layer has the bytes that Krita's own *Convert Image Color Space* makes of the same layer in an RGB document."""
    document, node, box, ready_one = yield from arrives_in(model, depth, profile)
    data = node.pixelData(box.x, box.y, box.width, box.height).data()
    # Without a view: Krita's Undo History draws thumbnails of a document that is shown, also while other threads convert it,
    # and dies of that (5.2.9).
    other = unseen_document()
    put_in(other, Sheet("same", ready_one))
    other.setColorSpace(model, depth, document.colorProfile())
    other.waitForDone()
    wanted = other.topLevelNodes()[1].pixelData(box.x, box.y, box.width, box.height).data()
    yield 200
    other.close()
    letter = {"U8": "B", "U16": "H"}[depth]
    pairs = zip(memoryview(data).cast(letter), memoryview(wanted).cast(letter), strict=True)
    worst = max(abs(one - other) for one, other in pairs) / (257 if depth == "U16" else 1)
    return {"profile": document.colorProfile(), "worst": round(worst, 2)}


@claim
def it_arrives_in_lab_cmyk_and_gray_as_krita_itself_converts():
    said = []
    for model, depth in (("LABA", "U16"), ("CMYKA", "U8"), ("GRAYA", "U8"), ("GRAYA", "U16")):
        said.append((yield from as_krita_converts(model, depth)))
    assert all(one["worst"] <= 4 for one in said), said  # Krita converts a document with another rendering intent
    return said


@claim
def a_mask_as_active_node_means_its_layer():
    document = yield from prepared()
    finished(insertion.insert(Krita.instance(), document, sheet("base"), None))
    yield from activate(document, layer_of(document, "base"))
    Krita.instance().action("add_new_transparency_mask").trigger()
    yield lambda: document.activeNode().type() == "transparencymask"
    yield from generate("a kite")
    assert [node.name() for node in document.topLevelNodes()] == ["Background", "base", "a kite (7)"]


@claim
def a_vector_layer_or_a_group_as_active_node_is_an_anchor_like_any_other():
    document = yield from prepared()
    for kind in ("vectorlayer", "filelayer", "grouplayer"):
        node = document.createNode(kind, kind) if kind != "grouplayer" else document.createGroupLayer(kind)
        document.rootNode().addChildNode(node, None)
        yield from activate(document, node)
        yield from generate(f"on {kind}")
    assert [node.name() for node in document.topLevelNodes()] == [
        "Background",
        *(name for kind in ("vectorlayer", "filelayer", "grouplayer") for name in (kind, f"on {kind} (7)")),
    ]


@claim
def ctrl_return_in_the_prompt_generates():
    document = yield from prepared()
    type_prompt("a red apple")
    prompt = docker().form_panel.prompt
    yield from inserted_by(lambda: QTest.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier))
    assert len(document.topLevelNodes()) == 2


@claim
def ctrl_up_and_down_weigh_the_word_at_the_cursor():
    yield from prepared()
    type_prompt("a red apple")
    prompt = docker().form_panel.prompt
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(prompt, key, Qt.KeyboardModifier.ControlModifier)
    assert prompt.text() == "a red (apple:1.1)"


@claim
def a_random_seed_is_new_each_time_and_shown():
    document = yield from prepared()
    seeds = []
    for _ in range(2):
        type_prompt("a red apple")
        docker().form_panel.new_seed.setChecked(True)
        yield from inserted_by(lambda: click(docker().button))
        seeds.append(docker().form_panel.seed.seed())
    assert seeds[0] != seeds[1]
    assert names(document) == ["Background", *(f"a red apple ({one})" for one in seeds)]


@claim
def what_cannot_be_generated_is_said_before():
    document = yield from prepared()
    type_prompt("x")
    docker().form_panel.prompt.clear()
    failure = yield from failure_of(lambda: click(docker().button))
    assert failure.message == "The prompt is empty"
    for task, said in (("repaint", "Nothing is selected"), ("refine", "is empty")):
        node = document.createNode("nothing", "paintlayer")
        document.rootNode().addChildNode(node, None)
        yield from activate(document, layer_of(document, "Background") if task == "repaint" else node)
        choose("task", task)
        failure = yield from failure_of(lambda: click(docker().button))
        assert said in failure.message, failure
        assert docker().error.isVisible() and docker().button.text() != "Cancel"
        node.remove()
    choose("task", "foreground")
    document.setModified(False)
    document.close()
    yield 300
    type_prompt("a red apple")
    failure = yield from failure_of(lambda: click(docker().button))
    assert failure.message == "No document is open"


@claim
def the_actions_in_the_menu_do_the_same():
    document = yield from prepared()
    app = Krita.instance()
    type_prompt("a red apple")
    fix_seed(7)
    yield from inserted_by(app.action("acetate_generate").trigger)
    assert names(document) == ["Background", "a red apple (7)"]
    yield from inserted_by(app.action("acetate_repeat").trigger)
    assert names(document)[:2] == ["Background", "a red apple (7)"]
    assert len(document.topLevelNodes()) == 3 and names(document)[2] != "a red apple (7)"
    docker().setVisible(False)
    app.action("acetate_show").trigger()
    assert docker().isVisible()


@claim
def the_document_remembers_how_it_was_generated():
    document = yield from prepared()
    docker().form_panel.steps.setValue(5)
    yield from generate("a red apple", seed=11)
    path = str(OUT / "remembered.kra")
    assert document.saveAs(path)
    document.waitForDone()
    document.close()
    yield 300
    docker().form_panel.prompt.set_text("something else")
    again = Krita.instance().openDocument(path)
    Krita.instance().activeWindow().addView(again)
    Krita.instance().setActiveDocument(again)
    yield lambda: docker().form_panel.prompt.text() == "a red apple"
    assert docker().form_panel.steps.value() == 5
    made = remembering.remembered(again)["layers"][canvas.identity(layer_of(again, "a red apple (11)"))]
    assert (made["prompt"], made["seed"], made["task"]) == ("a red apple", 11, "foreground")
    yield from inserted_by(Krita.instance().action("acetate_repeat").trigger)
    assert len(again.topLevelNodes()) == 3
    assert field("seed").text() == "11", "the form stays as it was"
