import io
import zipfile

import numpy as np
import pytest
from acetate.document import (
    BLEND_MODES,
    Box,
    Document,
    Group,
    Layer,
    LayerNotFound,
    Mask,
    TooLarge,
    UnreadableFile,
    UnsupportedFile,
    compose,
    find,
    insert_into_bytes,
    losses,
    names,
    read,
    read_bytes,
    walk,
    write_bytes,
)
from acetate.document.formats import ora_reading
from acetate.document.formats.ora_operators import OPERATORS
from acetate.document.formats.picture import decode
from acetate.document.formats.png import encode

PIXEL = encode(np.full((1, 1, 4), 255, np.uint8))


def archive(stack, members=None, size='w="8" h="6"'):
    """An OpenRaster file with the given XML inside the root stack."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("mimetype", "image/openraster", zipfile.ZIP_STORED)
        target.writestr("stack.xml", f"<image {size}><stack>{stack}</stack></image>")
        for name, data in {"data/a.png": PIXEL, **(members or {})}.items():
            target.writestr(name, data)
    return file.getvalue()


def read_stack(stack, **options):
    return read_bytes(archive(stack, **options), name_or_format="a.ora")


@pytest.fixture
def scene(noise):
    group = Group(
        "Gruppe ✓", (Layer(noise(4, 4, 2), -2, 3, "apple 🍎", "foreground", 0.25, parameters={"seed": 1}),), 0.5, "multiply"
    )
    return Document(8, 6, (Layer(noise(6, 8, 1), name="paper"), group, Layer(noise(3, 3, 3), 9, 9, "hidden", visible=False)))


def test_the_mimetype_comes_first_and_uncompressed(scene):
    data = write_bytes(scene, "ora")
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        first = file.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert data[30:54] == b"mimetypeimage/openraster"


def test_the_merged_picture_is_the_composition_and_the_thumbnail_is_small(noise):
    document = Document(600, 300, (Layer(noise(300, 600)),))
    with zipfile.ZipFile(io.BytesIO(write_bytes(document, "ora"))) as file:
        assert np.array_equal(decode(file.read("mergedimage.png"), "m").rgba, compose(document))
        assert decode(file.read("Thumbnails/thumbnail.png"), "t").rgba.shape == (128, 256, 4)


def test_everything_about_a_layer_comes_back(scene):
    back = read_bytes(write_bytes(scene, "ora"), name_or_format="a.ora")
    for one, other in zip(walk(scene.layers), walk(back.layers), strict=True):
        assert (one.name, one.opacity, one.blend_mode, one.visible, one.box) == (
            other.name,
            other.opacity,
            other.blend_mode,
            other.visible,
            other.box,
        )
        if isinstance(one, Layer):
            assert np.array_equal(one.rgba, other.rgba)
            assert (one.role, dict(one.parameters)) == (other.role, dict(other.parameters))
    assert back.notes == ()


def test_a_document_is_the_same_file_every_time(scene):
    assert write_bytes(scene, "ora") == write_bytes(scene, "ora")


@pytest.mark.parametrize("name", ["gimp.ora", "krita.ora"])
def test_a_file_of_another_program_shows_its_own_merged_picture(golden, difference, name):
    document = read(golden / name)
    assert names(document) == ("hidden", "masked", "shade", "fruit ✓", "fruit ✓/яблоко", "fruit ✓/apple 🍎", "paper")
    with zipfile.ZipFile(golden / name) as file:
        assert difference(compose(document), decode(file.read("mergedimage.png"), "m").rgba) <= 1


def test_the_offsets_of_stacks_around_a_layer_add_up():
    document = read_stack('<stack x="3" y="1"><stack x="1" y="1"><layer src="data/a.png" x="-2" y="2"/></stack></stack>')
    assert document.layers[0].children[0].children[0].box == Box(2, 4, 1, 1)


def test_the_first_layer_of_the_file_is_on_top():
    document = read_stack('<layer name="top" src="data/a.png"/><layer name="bottom" src="data/a.png"/>')
    assert names(document) == ("top", "bottom")


@pytest.mark.parametrize(
    ("attributes", "mode"),
    [
        ("", "normal"),
        ('isolation="isolate"', "normal"),
        ('isolation="auto"', "pass-through"),
        ('isolation="auto" opacity="0.5"', "normal"),
    ],
)
def test_a_group_is_pass_through_only_when_the_specification_says_so(attributes, mode):
    assert read_stack(f"<stack {attributes}/>").layers[0].blend_mode == mode


def test_a_pass_through_group_comes_back(noise):
    document = Document(4, 4, (Group("g", (Layer(noise(4, 4)),), blend_mode="pass-through"),))
    assert read_bytes(write_bytes(document, "ora"), name_or_format="a.ora").layers[0].blend_mode == "pass-through"
    assert losses(document, "ora") == ()


ATOP = 'src="data/a.png" composite-op="svg:src-atop"'
BASE = 'src="data/a.png"'


def clipped_in(stack):
    return [(node.name, node.clipped) for node in walk(read_stack(stack).layers)]


def test_source_atop_on_the_lowest_layer_of_a_stack_is_clipping():
    """Krita's *inherit alpha*: in the root, and in a group that is composed by itself; groups inherit, too."""
    run = f'<stack name="g" composite-op="svg:src-atop"/><layer name="s" {ATOP}/><layer name="b" {BASE}/>'
    assert clipped_in(run) == [("b", False), ("s", True), ("g", True)]
    assert clipped_in(f'<stack name="i">{run}</stack>')[1:] == [("b", False), ("s", True), ("g", True)]
    assert read_stack(run).notes == ()


