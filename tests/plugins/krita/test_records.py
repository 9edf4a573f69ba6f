"""What a document remembers of its layers costs by what is new, not by what is there."""

import json

import pytest
from acetate.plugins.krita.forms import remembering


@pytest.fixture
def document(app):
    return app.createDocument(4, 4)


def test_a_new_layer_is_written_without_writing_the_others_again(document, monkeypatch):
    written = []
    text = remembering._text
    monkeypatch.setattr(remembering, "_text", lambda value: written.append(value) or text(value))
    for number in range(100):
        record = remembering.remembered(document)
        record["layers"] = {**record.get("layers", {}), f"layer {number}": {"seed": number}}
        written.clear()
        remembering.remember(document, record)
        assert written == [f"layer {number}", {"seed": number}]
    assert json.loads(document.annotation(remembering.ANNOTATION)) == {
        "layers": {f"layer {number}": {"seed": number} for number in range(100)}
    }


def test_what_another_document_says_is_read_anew(app, document):
    other = app.createDocument(4, 4)
    remembering.remember(document, {"form": "one", "layers": {"a": {"seed": 1}}})
    remembering.remember(other, {"form": "two", "layers": {"a": {"seed": 2}}})
    assert remembering.remembered(document) == {"form": "one", "layers": {"a": {"seed": 1}}}
    assert remembering.remembered(other)["layers"] == {"a": {"seed": 2}}
