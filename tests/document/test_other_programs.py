"""What other programs see in files written here: Pillow and psd-tools always, ImageMagick where it is installed (or has to be),
and two libraries of JavaScript where npm can fetch them."""

import base64
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acetate.document import Document, Group, Layer, compose, walk, write
from PIL import Image
from psd_tools import PSDImage

LIBRARIES = ("ag-psd@31", "@webtoon/psd@0.4")


def disc(colour, x, y, radius, size=(40, 56)):
    """A soft-edged disc on a transparent picture of its own colour."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    rgba = np.full((*size, 4), (*colour, 0), np.uint8)
    rgba[..., 3] = np.clip((radius - np.hypot(columns - x, rows - y)) * 60, 0, 255)
    return rgba


@pytest.fixture
def scene():
    apple = Layer(disc((200, 30, 40), 10, 10, 9, (20, 20)), -4, 12, "apple 🍎")
    return Document(
        56,
        40,
        (Layer(disc((90, 120, 200), 28, 20, 18), name="sky"), apple, Layer(disc((60, 160, 60), 36, 24, 12), name="яблоко")),
    )


@pytest.fixture
def opaque(scene):
    paper = Layer(np.full((40, 56, 4), (230, 220, 200, 255), np.uint8), name="paper")
    return Document(
        56, 40, (paper, Group("fruit", scene.layers, blend_mode="pass-through"), Layer(disc((0, 0, 0), 5, 5, 5), visible=False))
    )


def test_pillow_counts_the_layers_of_a_psd_and_takes_its_picture_for_rgba(tmp_path, scene):
    """Their pixels it takes in the wrong order, from files of Photoshop too: it expects alpha last."""
    write(scene, tmp_path / "a.psd")
    with Image.open(tmp_path / "a.psd") as image:
        image.load()
        assert (image.mode, image.size, image.n_frames) == ("RGBA", (56, 40), 3)


def test_pillow_sees_the_composition_of_an_opaque_psd(tmp_path, opaque, difference):
    write(opaque, tmp_path / "a.psd")
    with Image.open(tmp_path / "a.psd") as image:
        assert difference(np.asarray(image.convert("RGBA")), compose(opaque)) <= 1


def test_imagemagick_sees_the_composition_of_a_psd_with_soft_edges(tmp_path, scene, imagemagick, difference):
    write(scene, tmp_path / "a.psd")
    assert difference(imagemagick(f"{tmp_path / 'a.psd'}[0]"), compose(scene)) <= 1


def test_imagemagick_sees_the_composition_of_an_opaque_psd(tmp_path, opaque, imagemagick, difference):
    write(opaque, tmp_path / "a.psd")
    assert difference(imagemagick(f"{tmp_path / 'a.psd'}[0]"), compose(opaque)) <= 1


def test_imagemagick_reads_the_layers_of_a_psd(tmp_path, scene, imagemagick):
    write(scene, tmp_path / "a.psd")
    for number, layer in enumerate(scene.layers, 1):
        assert np.array_equal(imagemagick(f"{tmp_path / 'a.psd'}[{number}]"), layer.rgba)


def deep(name, seed):
    """16 bits of random colour and alpha, with 1024 levels of gray as the first row."""
    rgba = np.random.default_rng(seed).integers(0, 65536, (8, 1024, 4), dtype=np.uint16)
    rgba[0, :, :3], rgba[0, :, 3] = np.linspace(0, 65535, 1024).round()[:, None], 65535
    return Layer(rgba, name=name)


def test_imagemagick_reads_every_level_of_a_deep_psds_layers(tmp_path, imagemagick):
    layers = (deep("one", 1), deep("two", 2))
    write(Document(1024, 8, layers), tmp_path / "a.psd")
    for number, layer in enumerate(layers, 1):
        assert np.array_equal(imagemagick(f"{tmp_path / 'a.psd'}[{number}]", 16), layer.rgba)
    merged = imagemagick(f"{tmp_path / 'a.psd'}[0]", 16)
    assert np.array_equal(merged[0], layers[1].rgba[0])


def test_imagemagick_reads_every_level_of_a_deep_png_and_of_an_openraster_files_layers(tmp_path, imagemagick):
    document = Document(1024, 8, (deep("one", 1),))
    write(document, tmp_path / "a.png")
    write(document, tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        archive.extract("data/1.png", tmp_path)
    for name in ("a.png", "data/1.png"):
        assert np.array_equal(imagemagick(str(tmp_path / name), 16), document.layers[0].rgba)


def test_imagemagick_and_pillow_read_the_png_bit_for_bit(tmp_path, imagemagick):
    rgba = disc((90, 120, 200), 28, 20, 18)
    write(Document(56, 40, (Layer(rgba, parameters={"prompt": "ü"}),)), tmp_path / "a.png")
    assert np.array_equal(imagemagick(str(tmp_path / "a.png")), rgba)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), rgba)


def test_psd_tools_reads_the_layers_and_the_picture_of_a_psd(tmp_path, opaque, difference):
    write(opaque, tmp_path / "a.psd")
    psd = PSDImage.open(tmp_path / "a.psd")
    written = [node for node in walk(opaque.layers) if isinstance(node, Layer)]
    found = [layer for layer in psd.descendants() if not layer.is_group()]
    for layer, one in zip(found, written, strict=True):
        assert (layer.name, layer.offset, layer.visible) == (one.name, (one.x, one.y), one.visible)
        assert np.array_equal(np.asarray(layer.topil()), one.rgba)
    assert difference(np.asarray(psd.topil()), compose(opaque)) <= 1


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    """`javascript(library, file)`: a PSD's layers, top first, and its merged picture, as ag-psd or @webtoon/psd read it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node.js and npm here")
    folder = tmp_path_factory.mktemp("readers")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    try:
        subprocess.run([*install, *LIBRARIES], cwd=folder, capture_output=True, text=True, timeout=240, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        pytest.skip("npm cannot reach its registry")

    def read(library, file):
        command = ["node", str(Path(__file__).with_name("readers.mjs")), library, str(file)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


@pytest.mark.node
@pytest.mark.parametrize("library", ["ag-psd", "@webtoon/psd"])
def test_javascript_reads_every_layer_of_a_psd_bit_for_bit(tmp_path, opaque, javascript, library, difference):
    """ag-psd stands behind many web editors; Webtoon's is an independent reader."""
    write(opaque, tmp_path / "a.psd")
    found = javascript(library, tmp_path / "a.psd")
    layers = [one for one in found["layers"] if "pixels" in one]
    written = [node for node in walk(opaque.layers) if isinstance(node, Layer)][::-1]
    for one, layer in zip(layers, written, strict=True):
        pixels = np.frombuffer(base64.b64decode(one["pixels"]), np.uint8).reshape(layer.rgba.shape)
        assert (one["name"], one["left"], one["top"], one["hidden"]) == (layer.name, layer.x, layer.y, not layer.visible)
        assert np.array_equal(pixels, layer.rgba)
    merged = np.frombuffer(base64.b64decode(found["merged"]), np.uint8).reshape(40, 56, 4)
    assert difference(merged, compose(opaque)) <= 1


@pytest.mark.node
def test_ag_psd_knows_groups_modes_and_opacities(tmp_path, scene, javascript):
    faded = Group("fruit", scene.layers[1:], opacity=0.5, blend_mode="multiply")
    write(Document(56, 40, (replace(scene.layers[0], blend_mode="linear-burn", opacity=0.2), faded)), tmp_path / "a.psd")
    layers = {one["name"]: one for one in javascript("ag-psd", tmp_path / "a.psd")["layers"]}
    assert (layers["sky"]["mode"], layers["fruit"]["mode"]) == ("linear burn", "multiply")
    assert layers["sky"]["opacity"] == pytest.approx(0.2, abs=0.002)
    assert layers["fruit"]["opacity"] == pytest.approx(0.5, abs=0.002)
    assert "яблоко" in layers