@pytest.mark.parametrize(
    "stack",
    [
        f'<layer name="s" {ATOP}/><layer name="b" {BASE}/><layer name="paper" {BASE}/>',
        f'<stack name="i" isolation="auto"><layer name="s" {ATOP}/><layer name="b" {BASE}/></stack>',
        f'<layer name="b" {BASE}/><layer name="s" {ATOP}/>',
    ],
)
def test_source_atop_on_anything_else_is_normal_and_said(stack):
    assert not any(clipped for _, clipped in clipped_in(stack))
    assert read_stack(stack).notes == ("'s' has the operator 'svg:src-atop', which is not kept; it is drawn as normal",)


def soft(colour, **look):
    rgba = np.zeros((6, 8, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = colour, np.linspace(0, 255, 8).astype(np.uint8)
    return Layer(rgba, **look)


def test_a_clipped_run_is_written_for_krita_and_comes_back(difference):
    lowest = (soft((200, 0, 0), name="base"), soft((0, 0, 200), name="shade", clipped=True, opacity=0.5))
    above = soft((0, 200, 0), name="body", opacity=0.4, blend_mode="multiply"), soft((9, 9, 9), name="line", clipped=True)
    document = Document(8, 6, (*lowest, *above))
    back = read_bytes(write_bytes(document, "ora"), name_or_format="a.ora")
    assert [(node.name, node.clipped) for node in walk(back.layers)] == [
        *(("base", False), ("shade", True)),
        *(("body", False), ("body", False), ("line", True)),
    ]
    assert back.notes == ()
    assert losses(document, "ora") == (
        "OpenRaster clips to all that lies below: 'body' and what is clipped to it were put into a group",
    )
    assert difference(compose(back), compose(document)) <= 1


def test_what_openraster_cannot_hold_is_worked_into_the_pixels_and_said(difference):
    mask = Mask(np.full((6, 4), 255, np.uint8), outside=0)
    shade = soft((0, 0, 200), name="shade", clipped=True, blend_mode="screen")
    group = Group("group", (soft((90, 90, 90)), soft((1, 2, 3))), mask=mask)
    document = Document(8, 6, (soft((200, 0, 0), name="base", mask=mask), shade, group))
    back = read_bytes(write_bytes(document, "ora"), name_or_format="a.ora")
    assert [(type(node), node.name) for node in walk(back.layers)] == [(Layer, "base"), (Layer, "group")]
    assert losses(document, "ora") == (
        "the mask of 'base' was applied to its transparency",
        "'shade' was merged into 'base', to which it was clipped",
        "the group 'group' has a mask, so it was merged into one layer",
    )
    assert difference(compose(back), compose(document)) <= 1.5


def test_a_layer_goes_above_what_inherits_the_alpha_of_the_named_one(noise):
    data = archive(f'<layer name="s" {ATOP}/><layer name="b" {BASE}/>')
    masked = Layer(noise(2, 2), name="new", mask=Mask(np.zeros((2, 2), np.uint8)))
    back = read_bytes(insert_into_bytes(data, masked, name="a.ora", above="b"), name_or_format="a.ora")
    assert [(node.name, node.clipped) for node in back.layers] == [("b", False), ("s", True), ("new", False)]
    assert not back.layers[2].rgba[..., 3].any()


def test_an_unknown_operator_becomes_normal_and_is_said():
    document = read_stack('<layer name="glow" src="data/a.png" composite-op="krita:greater"/>')
    assert document.layers[0].blend_mode == "normal"
    assert document.notes == ("'glow' has the operator 'krita:greater', which is not kept; it is drawn as normal",)


@pytest.mark.parametrize(
    ("operator", "mode"),
    [("krita:luminize", "luminosity"), ("krita:vivid_light", "vivid-light"), ("krita:linear light", "linear-light")]
    + [("krita:normal", "normal"), ("src-over", "normal"), ("multiply", "multiply"), ("krita:soft_light", "soft-light")],
)
def test_other_programs_names_of_a_mode_are_known(operator, mode):
    document = read_stack(f'<layer name="glow" src="data/a.png" composite-op="{operator}"/>')
    assert (document.layers[0].blend_mode, document.notes) == (mode, ())


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_every_blend_mode_comes_back_and_those_that_only_krita_knows_are_said(noise, mode):
    document = Document(4, 4, (Layer(noise(4, 4), name="glow", blend_mode=mode),))
    assert read_bytes(write_bytes(document, "ora"), name_or_format="a.ora").layers[0].blend_mode == mode
    ours = mode in OPERATORS.values()
    said = f"only Krita reads the blend mode {mode!r} in OpenRaster: to others 'glow' is normal"
    assert losses(document, "ora") == (() if ours else (said,))


def test_a_faded_pass_through_group_is_written_as_normal_and_said(noise):
    document = Document(4, 4, (Group("dusk", (Layer(noise(4, 4)),), opacity=0.5, blend_mode="pass-through"),))
    assert losses(document, "ora") == ("OpenRaster has pass-through at full opacity only: 'dusk' has 50%, became normal",)


def test_elements_without_pixels_are_left_out_and_said():
    document = read_stack('<text name="title"/><filter name="blur"/><layer name="bare"/>')
    assert document.layers == ()
    assert len(document.notes) == 3
    assert "'title' (text) has no pixels and was left out" in document.notes


def test_an_opacity_out_of_range_is_clamped():
    assert read_stack('<layer src="data/a.png" opacity="1.5"/><layer src="data/a.png" opacity="-1"/>').layers[1].opacity == 1


def test_an_empty_layer_becomes_one_transparent_pixel():
    document = Document(4, 4, (Layer(np.zeros((0, 0, 4), np.uint8), 2, 1, "empty"),))
    back = read_bytes(write_bytes(document, "ora"), name_or_format="a.ora").layers[0]
    assert (back.box, back.rgba.any()) == (Box(2, 1, 1, 1), False)


@pytest.mark.parametrize(
    ("bad", "note"),
    [
        ('<layer name="bad" src="data/missing.png"/>', "'bad' was left out: the file has no 'data/missing.png'"),
        ('<layer name="bad" src="data/b.svg"/>', "'bad' was left out: an SVG drawing, which is not read"),
        ('<layer name="bad" src="stack.xml"/>', "'bad' was left out: stack.xml in a.ora is not a readable picture"),
        ('<layer name="bad"/>', "'bad' (layer) has no pixels and was left out"),
    ],
)
def test_a_layer_that_cannot_be_read_costs_the_others_nothing(bad, note):
    document = read_stack(bad + '<layer name="good" src="data/a.png"/>', members={"data/b.svg": b"<svg/>"})
    assert names(document) == ("good",)
    assert len(document.notes) == 1 and document.notes[0].startswith(note)


def test_a_file_of_which_no_layer_can_be_read_is_refused():
    with pytest.raises(UnreadableFile, match="no layer that can be read: 'bad' was left out: the file has no 'none.png'"):
        read_stack('<layer name="bad" src="none.png"/>')


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ('x="left"', "'a' has the x 'left', which is no number of pixels; it was taken as 0"),
        ('y="1e300"', "'a' has the y '1e300', which is no number of pixels; it was taken as 0"),
        ('opacity="nan"', "'a' has the opacity 'nan', which is no number; it is drawn fully"),
        ('opacity="half"', "'a' has the opacity 'half', which is no number; it is drawn fully"),
    ],
)
def test_a_value_that_is_none_costs_only_itself(attributes, note):
    document = read_stack(f'<layer name="a" src="data/a.png" {attributes}/>')
    (layer,) = document.layers
    assert (layer.x, layer.y, layer.opacity, document.notes) == (0, 0, 1.0, (note,))


