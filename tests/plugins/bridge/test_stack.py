from acetate.plugins.bridge.stack import Folder, Sheet, sheets, stacked
from acetate.protocol import Box, Group, Layer, LayerReady

BOX = Box(0, 0, 2, 2)


def arrived(index=0, *, data=b"1234", name="fig (7)", group=(), **more):
    layer = Layer("job-0001", index, name, "foreground", 0, 0, 1, 1, BOX, "rgba8", len(data), "0" * 64, group=group, **more)
    return LayerReady(layer, data)


def test_one_layer_comes_alone():
    item = stacked([arrived()])
    assert isinstance(item, Sheet)
    assert (item.name, item.visible) == ("fig (7)", True)


def test_candidates_come_in_the_servers_group_order_and_visibility():
    figs = (Group("c", "fig"),)
    item = stacked([arrived(i, name=f"fig ({7 + i})", group=figs, picture=i, order=2 - i, visible=i == 0) for i in range(3)])
    assert isinstance(item, Folder)
    assert item.name == "fig"
    assert [(sheet.name, sheet.visible) for sheet in item.items] == [("fig (9)", False), ("fig (8)", False), ("fig (7)", True)]


def test_a_scene_is_a_group_in_the_servers_order():
    scene = (Group("s", "fig (7)"),)
    layers = [
        arrived(0, order=1, name="Foreground", group=scene),
        arrived(1, order=0, name="Background", group=scene),
        arrived(2, order=2, name="Blended", group=scene, visible=False),
    ]
    item = stacked(layers)
    assert item.name == "fig (7)"
    assert [(sheet.name, sheet.visible) for sheet in item.items] == [
        ("Background", True),
        ("Foreground", True),
        ("Blended", False),
    ]


def test_candidates_of_a_scene_are_groups_in_a_group():
    layers = [
        arrived(
            2 * p + i, picture=p, order=2 * (1 - p) + i, group=(Group("c", "fig"), Group(f"p{p}", f"fig ({p})", visible=p == 0))
        )
        for p in (0, 1)
        for i in (0, 1)
    ]
    item = stacked(layers)
    assert [(inner.name, inner.visible, len(inner.items)) for inner in item.items] == [
        ("fig (1)", False, 2),
        ("fig (0)", True, 2),
    ]


def test_the_layers_of_a_file_share_a_group_of_its_name_and_keep_their_own():
    outer, inner = Group("a", "Outer", visible=False), Group("b", "Inner", opacity=0.5)
    layers = [
        arrived(0, order=0, name="sky"),
        arrived(1, order=1, name="leaf", group=(outer, inner)),
        arrived(2, order=2, name="branch", group=(outer,), opacity=0.25, blend_mode="multiply"),
    ]
    item = stacked(layers, title="scene.psd")
    sky, tree = item.items
    assert (item.name, sky.name, tree.name, tree.visible) == ("scene.psd", "sky", "Outer", False)
    assert (tree.items[0].name, tree.items[0].opacity, tree.items[0].items[0].name) == ("Inner", 0.5, "leaf")
    assert (tree.items[1].name, tree.items[1].opacity, tree.items[1].blend_mode) == ("branch", 0.25, "multiply")
    assert [sheet.name for sheet in sheets(item)] == ["sky", "leaf", "branch"]


def test_groups_of_the_same_name_stay_apart():
    layers = [arrived(0, order=0, group=(Group("a", "G"),)), arrived(1, order=1, group=(Group("b", "G"),))]
    assert [len(folder.items) for folder in stacked(layers).items] == [1, 1]


def test_empty_layers_are_left_out():
    assert stacked([arrived(data=b"")]) is None
    assert isinstance(stacked([arrived(0, data=b""), arrived(1, order=1)]), Sheet)
