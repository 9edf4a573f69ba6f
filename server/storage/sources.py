"""The contents that a job works from, proved before it runs. Knows orders, the store and blobs; runs nothing.

They are read here once more than needed, from memory mostly. In return no runner, wherever it runs, has to know what a damaged
content is, and the next upload of it finds its place free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from acetate.protocol import Layer
from acetate.protocol import messages as wire

from .blobs import Blobs
from .store import Store
from .stored_content import ContentBrokenError, StoredContent, prove

Files = Mapping[str, Mapping[str, Any]]
Order = wire.Submit | wire.Insert | wire.Export


async def proved_files(order: Order, layers: Sequence[Layer], store: Store, blobs: Blobs) -> Files:
    """The paths and formats of an order's pictures, or of the `layers` that it exports, by name. Raises `ContentBrokenError`."""
    files: dict[str, Mapping[str, Any]] = {}
    for sha256, what in _wanted(order, layers):
        if sha256 in files:
            continue
        blob = store.blob(sha256)
        if blob is None:
            raise ContentBrokenError(what, "is not on the server any more", wrong=False)
        content = StoredContent(blobs, sha256, blob.bytes, what, blob.format, blob.width or 0, blob.height or 0)
        await asyncio.to_thread(prove, content)
        files[sha256] = {"path": blobs.path(sha256), "format": blob.format, "width": blob.width, "height": blob.height}
    return files


def _wanted(order: Order, layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """The name of each content, and what people call it."""
    if isinstance(order, wire.Export):
        yield from ((layer.sha256, f'layer {layer.index} ("{layer.name}") of job {layer.job}') for layer in layers if layer.bytes)
    elif isinstance(order, wire.Insert):
        yield order.sha256, "the uploaded file"
    else:
        yield from ((picture.sha256, f"the picture for {role}") for role, picture in order.conditions.placed())
