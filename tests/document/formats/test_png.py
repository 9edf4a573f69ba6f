import numpy as np
import pytest
from acetate.document import Document, Group, Layer, losses, read, read_bytes, write, write_bytes
from acetate.document.composition import compose
from PIL import Image


def test_one_plain_layer_keeps_its_pixels_name_role_and_parameters(tmp_path, noise):
    rgba = noise(12, 10)
    layer = Layer(rgba, name="kite 🪁", role="foreground", parameters={"prompt": "a kite", "seed": 5})
    document = Document(10, 12, (layer,))
    assert write(document, tmp_path / "kite.png") == ()
    back = read(tmp_path / "kite.png").layers[0]
    assert np.array_equal(back.rgba, rgba)
    assert (back.name, back.role, dict(back.parameters)) == (layer.name, layer.role, layer.parameters)


def test_the_parameters_stand_in_an_international_text_chunk_called_acetate(tmp_path, noise):
    layer = Layer(noise(2, 2), parameters={"prompt": "über 🪁"})
    write(Document(2, 2, (layer,)), tmp_path / "a.png")
    assert b"iTXtacetate\0" in (tmp_path / "a.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert '"acetate": 1' in image.text["acetate"]


def test_without_parameters_there_is_no_text(tmp_path, noise):
    assert b"iTXt" not in write_bytes(Document(2, 2, (Layer(noise(2, 2)),)), "png")


def test_several_layers_become_their_composition_and_it_is_said(noise, difference):
    parts = Layer(noise(8, 8, 1), parameters={"seed": 1}, name="a"), Group("g", (Layer(noise(4, 4, 2), 3, 1, "b"),), opacity=0.5)
    document = Document(8, 8, parts)
    back = read_bytes(write_bytes(document, "png"), name_or_format="scene.png")
    assert difference(back.layers[0].rgba, compose(document)) == 0
    assert back.layers[0].name == "scene"
    assert back.layers[0].parameters["layers"][0]["name"] == "a"
    assert losses(document, "png") == ("PNG has no layers; merged into one picture: 2",)


@pytest.mark.parametrize("look", [{"opacity": 0.5}, {"visible": False}, {"x": 1}])
def test_a_layer_that_is_faded_hidden_or_moved_is_composed(look, noise, difference):
    document = Document(6, 6, (Layer(noise(6, 6), **look),))
    back = read_bytes(write_bytes(document, "png"), name_or_format="a.png")
    assert difference(back.layers[0].rgba, compose(document)) == 0


def test_a_picture_of_another_program_is_named_after_its_file(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "holiday photo.jpeg")
    assert read(tmp_path / "holiday photo.jpeg").layers[0].name == "holiday photo"
