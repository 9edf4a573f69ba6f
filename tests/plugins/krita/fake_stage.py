"""The fake Krita, as the contract uses it: what `stage.py` is in the real program."""

import fake_krita

APP = fake_krita.App()


def krita_app():
    return APP


def new_document(width=400, height=300):
    return APP.createDocument(width, height)


def undo(document):
    fake_krita.undo(document)
    yield 0


def redo(document):
    fake_krita.redo(document)
    yield 0
