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


def keep_in_documents(wanted: bool) -> None:
    """Whether prompts and settings are saved with documents; whoever gives .kra files away may not want that."""
    _Place.in_documents = wanted


def remembered(document: Any) -> dict[str, Any]:
    """What `remember` has kept on the document; empty if there is nothing usable."""
    if (unsaved := _Place.unsaved.get(_key(document))) is not None:
        return dict(unsaved)
    try:
        kept = json.loads(bytes(document.annotation(ANNOTATION).data()).decode("utf-8"))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(document: Any, record: dict[str, Any]) -> None:
    """Keep generation parameters on the document. Marks it as modified, so only call it with a change that does so anyway."""
    if not _Place.in_documents:
        _Place.unsaved[_key(document)] = record
        if document.annotation(ANNOTATION).data():
            document.removeAnnotation(ANNOTATION)
        return
    _Place.unsaved.pop(_key(document), None)
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    document.setAnnotation(ANNOTATION, _TITLE, text.encode("utf-8"))


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
