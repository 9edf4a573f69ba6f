"""Pictures as files: where they may go, what they are called, and what they carry."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.engine import Picture
from acetate.server.command_line.exit_codes import UsageError
from acetate.server.command_line.outputs import OutputFile, parameters_of

Command = Callable[..., tuple[int, str, str]]


def picture(role: Any = "foreground", index: int = 0, *, hidden: bool = False, level: int = 200, side: int = 4) -> Picture:
    parameters = {"task": "foreground", "prompt": "a kite", "seed": 5 + index}
    rgba = np.full((side, side, 4), level, np.uint8)
    return Picture(rgba=rgba, role=role, index=index, seed=5 + index, parameters=parameters, hidden=hidden)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("generate", "x", "-o", "x.jpg"), ".jpg"),
        (("generate", "x", "-o", "x"), "suffix"),
        (("generate", "x", "-o", "."), "folder"),
        (("generate", "x", "-o", "nowhere/x.png"), "nowhere is not a folder"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_named_before_work_begins(
    acetate: Command, words: tuple[str, ...], named: str
) -> None:
    code, _, err = acetate(*words, "--alone")
    assert code == 2
    assert err.startswith("acetate: ") and named in err


def test_a_folder_that_cannot_be_written_is_named_before_work_begins(acetate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path))  # root may write everywhere
    code, _, err = acetate("generate", "x", "-o", "locked/x.png", "--alone")
    assert code == 2
    assert "locked" in err


@pytest.mark.parametrize(
    ("made", "names"),
    [
        ([picture()], ["kite.PNG"]),
        ([picture(index=0), picture(index=1)], ["kite-1.PNG", "kite-2.PNG"]),
        ([picture("background"), picture("blended")], ["kite-background.PNG", "kite-blended.PNG"]),
        (
            [picture(role, index) for index in (0, 1) for role in ("foreground", "blended")],
            ["kite-1-foreground.PNG", "kite-1-blended.PNG", "kite-2-foreground.PNG", "kite-2-blended.PNG"],
        ),
    ],
    ids=["one", "candidates", "layers", "both"],
)
def test_files_are_told_apart_by_what_tells_their_pictures_apart(tmp_path: Path, made: list[Picture], names: list[str]) -> None:
    written = OutputFile(tmp_path / "kite.PNG").write(made, notes=[])
    assert [path.name for path in written] == names == sorted(names, key=names.index)
    assert {path.name for path in tmp_path.iterdir()} == set(names)


def test_every_picture_is_in_its_own_file_with_what_made_it(tmp_path: Path) -> None:
    made = [picture(index=index, level=50 + index) for index in range(3)]
    for path, one in zip(OutputFile(tmp_path / "kite.png").write(made, notes=[]), made, strict=True):
        assert np.array_equal(document.read_image(path), one.rgba)
        assert parameters_of(path) == one.parameters


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
def test_a_layered_file_holds_all_pictures_on_the_largest_canvas(tmp_path: Path, suffix: str) -> None:
    path, notes = tmp_path / f"kite{suffix}", ["read before"]
    made = [picture("foreground", side=4), picture("background", side=6)]
    assert OutputFile(path).write(made, name="My\x07 kite", notes=notes) == [path, path]
    whole = document.read(path)

    assert (whole.width, whole.height) == (6, 6)
    assert {node.role for node in document.walk(whole.layers) if isinstance(node, document.Layer)} == {"foreground", "background"}
    assert notes[0] == "read before" and any("My" in note for note in notes[1:]), "what the file could not keep"


def test_a_file_that_was_made_elsewhere_carries_no_parameters(tmp_path: Path) -> None:
    document.write(document.Document(4, 4, (document.Layer(picture().rgba),)), tmp_path / "photo.png")
    with pytest.raises(UsageError, match=r"photo\.png"):
        parameters_of(tmp_path / "photo.png")


def test_a_reference_has_its_pixels_in_a_file_of_its_own(tmp_path: Path) -> None:
    OutputFile(tmp_path / "x.png").write([picture(), picture("blended", hidden=True)], notes=[])
    assert document.read_image(tmp_path / "x-blended.png")[0, 0].tolist() == [200, 200, 200, 200]
