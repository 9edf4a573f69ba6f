from acetate.plugins.bridge.stack import Folder, Sheet, sheets, stacked
from acetate.protocol import Box, Group, Layer, LayerReady

BOX = Box(0, 0, 2, 2)


def arrived(index=0, *, data=b"1234", role="foreground", seed=7, name="file layer", parameters=None, **placed):
    layer = Layer(
        "job-0001", index, name, role, 0, 0, 1, 1, BOX, "rgba8", len(data), "0" * 64, seed=seed,
        parameters={"prompt": "fig"} if parameters is None else parameters, **placed,
    )  # fmt: skip
    return LayerReady(layer, data)


def test_one_layer_comes_alone():
    item = stacked([arrived()])
    assert isinstance(item, Sheet)
    assert (item.name, item.visible) == ("fig (7)", True)


def test_candidates_come_as_a_group_with_only_the_first_shown_and_on_top():
    item = stacked([arrived(2, picture=2, seed=9), arrived(0, picture=0), arrived(1, picture=1, seed=8)], title="figs")
    assert isinstance(item, Folder)
    assert item.name == "figs"
    assert [(sheet.name, sheet.visible) for sheet in item.items] == [("fig (9)", False), ("fig (8)", False), ("fig (7)", True)]


def test_a_scene_is_a_group_in_the_servers_order_with_the_blended_picture_hidden():
    layers = [arrived(0, order=1), arrived(1, order=0, role="background"), arrived(2, order=2, role="blended", visible=False)]
    item = stacked(layers)
    assert [(sheet.name, sheet.visible) for sheet in item.items] == [
        ("fig, background (7)", True),
        ("fig (7)", True),
        ("fig, blended (7)", False),
    ]


def test_candidates_of_a_scene_are_groups_in_a_group():
    layers = [
        arrived(2 * p + i, picture=p, order=i, role=role) for p in (0, 1) for i, role in enumerate(("background", "foreground"))
    ]
    item = stacked(layers)
    assert [(inner.visible, len(inner.items)) for inner in item.items] == [(False, 2), (True, 2)]


def test_the_groups_that_a_generating_job_names_are_not_nested_into_ours():
    layers = [arrived(p, picture=p, seed=p, group=(Group("candidates", "fig"),)) for p in (0, 1)]
    assert [sheet.name for sheet in stacked(layers).items] == ["fig (1)", "fig (0)"]


def test_a_file_keeps_its_names_and_nested_groups():
    outer, inner = Group("a", "Outer", visible=False), Group("b", "Inner", opacity=0.5)
    layers = [
        arrived(0, order=0, name="sky"),
        arrived(1, order=1, name="leaf", group=(outer, inner)),
        arrived(2, order=2, name="branch", group=(outer,), opacity=0.25, blend_mode="multiply"),
    ]
    item = stacked(layers, title="scene.psd", named=False)
    sky, tree = item.items
    assert (item.name, sky.name, tree.name, tree.visible) == ("scene.psd", "sky", "Outer", False)
    assert (tree.items[0].name, tree.items[0].opacity, tree.items[0].items[0].name) == ("Inner", 0.5, "leaf")
    assert (tree.items[1].name, tree.items[1].opacity, tree.items[1].blend_mode) == ("branch", 0.25, "multiply")
    assert [sheet.name for sheet in sheets(item)] == ["sky", "leaf", "branch"]


def test_groups_of_the_same_name_stay_apart():
    layers = [arrived(0, order=0, group=(Group("a", "G"),)), arrived(1, order=1, group=(Group("b", "G"),))]
    assert [len(folder.items) for folder in stacked(layers, named=False).items] == [1, 1]


def test_empty_layers_are_left_out():
    assert stacked([arrived(data=b"")]) is None
    assert isinstance(stacked([arrived(0, data=b""), arrived(1, order=1)]), Sheet)
