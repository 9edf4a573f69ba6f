"""A list says what a file holds, and reads none of its pixels."""

import io

import numpy as np
import pytest
from acetate.document import Box, Document, Group, Layer, TooLarge, UnreadableFile, outline, outline_bytes, read, write
from acetate.document.outline import of_document
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Tag


@pytest.fixture
def tree(noise):
    inner = Group("inner", (Layer(noise(3, 4), -2, 5, "林檎", "foreground", 0.4, "multiply", False, {"seed": 3}),), opacity=0.5)
    group = Group("Group", (inner, Layer(noise(0, 0), name="empty")), visible=False)
    shade = Layer(noise(4, 4), name="shade", clipped=True)
    return Document(16, 12, (Layer(noise(12, 16), name="Paper"), shade, group))


@pytest.mark.parametrize("format", ["psd", "ora", "png"])
def test_the_list_of_a_file_is_that_of_the_document_in_it(tree, tmp_path, format):
    write(tree, tmp_path / f"a.{format}")
    listed, whole = outline(tmp_path / f"a.{format}"), of_document(read(tmp_path / f"a.{format}"))
    assert listed == whole
    assert outline_bytes((tmp_path / f"a.{format}").read_bytes(), name=f"a.{format}") == whole


@pytest.mark.parametrize("depth", [8, 16])
def test_what_else_the_file_says_of_a_layer_is_named(tmp_path, depth, noise):
    psd = PSDImage.new("RGB", (8, 6), depth=depth)
    base = psd.create_pixel_layer(Image.new("RGB", (4, 4)), "base")
    base.create_mask(Image.new("L", (4, 4), 90))
    psd.create_pixel_layer(Image.new("RGB", (4, 4)), "shade").clipping = True
    psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Contrast").tagged_blocks.set_data(Tag.INVERT)
    with (tmp_path / "a.psd").open("wb") as file:
        psd._record.write(file)
    assert [(entry.name, entry.has) for entry in outline(tmp_path / "a.psd").entries] == [
        ("base", ("mask",)),
        ("shade", ("clipped",)),
        ("Contrast", ("invert",)),
    ]


def test_where_a_mask_shows_something_is_listed(tmp_path):
    psd = PSDImage.new("RGB", (8, 6))
    for name, outside in (("window", 0), ("hole", 255)):
        mask = psd.create_pixel_layer(Image.new("RGB", (8, 6)), name).create_mask(Image.new("L", (3, 2), 90), left=4, top=1)
        mask._data.background_color = outside
    psd.save(tmp_path / "a.psd")
    assert {entry.name: entry.mask for entry in outline(tmp_path / "a.psd").entries} == {"window": Box(4, 1, 3, 2), "hole": None}


def test_the_pixels_are_not_read(tmp_path, monkeypatch):
    layers = [Layer(np.random.default_rng(i).integers(0, 256, (512, 512, 4), np.uint8), name=f"{i}") for i in range(6)]
    write(Document(512, 512, layers), tmp_path / "a.psd")
    taken = 0
    real = io.BufferedReader

    class Counting(io.FileIO):
        def readinto(self, buffer):
            nonlocal taken
            got = super().readinto(buffer)
            taken += got or 0
            return got

    monkeypatch.setattr("builtins.open", lambda path, mode="r": real(Counting(path, mode)))
    assert len(outline(tmp_path / "a.psd").entries) == 6
    assert taken < 0.1 * (tmp_path / "a.psd").stat().st_size  # a buffer's worth here and there


def test_a_flat_psd_has_its_picture_as_the_only_entry(tmp_path):
    PSDImage.frompil(Image.new("RGB", (5, 4), (9, 9, 9))).save(tmp_path / "flat.psd")
    assert [entry.name for entry in outline(tmp_path / "flat.psd").entries] == ["Background"]


def test_what_cannot_be_read_is_refused_in_the_same_words(tmp_path, tree):
    write(tree, tmp_path / "a.psd")
    data = (tmp_path / "a.psd").read_bytes()
    (tmp_path / "cut.psd").write_bytes(data[: len(data) // 3])
    with pytest.raises(UnreadableFile, match=r"cut.psd is not a readable PSD"):
        outline(tmp_path / "cut.psd")
    (tmp_path / "huge.psd").write_bytes(data[:14] + (600_000).to_bytes(4, "big") + data[18:])
    with pytest.raises(TooLarge, match="600000"):
        outline(tmp_path / "huge.psd")
    with pytest.raises(UnreadableFile, match="cannot be read: No such file"):
        outline(tmp_path / "none.psd")
