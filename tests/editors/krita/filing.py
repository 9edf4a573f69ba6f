"""Results as files, and layers from files. `given.*` were written outside, by the project's own writers."""

import os
from pathlib import Path

from acetate.plugins.krita import canvas
from acetate.plugins.krita.qt import QtCore, QtWidgets
from acetate.protocol import Box
from desk import OUT, docker, failure_of, generate, layer_of, prepared, ready, session, type_prompt
from krita import Krita
from pieces import claim, names
from stage import undo

SHARE = OUT.parent


@claim
def a_result_of_the_history_is_saved_as_png_psd_and_ora():
    yield from prepared()
    result = yield from generate("an old boot", seed=22)
    layer = result.status.layers[0].layer
    for suffix in ("png", "psd", "ora"):
        path = OUT / f"boot.{suffix}"
        session().save(result.job, path)
        yield path.exists
        again = Krita.instance().openDocument(str(path))
        (node,) = again.topLevelNodes()
        assert 0 in node.pixelData(0, 0, again.width(), again.height()).data()[3::4], "transparency was lost"
        box = node.bounds()
        assert (box.width(), box.height()) == (layer.width, layer.height)
        found = node.pixelData(box.x(), box.y(), box.width(), box.height()).data()
        sent = result.status.layers[0].data
        shown = [i for i in range(len(sent)) if sent[i | 3]]  # colour under alpha 0 is nobody's business here
        assert max(abs(found[i] - sent[i]) for i in shown) <= 1, suffix
        again.close()
        yield 150


@claim
def a_name_with_a_dot_gets_a_suffix_that_takes_no_other_files_place():
    yield from prepared()
    result = yield from generate("an old boot", seed=23)
    session().save(result.job, OUT / "boot v1.2", "ora")
    yield (OUT / "boot v1.2.ora").exists
    (OUT / "boot v1.2.ora").write_bytes(b"another's")
    failure = yield from failure_of(lambda: session().save(result.job, OUT / "boot v1.2", "ora"))
    assert "boot v1.2.ora already" in failure.message
    assert (OUT / "boot v1.2.ora").read_bytes() == b"another's"


@claim
def krita_shows_our_layered_psd_and_ora_as_we_compose_them():
    wanted = (SHARE / "layered.bgra").read_bytes()
    for suffix in ("psd", "ora"):
        document = Krita.instance().openDocument(str(SHARE / f"layered.{suffix}"))
        document.refreshProjection()
        document.waitForDone()
        assert names(document) == ["Grund", ["果実 🍷", "Äpfel", "verborgen"], "Schein"], suffix
        assert [node.visible() for node in document.topLevelNodes()[1].childNodes()] == [True, False], suffix
        found = document.pixelData(0, 0, document.width(), document.height()).data()
        assert len(found) == len(wanted)
        assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= 1, suffix
        document.close()
        yield 150


@claim
def the_layers_of_a_psd_and_of_an_ora_arrive_as_one_group_in_one_undo_step():
    for suffix in ("psd", "ora"):
        yield from layers_arrive(f"given.{suffix}")


@claim
def a_png_arrives_as_one_layer():
    document = yield from prepared()
    session().insert_file(document, SHARE / "given.png")
    yield lambda: len(document.topLevelNodes()) == 2
    node = document.topLevelNodes()[1]
    assert (node.type(), canvas.layer_box(document, node)) == ("paintlayer", Box(0, 0, 100, 80))
    assert node.pixelData(0, 0, 1, 1).data() == bytes((10, 120, 60, 255))


def layers_arrive(name):
    document = yield from prepared()
    session().insert_file(document, SHARE / name)
    yield lambda: len(document.topLevelNodes()) == 2
    assert names(document) == ["Background", [name, "ground", ["tree", "trunk", "leaves"]]]
    group = layer_of(document, name)
    ground, tree = group.childNodes()
    trunk, leaves = tree.childNodes()
    assert ground.pixelData(0, 0, 1, 1).data() == bytes((10, 120, 60, 255))
    assert trunk.pixelData(30, 40, 1, 1).data() == bytes((20, 50, 90, 255))
    assert (leaves.opacity(), leaves.blendingMode(), trunk.visible()) == (128, "multiply", True)
    assert canvas.layer_box(document, trunk) == Box(30, 40, 10, 20)
    yield 200
    yield from undo(document)
    assert names(document) == ["Background"]


@claim
def a_file_that_is_no_picture_is_refused_with_a_reason():
    document = yield from prepared()
    broken = OUT / "broken.psd"
    broken.write_bytes(b"8BPS but not really")
    failure = yield from failure_of(lambda: session().insert_file(document, broken))
    assert failure.message
    failure = yield from failure_of(lambda: session().insert_file(document, OUT / "nothing.psd"))
    assert "nothing.psd cannot be read" in failure.message
    failure = yield from failure_of(lambda: session().insert_file(document, Path("song.mp3")))
    assert "not a PSD" in failure.message
    assert names(document) == ["Background"]


@claim
def the_file_dialog_leaves_krita_usable():
    document = yield from prepared()
    Krita.instance().action("acetate_insert_file").trigger()
    dialog = docker().findChild(QtWidgets.QFileDialog)
    yield lambda: dialog.isVisible()
    dialog.selectFile(str(SHARE / "given.psd"))
    dialog.accept()
    yield lambda: len(document.topLevelNodes()) == 2
    assert os.path.exists(SHARE / "given.psd")
    assert QtCore.QThread.currentThread() == QtWidgets.QApplication.instance().thread()
    assert ready()
    type_prompt("x")