@pytest.mark.parametrize("source", ["./data/a.png", "/data/a.png", "data\\a.png", "data//a.png", ".\\data\\a.png"])
def test_other_spellings_of_a_members_name_find_it(source):
    assert names(read_stack(f'<layer name="a" src="{source}"/>')) == ("a",)


def test_a_comma_is_a_decimal_point_in_some_languages():
    (layer,) = read_stack('<layer name="a" src="data/a.png" opacity="0,5" x="1,0"/>').layers
    assert (layer.opacity, layer.x) == (0.5, 1)


def test_a_namespace_changes_nothing():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        layer = '<layer name="a" src="data/a.png" xmlns:mypaint="http://mypaint.app" mypaint:x="1"/>'
        target.writestr("stack.xml", f'<image xmlns="http://openraster.org" w="8" h="6"><stack>{layer}</stack></image>')
        target.writestr("data/a.png", PIXEL)
    assert names(read_bytes(file.getvalue(), name_or_format="a.ora")) == ("a",)
    more = insert_into_bytes(file.getvalue(), Layer(np.zeros((1, 1, 4), np.uint8), name="b"), name="a.ora")
    assert names(read_bytes(more, name_or_format="a.ora")) == ("b", "a")


def test_an_image_without_a_stack_says_so():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("stack.xml", '<image w="8" h="6"/>')
    assert read_bytes(file.getvalue(), name_or_format="a.ora").notes == ("its stack.xml has no stack, so there are no layers",)


