import numpy as np
import pytest
from acetate.document import Document, Group, Layer, LayerNotFound, Mask, alone, below, compose, find, hide, insert, names, walk


def flat(colour, name, **look):
    return Layer(np.full((2, 2, 4), (*colour, 255), np.uint8), name=name, **look)


@pytest.fixture
def scene():
    people = Group("People", (flat((9, 0, 0), "Ann"), flat((0, 9, 0), "Ben")))
    others = Group("Others", (flat((0, 0, 9), "Ann"),))
    return Document(2, 2, (flat((50, 50, 50), "Ground"), people, others, flat((1, 2, 3), "Sky")))


def test_find_reaches_into_groups(scene):
    assert find(scene, "Ben").rgba[0, 0, 1] == 9
    assert find(scene, "People").name == "People"


def test_a_name_that_two_layers_have_is_refused_with_both_full_names(scene):
    with pytest.raises(LayerNotFound, match="2 layers are called 'Ann': '/Others/Ann', '/People/Ann'"):
        find(scene, "Ann")


def test_the_group_tells_two_of_the_same_name_apart(scene):
    assert find(scene, "Others/Ann").rgba[0, 0, 2] == 9
    assert find(scene, "/People/Ann").rgba[0, 0, 0] == 9


def test_a_leading_slash_means_the_layer_in_no_group(scene):
    double = insert(scene, flat((7, 7, 7), "Ben"))
    assert find(double, "/Ben").rgba[0, 0, 0] == 7


def test_a_missing_name_is_answered_with_the_names_there_are_top_first(scene):
    with pytest.raises(LayerNotFound, match="no layer 'sky'; the layers are: 'Sky', 'Others', 'Others/Ann', 'People'"):
        find(scene, "sky")


def test_names_are_listed_top_first(scene):
    assert names(scene)[0] == "Sky"
    assert names(scene)[-1] == "Ground"


def test_below_shows_what_is_under_the_named_layer_only(scene):
    assert below(scene, "Sky")[0, 0].tolist() == [0, 0, 9, 255]
    assert below(scene, "Ben")[0, 0].tolist() == [9, 0, 0, 255]
    assert below(scene, "People")[0, 0].tolist() == [50, 50, 50, 255]
    assert below(scene, "Ground")[0, 0].tolist() == [0, 0, 0, 0]


def test_below_skips_hidden_layers_and_keeps_the_groups_opacity():
    inner = Group("G", (flat((100, 0, 0), "low"), flat((0, 100, 0), "high")), opacity=0.5)
    hidden = flat((255, 255, 255), "hidden", visible=False)
    document = Document(2, 2, (flat((0, 0, 0), "base"), hidden, inner))
    assert below(document, "high")[0, 0].tolist() == [50, 0, 0, 255]


def test_alone_shows_a_hidden_faded_layer_in_full_at_its_place():
    layer = Layer(np.full((1, 1, 4), 255, np.uint8), 1, 0, "kite", opacity=0.2, visible=False, blend_mode="multiply")
    picture = alone(Document(2, 1, (flat((9, 9, 9), "ground"), layer)), "kite")
    assert picture[0].tolist() == [[0, 0, 0, 0], [255, 255, 255, 255]]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, ["new", "Sky", "Others", "Others/Ann", "People", "People/Ben", "People/Ann", "Ground"]),
        ({"below": "Sky"}, ["Sky", "new", "Others", "Others/Ann", "People", "People/Ben", "People/Ann", "Ground"]),
        ({"above": "People"}, ["Sky", "Others", "Others/Ann", "new", "People", "People/Ben", "People/Ann", "Ground"]),
        ({"above": "People/Ann"}, ["Sky", "Others", "Others/Ann", "People", "People/Ben", "People/new", "People/Ann", "Ground"]),
        ({"below": "Ground"}, ["Sky", "Others", "Others/Ann", "People", "People/Ben", "People/Ann", "Ground", "new"]),
    ],
)
def test_insert_places_a_layer_beside_the_named_one_in_its_group(scene, place, expected):
    assert list(names(insert(scene, flat((1, 1, 1), "new"), **place))) == expected


def test_insert_leaves_every_other_layer_the_same_object(scene):
    result = insert(scene, flat((1, 1, 1), "new"), below="Ben")
    assert result.layers[0] is scene.layers[0]
    assert find(result, "People/Ann") is find(scene, "People/Ann")
    assert np.array_equal(compose(scene), compose(insert(scene, flat((1, 1, 1), "new"), below="Ground")))


@pytest.fixture
def clipped():
    """A body with two layers clipped to it, of which the upper lies in the right half."""
    right = Layer(np.full((2, 1, 4), (0, 0, 90, 255), np.uint8), 1, 0, "light", clipped=True)
    return Document(2, 2, (flat((9, 9, 9), "Ground"), flat((90, 0, 0), "body"), flat((0, 90, 0), "shade", clipped=True), right))


@pytest.mark.parametrize("place", [{"above": "body"}, {"above": "shade"}, {"above": "light"}])
def test_what_goes_above_a_clipped_run_does_not_part_it(clipped, place):
    assert names(insert(clipped, flat((1, 1, 1), "new"), **place)) == ("new", "light", "shade", "body", "Ground")


@pytest.mark.parametrize("place", [{"below": "body"}, {"below": "light"}])
def test_what_goes_below_a_clipped_run_does_not_part_it(clipped, place):
    assert names(insert(clipped, flat((1, 1, 1), "new"), **place)) == ("light", "shade", "body", "new", "Ground")


def test_a_clipped_layer_goes_exactly_where_it_is_put(clipped):
    new = flat((1, 1, 1), "new", clipped=True)
    assert names(insert(clipped, new, above="body")) == ("light", "shade", "new", "body", "Ground")


def test_alone_a_base_has_what_is_clipped_to_it_and_a_clipped_layer_is_whole(clipped):
    assert alone(clipped, "body")[0].tolist() == [[0, 90, 0, 255], [0, 0, 90, 255]]
    assert alone(clipped, "light")[0].tolist() == [[0, 0, 0, 0], [0, 0, 90, 255]]


def test_below_a_clipped_layer_is_its_base(clipped):
    assert below(clipped, "shade")[0].tolist() == [[90, 0, 0, 255]] * 2


def test_alone_a_layer_is_cut_by_its_mask():
    masked = flat((9, 0, 0), "kite", mask=Mask(np.array([[0, 255]] * 2, np.uint8)))
    assert alone(Document(2, 2, (masked,)), "kite")[0].tolist() == [[0, 0, 0, 0], [9, 0, 0, 255]]


def test_a_layer_cannot_be_placed_twice(scene):
    with pytest.raises(ValueError, match="only one"):
        insert(scene, flat((0, 0, 0), "x"), above="Sky", below="Ground")


def test_a_path_names_one_of_several_namesakes(scene):
    twins = Document(2, 2, (flat((1, 1, 1), "twin"), Group("G", (flat((2, 2, 2), "twin"),))))
    assert find(twins, (1, 0)) is twins.layers[1].children[0]
    assert list(names(insert(twins, flat((0, 0, 0), "new"), above=(1, 0)))) == ["G", "G/new", "G/twin", "twin"]
    assert [node.visible for node in walk(hide(twins, (1, 0)).layers)] == [True, True, False]
