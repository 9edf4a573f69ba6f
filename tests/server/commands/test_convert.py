"""Layered files in another format, and what that costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from acetate import document

Command = Callable[..., tuple[int, str, str]]
CURVES = "'Contrast' (curves) changes what lies below it, and was left out"


def listed(acetate: Command, path: Path) -> list[str]:
    _, out, _ = acetate("layers", path, "--json")
    return [layer["name"] for layer in json.loads(out)["layers"]]


def test_convert_keeps_layers_between_the_formats(acetate: Command, scene: Path) -> None:
    other = scene.with_suffix(".ora" if scene.suffix == ".psd" else ".psd")
    assert acetate("convert", scene, other)[0] == 0
    assert listed(acetate, other) == listed(acetate, scene)


def test_a_list_names_what_a_conversion_cannot_keep_and_says_so(acetate: Command, lossy: Path) -> None:
    assert "  Contrast  0 x 0 at 0, 0  (curves)\n" in acetate("layers", lossy)[1]
    assert acetate("convert", lossy, "x.ora")[2].splitlines() == [f"note: {CURVES}"]


def test_the_file_that_was_written_is_named_and_the_source_stays(acetate: Command, scene: Path) -> None:
    before = scene.read_bytes()
    code, out, err = acetate("convert", scene, "flat.png")
    assert (code, out) == (0, "flat.png\n")
    assert [line[:6] for line in err.splitlines()] == ["note: "], "a picture has no layers"
    assert (document.read_image(Path("flat.png"))[30, 40] == (250, 30, 30, 255)).all(), "the kite above the paper"
    assert scene.read_bytes() == before


@pytest.mark.parametrize(("source", "target", "named"), [("missing.psd", "x.ora", "missing.psd"), (None, "x.xcf", "x.xcf")])
def test_a_file_that_cannot_be_read_or_written_is_named(
    acetate: Command, scene: Path, source: str | None, target: str, named: str
) -> None:
    code, out, err = acetate("convert", source or scene, target)
    assert (code, out) == (2, "") and named in err
    assert not Path(target).exists()
