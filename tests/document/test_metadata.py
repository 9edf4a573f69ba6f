"""What a document says of itself and of its layers travels from file to file, and what cannot is said."""

import io

import numpy as np
import pytest
from acetate.document import Document, Group, Layer, losses, read, read_bytes, write, write_bytes
from acetate.document.formats import generation_metadata, xmp
from acetate.document.metadata import Guide, Metadata
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource, Tag

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:rights>me</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>'
)
ALL = Metadata((300.0, 150.5), XMP, b"\x1c\x02\x74\0\x02me", (Guide("vertical", 2.5), Guide("horizontal", 4.0)))


@pytest.fixture
def scene(noise):
    layer = Layer(noise(8, 8), name="kite", label="violet", locks=frozenset({"position", "transparency"}))
    group = Group("sky", (Layer(noise(8, 8), name="cloud"),), label="fuchsia", locks=frozenset({"all"}))
    return Document(8, 8, (group, layer), metadata=ALL)


@pytest.mark.parametrize("suffix", ["psd", "psb"])
def test_all_of_it_travels_through_a_psd(tmp_path, scene, suffix):
    assert write(scene, tmp_path / f"a.{suffix}") == ()
    found = read(tmp_path / f"a.{suffix}")
    assert found.metadata == ALL
    assert [(node.label, node.locks) for node in found.layers] == [(node.label, node.locks) for node in scene.layers]


def test_a_psd_has_it_where_photoshop_looks_for_it(scene):
    psd = PSDImage.open(io.BytesIO(write_bytes(scene, "psd")))
    resolution = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
    assert (resolution.horizontal, resolution.vertical) == (300 * 65536, 150 * 65536 + 32768)
    assert psd.image_resources.get_data(Resource.GRID_AND_GUIDES_INFO).data == [(80, 0), (128, 1)]
    assert psd[1].tagged_blocks.get_data(Tag.PROTECTED_SETTING) == 0b101, "transparency and position, not the pixels"


def test_openraster_keeps_the_resolution_and_says_what_it_has_no_place_for(tmp_path, scene):
    said = "OpenRaster has no place for these, which were left out: XMP, IPTC, guides, layer colours, locks"
    assert said in write(scene, tmp_path / "a.ora")
    assert read(tmp_path / "a.ora").metadata == Metadata((300.0, 150.0))


def test_png_keeps_resolution_and_copyright(tmp_path, scene):
    said = write(scene, tmp_path / "a.png")
    assert said[1:] == ("PNG has no place for these, which were left out: IPTC, guides",)
    found = read(tmp_path / "a.png").metadata
    assert found.xmp == XMP and found.resolution == pytest.approx((300, 150.5), abs=0.02)
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 150.5), abs=0.02)


def test_a_photograph_brings_its_resolution_and_copyright(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", dpi=(240, 240), xmp=XMP)
    assert read(tmp_path / "a.jpg").metadata == Metadata((240.0, 240.0), XMP)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.tif", dpi=(240, 240))
    assert read(tmp_path / "a.tif").metadata.resolution == (240.0, 240.0)


def test_without_any_of_it_nothing_is_made_up(tmp_path, noise):
    plain = Document(4, 4, (Layer(noise(4, 4)),))
    for format in ("psd", "ora", "png"):
        assert losses(plain, format) == ()
        assert read_bytes(write_bytes(plain, format), name_or_format="a").metadata == Metadata()


def test_a_record_of_ours_is_written_beside_somebody_elses_copyright_and_never_twice(noise):
    document = Document(4, 4, (Layer(noise(4, 4), parameters={"seed": 1}),), metadata=Metadata(xmp=XMP))
    once = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    assert once.layers[0].parameters == {"seed": 1} and once.metadata.xmp == XMP
    again = PSDImage.open(io.BytesIO(write_bytes(once, "psd"))).image_resources.get_data(Resource.XMP_METADATA)
    assert again.count(b"acetate") == 1 and b"<dc:rights>me</dc:rights>" in again


def test_a_packet_that_only_holds_our_record_is_none():
    text = generation_metadata.text(1, 1, {1: Layer(np.zeros((1, 1, 4), np.uint8), parameters={"seed": 1})})
    assert xmp.without_record(xmp.packet(text)) == b""
    assert xmp.without_record(XMP) == XMP


@pytest.mark.parametrize(("field", "value", "said"), [("label", "pink", "'pink'"), ("locks", frozenset({"door"}), "door")])
def test_marks_that_there_are_not_are_refused(field, value, said):
    with pytest.raises(ValueError, match=said):
        Group("g", **{field: value})


def test_what_photoshop_does_not_take_is_said():
    deep = Group("inmost")
    for _ in range(10):
        deep = Group("outer", (deep,))
    assert losses(Document(1, 1, (deep,)), "psd") == ("Photoshop takes groups at most 10 deep; the document has them 11 deep",)
    many = Document(1, 1, tuple(Layer(np.zeros((0, 0, 4), np.uint8)) for _ in range(8001)))
    assert losses(many, "psb") == ("Photoshop takes at most 8,000 layers and groups; the document has 8,001",)
    assert losses(many, "ora") == ()
