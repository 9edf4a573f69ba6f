"""When the models' folders are looked at, with a stamp that the test sets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from acetate.engine.files.library import Library
from acetate.server.http.model_watch import ModelWatch


class Folders:
    """Their stamp, how often it was taken, and how often a change was made known."""

    def __init__(self) -> None:
        self.stamp, self.looks, self.changes = 1, 0, 0
        self.fault: Exception | None = None
        self.connected = False
        self.told = asyncio.Event()

    def look(self) -> int:
        self.looks += 1
        if self.fault is not None:
            raise self.fault
        return self.stamp

    async def changed(self) -> None:
        self.changes += 1
        self.told.set()

    async def until_looked(self, times: int) -> None:
        async with asyncio.timeout(20):
            while self.looks < times:
                await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)


def watched(act: Any, seconds: float = 3600) -> None:
    async def scene() -> None:
        folders = Folders()
        watch = ModelWatch(seconds, lambda: folders.connected, folders.changed, folders.look)
        working = asyncio.create_task(watch.work())
        await act(watch, folders)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(scene())


def test_a_change_is_made_known_once_and_no_change_is_not() -> None:
    async def scene(watch: ModelWatch, folders: Folders) -> None:
        watch.look()
        await folders.until_looked(1)
        assert folders.changes == 1, "who knows what has come since the engines looked"
        watch.look()
        await folders.until_looked(2)
        assert folders.changes == 1
        folders.stamp = 2
        watch.look()
        await folders.until_looked(3)
        assert folders.changes == 2

    watched(scene)


def test_many_who_connect_at_once_are_one_look() -> None:
    async def scene(watch: ModelWatch, folders: Folders) -> None:
        for _ in range(600):
            watch.look()
        await folders.until_looked(1)
        assert folders.looks == 1

    watched(scene)


def test_while_someone_is_connected_it_is_looked_by_and_by() -> None:
    async def scene(watch: ModelWatch, folders: Folders) -> None:
        folders.connected = True
        watch.look()
        await folders.until_looked(1)
        folders.told.clear()
        folders.stamp = 2
        await asyncio.wait_for(folders.told.wait(), 20)

    watched(scene, seconds=0.01)


def test_without_anyone_nothing_is_looked_at() -> None:
    async def scene(watch: ModelWatch, folders: Folders) -> None:
        await asyncio.sleep(0.05)
        assert folders.looks == 0

    watched(scene, seconds=0.001)


def test_a_folder_that_cannot_be_read_ends_nothing() -> None:
    async def scene(watch: ModelWatch, folders: Folders) -> None:
        folders.fault = OSError("stale file handle")
        watch.look()
        await folders.until_looked(1)
        folders.fault = None
        watch.look()
        await folders.until_looked(2)
        assert folders.changes == 1

    watched(scene)


@pytest.mark.parametrize("change", ["added", "removed", "replaced", "folder added"])
def test_the_librarys_stamp_changes_with_its_files(tmp_path: Path, change: str) -> None:
    library = Library(tmp_path / "models", tmp_path / "settings", tmp_path / "cache")
    model = tmp_path / "models" / "checkpoints" / "painter.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    before = library.stamp()
    assert library.stamp() == before
    if change == "added":
        (model.parent / "inker.safetensors").write_bytes(b"weights")
    elif change == "removed":
        model.unlink()
    elif change == "replaced":
        model.write_bytes(b"other weights")
    else:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "inker.safetensors").write_bytes(b"weights")
        (tmp_path / "settings").mkdir()
        (tmp_path / "settings" / "library.json").write_text(f'{{"folders": ["{tmp_path / "elsewhere"}"]}}')

    assert library.stamp() != before
