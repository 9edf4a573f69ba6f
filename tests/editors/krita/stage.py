"""The real Krita, as the scenarios and the contract use it. Runs inside Krita."""

from krita import Krita, Selection
from pieces import names

WAIT = 150


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