@pytest.mark.parametrize("size", ["", 'w="8"', 'w="0" h="6"', 'w="-5" h="6"', 'w="" h=""'])
def test_a_canvas_without_a_size_is_measured_and_said(size):
    layer = '<layer name="a" src="data/a.png" x="3" y="2"/>'
    document = read_stack(layer, size=size)
    assert (document.width, document.height) == (4, 3)
    assert "which is no size; 4 x 3 was taken from its pictures" in document.notes[0]
    merged = encode(np.zeros((6, 8, 4), np.uint8))
    document = read_stack(layer, size=size, members={"mergedimage.png": merged})
    assert (document.width, document.height) == (8, 6)


def test_a_canvas_that_cannot_be_measured_and_xml_that_is_none_are_refused():
    with pytest.raises(UnreadableFile, match="a.ora is not a readable OpenRaster file: its canvas is"):
        read_stack("", size="")
    with pytest.raises(UnreadableFile, match=r"a.ora.*not well-formed"):
        read_stack("<layer")


@pytest.mark.parametrize("format", ["ora", "png"])
def test_what_could_not_be_read_again_is_not_written(format):
    with pytest.raises(TooLarge, match="the document is 9000 x 9000 pixels; a PNG may have"):
        write_bytes(Document(9000, 9000), format)


def test_300001_pixels_a_side_are_refused():
    with pytest.raises(TooLarge, match="a.ora is 300001 x 6 pixels; at most 300,000 a side"):
        read_stack("", size='w="300001" h="6"')


def test_groups_nested_too_deeply_are_refused():
    with pytest.raises(TooLarge, match="nested deeper than 64"):
        read_stack("<stack>" * 100 + "</stack>" * 100)


def test_a_document_type_is_refused():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><image w="1" h="1"><stack name="&b;"/></image>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("stack.xml", bomb)
    with pytest.raises(UnreadableFile, match="declares a document type"):
        read_bytes(file.getvalue(), name_or_format="a.ora")


def test_a_member_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(ora_reading, "MAX_XML", 1000)
    with pytest.raises(TooLarge, match="stack.xml in the archive unpacks to more than 1,000 bytes"):
        read_stack("<stack/>" * 200)


