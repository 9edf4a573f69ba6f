"""What a document remembers of its generations: saved with it, or while Krita runs only, as the artist wants. Knows Krita's
annotations; does not know what is kept in them.
"""

from __future__ import annotations

import json
from typing import Any

ANNOTATION = "acetate"
_TITLE = "Acetate: generation parameters"


class _Place:
    """Where it is kept."""

    in_documents = True
    unsaved: dict[str, dict[str, Any]] = {}
    """By document, what is not to be saved with it."""


class _Latest:
    """What was read or written last: hundreds of layers are not parsed and written again for each new one."""

    data = b""
    record: dict[str, Any] = {}
    layers: dict[str, tuple[Any, str]] = {}
    """By layer, its parameters, and its member of the JSON."""


def keep_in_documents(wanted: bool) -> None:
    """Whether prompts and settings are saved with documents; whoever gives .kra files away may not want that."""
    _Place.in_documents = wanted


def remembered(document: Any) -> dict[str, Any]:
    """What `remember` has kept on the document; empty if there is nothing usable."""
    if (unsaved := _Place.unsaved.get(_key(document))) is not None:
        return dict(unsaved)
    data = bytes(document.annotation(ANNOTATION).data())
    if data != _Latest.data:
        _Latest.data, _Latest.record = data, _parsed(data)
    return dict(_Latest.record)


def remember(document: Any, record: dict[str, Any]) -> None:
    """Keep generation parameters on the document. Marks it as modified, so only call it with a change that does so anyway."""
    if not _Place.in_documents:
        _Place.unsaved[_key(document)] = record
        if document.annotation(ANNOTATION).data():
            document.removeAnnotation(ANNOTATION)
        return
    _Place.unsaved.pop(_key(document), None)
    data = _written(record)
    document.setAnnotation(ANNOTATION, _TITLE, data)
    _Latest.data, _Latest.record = data, dict(record)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        kept = json.loads(data.decode("utf-8"))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _written(record: dict[str, Any]) -> bytes:
    """The record as JSON; the text of a layer that is the same object as last time is used again."""
    layers = record.get("layers")
    members = [f"{_text(name)}:{_text(value)}" for name, value in record.items() if name != "layers"]
    if isinstance(layers, dict):
        known, _Latest.layers = _Latest.layers, {}
        for name, made in layers.items():
            before, text = known.get(name, (None, ""))
            _Latest.layers[name] = (made, text if before is made else f"{_text(name)}:{_text(made)}")
        members.append('"layers":{' + ",".join(text for _, text in _Latest.layers.values()) + "}")
    return ("{" + ",".join(members) + "}").encode("utf-8")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_saved(document: Any) -> bool:
    """Whether a file of this document would tell what was generated in it."""
    return bool(document.annotation(ANNOTATION).data())


def unsave(document: Any) -> None:
    """Take out what is kept on the document, so that no file of it tells; while Krita runs it is still known."""
    _Place.unsaved[_key(document)] = remembered(document)
    document.removeAnnotation(ANNOTATION)
    document.setModified(True)


def _key(document: Any) -> str:
    return str(document.rootNode().uniqueId().toString())
