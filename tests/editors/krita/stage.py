"""The real Krita, as the scenarios and the contract use it. Runs inside Krita."""

import time

from acetate.plugins.krita import canvas
from krita import Krita, Selection
from pieces import names

WAIT = 150
"""Milliseconds in which Krita settles."""
PATIENCE = 5.0


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


def unseen_document(width=400, height=300):
    """In no view: nothing of Krita's window looks at it."""
    document = Krita.instance().createDocument(width, height, "unseen", "RGBA", "U8", "", 72.0)
    document.setBatchmode(True)
    return document


def undo(document):
    yield from _trigger(document, "edit_undo")


def redo(document):
    yield from _trigger(document, "edit_redo")


def _trigger(document, name):
    """Krita does it in threads of its own: wait until the layers change, and then whether something else follows."""
    app = Krita.instance()
    document.waitForDone()
    yield WAIT
    yield lambda: app.activeDocument() == document and app.action(name).isEnabled()
    before = _layers(document)
    for _ in range(3):  # a trigger is lost when Krita has just begun something else
        app.action(name).trigger()
        document.waitForDone()
        until = time.monotonic() + PATIENCE
        yield lambda until=until: _layers(document) != before or time.monotonic() > until
        if _layers(document) != before:
            break
    yield WAIT
    document.waitForDone()


def _layers(document):
    """Names alone would miss a new version, which has the old one's."""
    return names(document), canvas.identities(document)
