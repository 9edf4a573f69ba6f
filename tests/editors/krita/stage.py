"""The real Krita, as the scenarios and the contract use it. Runs inside Krita."""

import hashlib

from acetate.protocol import Box, Layer, LayerReady
from krita import Krita, Selection

WAIT = 150


def claim(scenario):
    scenario.is_claim = True
    return scenario


class App:
    """Krita's instance, and the constructor of selections."""

    def __getattr__(self, name):
        return getattr(Krita.instance(), name)

    def new_selection(self):
        return Selection()


def krita_app():
    return App()


def new_document(width=400, height=300, model="RGBA", depth="U8", profile=""):
    app = Krita.instance()
    document = app.createDocument(width, height, "test", model, depth, profile, 72.0)
    document.setBatchmode(True)
    app.activeWindow().addView(document)
    app.setActiveDocument(document)
    return document


def names(document):
    """Layer names, lowest first; a group is a list that begins with its own."""
    return [_names(node) for node in document.topLevelNodes()]


def _names(node):
    children = node.childNodes()
    return [node.name(), *(_names(child) for child in children)] if node.type() == "grouplayer" else node.name()


def undo(document):
    yield from _trigger(document, "edit_undo")


def redo(document):
    yield from _trigger(document, "edit_redo")


def _trigger(document, name):
    """Krita does it in threads of its own: wait until the layers change, and then whether something else follows."""
    document.waitForDone()
    yield WAIT
    before = names(document)
    Krita.instance().action(name).trigger()
    yield lambda: names(document) != before
    yield WAIT
    document.waitForDone()


def noise(count, seed=1):
    """Bytes that look random and are the same everywhere."""
    parts = [hashlib.sha256(b"%d %d" % (seed, number)).digest() for number in range(count // 32 + 1)]
    return b"".join(parts)[:count]


made = []


def arrived(x, y, width, height, opaque=False):
    """A layer as the client hands it over, with bytes of its own."""
    made.append(1)
    data = bytearray(noise(4 * width * height, len(made)))
    if opaque:
        data[3::4] = b"\xff" * (width * height)
    box = Box(x, y, width, height)
    layer = Layer("job-0001", 0, "layer", "foreground", x, y, width, height, box, "bgra8", len(data), "0" * 64)
    return LayerReady(layer, bytes(data))
