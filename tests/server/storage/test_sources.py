"""What a job works from is proved before it runs, and named as people call it when it is not right."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Layer, content_id
from acetate.protocol.messages import Conditions, Export, Insert, Placed, Submit
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.sources import proved_files
from acetate.server.storage.store import Store, StoredBlob
from acetate.server.storage.stored_content import ContentBrokenError

JOB = "job-number-1"
DATA = bytes(range(64))
PICTURE, FILE = content_id(DATA, "rgba8", 4, 4), content_id(DATA)
LAYER = Layer(JOB, 2, "kite", "foreground", 0, 0, 4, 4, Box(0, 0, 4, 4), "rgba8", len(DATA), PICTURE)
EMPTY = Layer(JOB, 3, "nothing", "foreground", 0, 0, 0, 0, Box(0, 0, 4, 4), "rgba8", 0, "0" * 64)

ORDERS: dict[str, tuple[Any, list[Layer], str]] = {
    "the picture for mask": (Submit(JOB, "repaint", conditions=Conditions(mask=Placed(PICTURE))), [], PICTURE),
    "the uploaded file": (Insert(JOB, FILE, "psd"), [], FILE),
    f'layer 2 ("kite") of job {JOB}': (Export("job-number-2", (JOB,), "psd"), [LAYER, EMPTY], PICTURE),
}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[Store, Blobs]]:
    """A store and blobs with a picture and a file."""
    store, blobs = Store(tmp_path / "jobs.sqlite"), Blobs(tmp_path / "blobs")
    for blob in (StoredBlob(PICTURE, len(DATA), "rgba8", 4, 4), StoredBlob(FILE, len(DATA), "file", None, None)):
        Path(blobs.incoming("made")).write_bytes(DATA)
        blobs.adopt("made", blob.sha256)
        store.keep_upload(blob)
    yield store, blobs
    store.close()


@pytest.mark.parametrize("what", ORDERS)
def test_what_is_right_is_named_by_path_and_format(kept: tuple[Store, Blobs], what: str) -> None:
    order, layers, name = ORDERS[what]
    files = asyncio.run(proved_files(order, layers, *kept))

    assert list(files) == [name] and files[name]["path"] == kept[1].path(name)
    assert (files[name]["format"], files[name]["width"]) == (("file", None) if name == FILE else ("rgba8", 4))


@pytest.mark.parametrize("what", ORDERS)
def test_what_is_wrong_is_named_and_out_of_the_way(kept: tuple[Store, Blobs], what: str) -> None:
    order, layers, name = ORDERS[what]
    path = Path(kept[1].path(name))
    path.write_bytes(DATA[::-1])
    with pytest.raises(ContentBrokenError) as error:
        asyncio.run(proved_files(order, layers, *kept))

    assert str(error.value) == f"{what} is damaged on the server's disk: its bytes have changed"
    assert not path.exists()


def test_what_was_evicted_meanwhile_is_said_as_well(kept: tuple[Store, Blobs]) -> None:
    with pytest.raises(ContentBrokenError, match="the uploaded file is not on the server any more"):
        asyncio.run(proved_files(Insert(JOB, "1" * 64, "psd"), [], *kept))
