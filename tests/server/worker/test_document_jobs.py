"""Finished layers put together as one document."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acetate import document
from acetate.protocol import Box, Group, Layer
from acetate.protocol.messages import Export, Insert
from acetate.server.worker.document_jobs import DocumentJobs, assemble
from acetate.server.worker.layers import write_pixels
from acetate.server.worker.worker_messages import Made, MadeFile, RunJob
from acetate.vocabulary.names import is_clean


def finished(job: str, order: int, box: Box, *, group: tuple[Group, ...] = (), empty: bool = False) -> Layer:
    size = 0 if empty else box.width * box.height * 4
    width, height = (0, 0) if empty else (box.width, box.height)
    name = f"{job} {order}"
    return Layer(job, order, name, "foreground", box.x, box.y, width, height, box, "rgba8", size, name, order=order, group=group)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Pixels of 4 x 3 for every layer of two jobs."""
    path = tmp_path / "pixels"
    write_pixels(path, np.full((3, 4, 4), 7, np.uint8))
    return {f"{job} {order}": {"path": str(path)} for job in ("one", "two") for order in range(3)}


def test_without_a_size_the_canvas_is_the_smallest_that_holds_everything(files: dict[str, dict[str, str]]) -> None:
    layers = [finished("one", 0, Box(-10, 5, 4, 3)), finished("one", 1, Box(20, -7, 4, 3))]
    whole = assemble(layers, files, None, None)
    assert (whole.width, whole.height) == (34, 15)
    assert [node.box for node in whole.layers] == [Box(0, 12, 4, 3), Box(30, 0, 4, 3)]


def test_with_a_size_layers_stay_where_they_lie(files: dict[str, dict[str, str]]) -> None:
    whole = assemble([finished("one", 0, Box(-10, 5, 4, 3))], files, 64, 32)
    assert (whole.width, whole.height) == (64, 32)
    assert whole.layers[0].box == Box(-10, 5, 4, 3)


def test_jobs_lie_one_above_the_other_and_their_layers_in_their_order(files: dict[str, dict[str, str]]) -> None:
    box, shared = Box(0, 0, 4, 3), (Group("g", "Shared", visible=False, opacity=0.5, blend_mode="multiply"),)
    layers = [
        finished("one", 2, box, group=shared),
        finished("one", 1, box),
        finished("one", 0, box, group=shared),
        finished("two", 0, box, empty=True),
    ]
    group, alone, top = assemble(layers, files, None, None).layers
    assert isinstance(group, document.Group) and [node.name for node in group.children] == ["one 0", "one 2"]
    assert (group.name, group.visible, group.opacity, group.blend_mode) == ("Shared", False, 0.5, "multiply")
    assert (alone.name, top.name) == ("one 1", "two 0")
    assert isinstance(top, document.Layer) and top.rgba.size == 0


def test_layers_of_a_file_come_with_clean_names_whatever_program_wrote_it(tmp_path: Path) -> None:
    kite = document.Layer(np.full((3, 4, 4), 9, np.uint8), name="Kite")
    written = document.write_bytes(document.Document(4, 3, [document.Group("Sky", [kite])]), "ora")
    (tmp_path / "clean.ora").write_bytes(written)
    with zipfile.ZipFile(tmp_path / "clean.ora") as clean, zipfile.ZipFile(tmp_path / "hostile.ora", "w") as hostile:
        for entry in clean.infolist():
            data = clean.read(entry)
            if entry.filename == "stack.xml":
                data = data.replace(b"Kite", b"gnp.&#x202e;etiK&#x2028;&#xa;x").replace(b"Sky", b"S&#x2067;k&#x9b;y")
            hostile.writestr(entry, data)
    order = Insert("job-number-1", "ab" * 32, "ora")
    command = RunJob(order, {order.sha256: {"path": str(tmp_path / "hostile.ora")}})
    (layer,) = [report.layer for report, _ in DocumentJobs(tmp_path).run(command) if isinstance(report, Made)]

    assert (layer.name, layer.group[0].name) == ("gnp.etiK  x", "Sky")


@pytest.fixture
def ramp() -> document.Layer:
    """1024 levels."""
    rgba = np.full((1, 1024, 4), 65535, np.uint16)
    rgba[..., :3] = np.linspace(0, 65535, 1024).round()[None, :, None]
    return document.Layer(rgba, name="ramp")


@pytest.mark.parametrize("format", ["psd", "ora", "png"])
def test_a_layer_of_16_bits_is_sent_with_all_its_levels(tmp_path: Path, ramp: document.Layer, format: str) -> None:
    (tmp_path / "file").write_bytes(document.write_bytes(document.Document(1024, 1, [ramp]), format))
    order = Insert("job-number-1", "ab" * 32, format)  # type: ignore[arg-type]
    command = RunJob(order, {order.sha256: {"path": str(tmp_path / "file")}})
    ((made, small),) = [(made, small) for made, small in DocumentJobs(tmp_path).run(command) if isinstance(made, Made)]

    assert (made.layer.format, made.layer.bytes) == ("rgba16", 8 * 1024)
    assert np.array_equal(np.frombuffer((tmp_path / made.name).read_bytes(), "<u2").reshape(1, 1024, 4), ramp.rgba)
    assert len(small) == 4 * made.thumbnail_width * made.thumbnail_height


def test_a_stored_layer_of_16_bits_is_exported_with_all_its_levels(tmp_path: Path, ramp: document.Layer) -> None:
    write_pixels(tmp_path / "pixels", ramp.rgba)
    layer = replace(finished("one", 0, Box(0, 0, 1024, 1)), format="rgba16", bytes=8 * 1024)
    whole = assemble([layer], {layer.sha256: {"path": str(tmp_path / "pixels")}}, None, None)

    assert whole.depth == 16
    assert np.array_equal(document.compose(whole), ramp.rgba)


@pytest.mark.parametrize("name", ["a\0b\x1b", " .. .. tmp evil", "../../x", "con", "photo\u202egnp.exe", "\n", "x" * 500])
def test_an_exported_files_name_suits_any_file_system(name: str, files: dict[str, dict[str, str]], tmp_path: Path) -> None:
    layer = replace(finished("one", 0, Box(0, 0, 4, 3)), name=name)
    command = RunJob(Export("job-number-1", ("one",), "png"), files, (layer,))
    (file,) = [report.file for report, _ in DocumentJobs(tmp_path).run(command) if isinstance(report, MadeFile)]

    assert is_clean(file.name) and file.name == file.name.strip(" .") and len(file.name) < 80
    assert not set(file.name) & set('/\\:*?"<>|') and file.name.endswith(".png") and file.name != "con.png"
