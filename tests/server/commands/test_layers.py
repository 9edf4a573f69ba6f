"""What a layered file holds, as a list and as pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate import document

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """A hidden group of two layers above a layer that carries what it was made from."""

    def layer(name: str, **more: object) -> document.Layer:
        return document.Layer(np.full((3, 4, 4), 200, np.uint8), name=name, **more)  # type: ignore[arg-type]

    low = layer("Low", x=-2, y=5, role="background", parameters={"seed": 7})
    inside = (layer("Inner"), layer("../Inner: 2", opacity=0.5))
    group = document.Group("Group", inside, visible=False, blend_mode="multiply")
    path = tmp_path / "nested.ora"
    document.write(document.Document(16, 12, (low, group)), path)
    return path


def test_layers_are_listed_top_first_as_in_an_editor(acetate: Command, nested: Path) -> None:
    code, out, _ = acetate("layers", nested)
    assert code == 0
    assert out.splitlines() == [
        f"{nested}: 16 x 12",
        "  Group/  (multiply, hidden)",
        "    ../Inner: 2  4 x 3 at 0, 0  (50%)",
        "    Inner  4 x 3 at 0, 0",
        "  Low  4 x 3 at -2, 5",
    ]


def test_json_has_the_same_tree_with_all_that_a_layer_carries(acetate: Command, nested: Path) -> None:
    told = json.loads(acetate("layers", nested, "--json")[1])
    group, low = told["layers"]

    assert (told["width"], told["height"], told["notes"]) == (16, 12, [])
    assert (group["visible"], group["blend_mode"], [inner["name"] for inner in group["layers"]]) == (
        False,
        "multiply",
        ["../Inner: 2", "Inner"],
    )
    assert [inner["opacity"] for inner in group["layers"]] == [0.5, 1.0]
    assert {name: low[name] for name in ("x", "y", "width", "height", "role")} == {
        "x": -2,
        "y": 5,
        "width": 4,
        "height": 3,
        "role": "background",
    }
    assert low["parameters"]["seed"] == 7


def test_extract_writes_one_canvas_sized_png_per_layer(acetate: Command, scene: Path, tmp_path: Path) -> None:
    assert acetate("layers", scene, "--extract", tmp_path / "parts")[0] == 0
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert names == ["01 Paper.png", "02 Sky.png", "03 Kite.png"]
    sheet = document.read_image(tmp_path / "parts" / "03 Kite.png")
    assert sheet.shape == (48, 64, 4)
    assert (sheet[20:36, 30:46] == (250, 30, 30, 255)).all()
    assert sheet[..., 3].sum() == 16 * 16 * 255


def test_a_hidden_layer_is_extracted_with_its_pixels(acetate: Command, tmp_path: Path) -> None:
    """And with its opacity worked in, as that of a visible one."""
    layers = [
        document.Layer(np.full((4, 4, 4), 200, np.uint8), name=name, visible=visible, opacity=0.5)
        for name, visible in (("seen", True), ("hidden", False))
    ]
    document.write(document.Document(4, 4, layers), tmp_path / "two.ora")
    assert acetate("layers", tmp_path / "two.ora", "--extract", tmp_path / "parts")[0] == 0
    sheets = [document.read_image(tmp_path / "parts" / name) for name in ("01 seen.png", "02 hidden.png")]
    assert (sheets[0] == sheets[1]).all()
    assert sheets[1][0, 0].tolist() == [200, 200, 200, 100]


def test_names_of_layers_lead_out_of_no_folder(acetate: Command, nested: Path, tmp_path: Path) -> None:
    assert acetate("layers", nested, "--extract", tmp_path / "new" / "parts")[0] == 0
    assert sorted(path.name for path in (tmp_path / "new" / "parts").iterdir()) == [
        "01 Low.png",
        "02 Inner.png",
        "03 Inner 2.png",
    ]