@pytest.mark.parametrize(("member", "kind"), [("word/document.xml", "a zip archive without")])
def test_another_kind_of_archive_is_named(member, kind):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr(member, "x")
    with pytest.raises(UnsupportedFile, match=f"a.kra is {kind}"):
        read_bytes(file.getvalue(), name_or_format="a.kra")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(scene, keep):
    data = write_bytes(scene, "ora")
    with pytest.raises(UnreadableFile, match="cut.ora is not a readable OpenRaster file"):
        read_bytes(data[: int(len(data) * keep)], name_or_format="cut.ora")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, ("new", "hidden", "Gruppe ✓", "Gruppe ✓/apple 🍎", "paper")),
        ({"below": "apple 🍎"}, ("hidden", "Gruppe ✓", "Gruppe ✓/apple 🍎", "Gruppe ✓/new", "paper")),
        ({"above": "paper"}, ("hidden", "Gruppe ✓", "Gruppe ✓/apple 🍎", "new", "paper")),
        ({"below": "Gruppe ✓"}, ("hidden", "Gruppe ✓", "Gruppe ✓/apple 🍎", "new", "paper")),
    ],
)
def test_a_layer_goes_where_it_should_and_the_other_members_are_copied(scene, noise, place, expected):
    before = write_bytes(scene, "ora")
    after = insert_into_bytes(before, Layer(noise(2, 2), 1, 1, "new", parameters={"seed": 9}), name="a.ora", **place)
    document = read_bytes(after, name_or_format="a.ora")
    assert names(document) == expected
    assert (find(document, "new").parameters, find(document, "apple 🍎").parameters) == ({"seed": 9}, {"seed": 1})
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
        for name in ("data/1.png", "data/2.png", "data/3.png"):
            assert old.read(name) == new.read(name)
        assert np.array_equal(decode(new.read("mergedimage.png"), "m").rgba, compose(document))


@pytest.mark.parametrize("stored", [False, True], ids=["as composed", "with a picture of its own"])
def test_layers_are_hidden_with_an_insertion_wherever_unread_ones_lie(stored):
    """A layer that could not be read has no place in the document, and none in its paths."""
    stack = '<layer name="top" src="data/a.png"/><layer name="lost" src="none.png"/><layer name="low" src="data/a.png" x="3"/>'
    picture = encode(np.full((6, 8, 4), (0, 0, 255, 255), np.uint8))
    data = archive(stack, {"mergedimage.png": picture} if stored else None)
    new = Layer(np.full((1, 1, 4), (0, 255, 0, 255), np.uint8), 5, 1, "new")
    after = insert_into_bytes(data, new, name="a.ora", above=(0,), hide=[(0,)])
    document = read_bytes(after, name_or_format="a.ora")
    assert [(layer.name, layer.visible) for layer in document.layers] == [("low", False), ("new", True), ("top", True)]
    with zipfile.ZipFile(io.BytesIO(after)) as file:
        merged = decode(file.read("mergedimage.png"), "m").rgba
    around = [0, 0, 255, 255] if stored else [0, 0, 0, 0]
    assert merged[[0, 0, 1], [0, 3, 5]].tolist() == [around if stored else [255] * 4, [0, 0, 0, 0], [0, 255, 0, 255]]
    assert merged[5, 7].tolist() == around


def test_what_we_do_not_understand_survives_an_insertion(noise):
    data = archive(
        '<text name="title"/><layer name="a" src="data/a.png" composite-op="svg:dst-in" lock="true"/>',
        {"extra/notes.txt": b"keep me"},
    )
    with zipfile.ZipFile(io.BytesIO(insert_into_bytes(data, Layer(noise(2, 2), name="new"), name="a.ora", below="a"))) as file:
        xml = file.read("stack.xml").decode()
        assert file.read("extra/notes.txt") == b"keep me"
    assert all(words in xml for words in ('<text name="title"', 'composite-op="svg:dst-in"', 'lock="true"'))
    assert xml.index('name="a"') < xml.index('name="new"')


def test_a_missing_neighbour_is_answered_with_the_names_in_the_file(scene, noise):
    with pytest.raises(LayerNotFound, match="no layer 'Sky'; the layers are: 'hidden', 'Gruppe ✓'"):
        insert_into_bytes(write_bytes(scene, "ora"), Layer(noise(1, 1)), name="a.ora", above="Sky")
