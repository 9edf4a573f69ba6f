"""The scripts of docs/gimp.md in the real GIMP: taken from the page, and run as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Gimp

PAGE = Path(__file__).parents[3] / "docs" / "gimp.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"[#;] ([\w.]+)\n")
"""A script's first line says what it is to be saved as."""
SIDE = 24


@pytest.fixture(scope="module")
def folder(gimp: Gimp) -> Path:
    """The page's scripts, and two pictures for the one that works through a folder."""
    made = gimp.out / "manual"
    (made / "pictures").mkdir(parents=True)
    for language, text in blocks():
        if language != "sh":
            named = NAMED.match(text)
            assert named is not None, text
            (made / named.group(1)).write_text(text, encoding="utf-8")
    for name, shade in (("one", 40), ("two", 200)):
        rgba = np.full((SIDE, SIDE, 4), shade, np.uint8)
        Image.fromarray(rgba).save(made / "pictures" / f"{name}.png")
    (made / "pictures" / "broken.png").write_bytes(b"no picture")
    return made


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def commands() -> list[str]:
    return [text.strip() for language, text in blocks() if language == "sh" and text.startswith("gimp-console-3")]


def follow(gimp: Gimp, folder: Path, name: str) -> str:
    """Run the page's command that has the file's name in it; returns what GIMP said."""
    (command,) = [one for one in commands() if name in one]
    log = folder / f"{name}.log"
    gimp.run(["sh", "-ec", f"cd {folder}; {command}"], log)
    return log.read_text(errors="replace")


@pytest.mark.usefixtures("drawing_server")
def test_the_python_script_makes_a_layer_and_its_background(gimp: Gimp, folder: Path) -> None:
    said = follow(gimp, folder, "apple.py")
    data = (folder / "apple.xcf").read_bytes() if (folder / "apple.xcf").exists() else b""
    assert data.startswith(b"gimp xcf") and b"a red apple" in data and b"a meadow" in data, said


@pytest.mark.usefixtures("drawing_server")
def test_the_script_fu_makes_a_layer_and_names_it(gimp: Gimp, folder: Path) -> None:
    said = follow(gimp, folder, "ball.scm")
    data = (folder / "ball.xcf").read_bytes() if (folder / "ball.xcf").exists() else b""
    assert data.startswith(b"gimp xcf") and b"ball\0" in data, said


@pytest.mark.usefixtures("drawing_server")
def test_the_batch_enlarges_every_picture_and_names_the_broken_one(gimp: Gimp, folder: Path) -> None:
    said = follow(gimp, folder, "enlarge.py")
    made = sorted(path.name for path in (folder / "larger").glob("*"))
    assert made == ["one.png", "two.png"], said
    for path in (folder / "larger").iterdir():
        with Image.open(path) as picture:
            assert picture.size == (2 * SIDE, 2 * SIDE) and picture.mode == "RGBA"
    assert "broken.png:" in said


def test_every_script_of_the_page_is_run() -> None:
    scripts = [NAMED.match(text) for language, text in blocks() if language in ("python", "scheme")]
    assert [one is not None and any(one.group(1) in command for command in commands()) for one in scripts] == [True] * 3
