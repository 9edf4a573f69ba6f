"""What a document remembers of its layers: how each was generated, and the last form, as JSON in an annotation of its .kra file.

Knows the document and finished layers; knows no widget. Reading and writing cost by what is new: the last document's records stay
parsed, and written as they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.stack import Folder, Item, Sheet, sheets

from .canvas import identity

ANNOTATION = "acetate"
"""The annotation's key."""
REMEMBERED_LAYERS = 200
"""How many layers' parameters a document keeps, newest last."""


@dataclass
class _Read:
    """An annotation as it was read or written last."""

    data: bytes = b""
    record: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """Each layer's parameters as JSON."""


_last = _Read()


def remembered(document: Any) -> Mapping[str, Any]:
    """What `remember` has kept on the document; empty if there is nothing usable. Not to be changed."""
    return _read(document).record


def remember(document: Any, record: Mapping[str, Any]) -> None:
    """Keep generation parameters on the document. Marks it as modified, so only call it with a change that does so anyway."""
    layers = record.get("layers")
    texts = {name: _text(one) for name, one in layers.items()} if isinstance(layers, dict) else {}
    _write(document, {**record, "layers": layers} if texts else dict(record), texts)


def remember_result(result: PendingResult, node: Any, item: Item) -> None:
    """Keep on the document what made these layers, so that *Repeat* and *Refine* know it after reopening."""
    task = {"task": result.form.task} if result.form is not None else {}
    found = [(identity(one), sheet.ready.layer.parameters) for one, sheet in _made_of(node, item)]
    made = {name: {**parameters, **task} for name, parameters in found if parameters}
    if not made:
        return
    read = _read(result.document)
    texts = {**read.texts, **{name: _text(parameters) for name, parameters in made.items()}}
    texts = dict(list(texts.items())[-REMEMBERED_LAYERS:])
    kept = read.record.get("layers")
    layers = {**(kept if isinstance(kept, dict) else {}), **made}
    record = {**read.record, "layers": {name: layers[name] for name in texts}}
    if result.form is not None:
        record["form"] = result.form.to_json()
    _write(result.document, record, texts)


def made_with(document: Any, node: Any) -> dict[str, Any]:
    """The parameters that the document remembers for a layer; empty if there are none."""
    layers = remembered(document).get("layers")
    found = layers.get(identity(node)) if isinstance(layers, dict) else None
    return found if isinstance(found, dict) else {}


def _made_of(node: Any, item: Item) -> Iterator[tuple[Any, Sheet]]:
    """Every layer with its sheet; a group counts as its uppermost one."""
    *_, uppermost = sheets(item)
    yield node, uppermost
    if isinstance(item, Folder):
        for child, inner in zip(node.childNodes(), item.items, strict=False):  # an artist may have been quick to take one out
            yield from _made_of(child, inner)


def _read(document: Any) -> _Read:
    global _last
    data = bytes(document.annotation(ANNOTATION).data())
    if data != _last.data:
        try:
            record = json.loads(data.decode("utf-8"))
        except ValueError:
            record = {}
        record = record if isinstance(record, dict) else {}
        layers = record.get("layers")
        texts = {name: _text(one) for name, one in layers.items()} if isinstance(layers, dict) else {}
        _last = _Read(data, record, texts)
    return _last


def _write(document: Any, record: dict[str, Any], texts: Mapping[str, str]) -> None:
    global _last
    members = [f"{_text(name)}:{_text(value)}" for name, value in record.items() if name != "layers"]
    if "layers" in record:
        members.append('"layers":{' + ",".join(f"{_text(name)}:{text}" for name, text in texts.items()) + "}")
    data = ("{" + ",".join(members) + "}").encode("utf-8")
    document.setAnnotation(ANNOTATION, "Acetate: generation parameters", data)
    _last = _Read(data, record, dict(texts))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
