"""The same job as a file of the command line, as the server's messages, as its export, and in an editor: one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.engine import Picture, Request
from acetate.plugins.bridge import stack
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.protocol import Box, Layer, LayerReady, Parameters
from acetate.protocol.messages import Submit
from acetate.server.command_line.outputs import OutputFile, as_document, given_layers, parameters_of
from acetate.server.worker.document_jobs import assemble
from acetate.server.worker.engine_jobs import stacking_of
from acetate.server.worker.fake_engine import FakeEngine
from acetate.server.worker.layers import layer_message, write_pixels
from acetate.vocabulary.stacking import nested

Tree = tuple[Any, ...]
"""Nodes, lowest first: the name, whether it is shown, and the nodes of a group."""

BOX = Box(0, 0, 16, 16)
GIVEN = {"background": "foreground", "object": "background"}


def scene(name: str, *, visible: bool = True) -> Tree:
    return (name, visible, (("Background", True), ("Foreground", True), ("Blended", False)))


ORDERS: list[tuple[str, int, Tree]] = [
    ("foreground", 1, (("a panda (5)", True),)),
    ("foreground", 3, (("a panda", True, (("a panda (7)", False), ("a panda (6)", False), ("a panda (5)", True))),)),
    ("scene", 1, (scene("a panda (5)"),)),
    ("scene", 2, (("a panda", True, (scene("a panda (6)", visible=False), scene("a panda (5)"))),)),
    ("background", 1, (("a panda (5)", True, (("Background", True), ("Blended", False))),)),
    ("object", 1, (("a panda (5)", True, (("Foreground", True), ("Blended", False))),)),
    ("blend", 1, (("a panda (5)", True),)),
    ("extract-background", 2, (("a panda", True, (("a panda (6)", False), ("a panda (5)", True))),)),
]


@pytest.mark.parametrize(("task", "count", "expected"), ORDERS)
def test_all_ways_lead_to_one_order(task: str, count: int, expected: Tree, tmp_path: Path) -> None:
    pictures = drawn(task, count)
    layers, files = messages(task, count, pictures, tmp_path)
    item = stack.stacked([LayerReady(layer, Path(files[layer.sha256]["path"]).read_bytes()) for layer in layers])

    assert tree_of_document(as_document(pictures).layers) == expected
    assert tree_of_messages(layers) == expected
    assert tree_of_document(assemble(layers, files, None, None).layers) == expected
    assert item is not None and tree_of_item(item) == expected[0]


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
@pytest.mark.parametrize(("task", "count", "expected"), ORDERS)
def test_a_file_keeps_the_order_and_the_first_candidate_repeats(
    task: str, count: int, expected: Tree, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"made{suffix}"
    OutputFile(path).write(drawn(task, count), notes=[])
    assert tree_of_document(document.read(path).layers) == expected
    assert parameters_of(path)["seed"] == 5


@pytest.mark.parametrize("task", GIVEN)
def test_a_file_has_the_given_layer_where_an_editor_has_it(task: str) -> None:
    pictures = drawn(task, 1)
    given = given_layers(request(task, 1), pictures[0])
    found = tree_of_document(as_document(pictures, given).layers)
    (made,) = tree_of_document(as_document(pictures).layers)
    own = (GIVEN[task].capitalize(), True)

    assert BY_NAME[task].takes == GIVEN[task]
    result_goes_below = BY_NAME[task].takes == "foreground"  # what both editors ask
    assert found == ((made, own) if result_goes_below else (own, made))


def request(task: str, count: int) -> Request:
    rgba = np.full((16, 16, 4), 200, np.uint8)
    given: dict[str, Any] = dict.fromkeys(("foreground", "background", "blended"), rgba)
    return Request(task=task, prompt="a panda", seed=5, count=count, width=16, height=16, **given)


def drawn(task: str, count: int) -> list[Picture]:
    return [made for made in FakeEngine().run(request(task, count)) if isinstance(made, Picture)]


def messages(
    task: str, count: int, pictures: Sequence[Picture], folder: Path
) -> tuple[list[Layer], dict[str, Mapping[str, Any]]]:
    """What the server sends, and where it has the pixels."""
    stacking = stacking_of(Submit("job-0001", task, Parameters(prompt="a panda", seed=5, count=count)))
    layers, files = [], {}
    for index, picture in enumerate(pictures):
        path = folder / str(index)
        layers.append(layer_message(stacking, picture, index, BOX, BOX, write_pixels(path, picture.rgba)))
        files[layers[-1].sha256] = {"path": str(path)}
    return layers, files


def tree_of_messages(layers: Sequence[Layer]) -> Tree:
    def leaf(layer: Layer) -> Tree:
        return layer.name, layer.visible

    return nested(
        sorted(layers, key=lambda layer: layer.order),
        lambda layer: layer.group,
        leaf,
        lambda group, children: (group.name, group.visible, tuple(children)),
    )


def tree_of_document(nodes: Sequence[document.Node]) -> Tree:
    return tuple(
        (node.name, node.visible, tree_of_document(node.children))
        if isinstance(node, document.Group)
        else (node.name, node.visible)
        for node in nodes
    )


def tree_of_item(item: stack.Item) -> Tree:
    if isinstance(item, stack.Folder):
        return item.name, item.visible, tuple(tree_of_item(inner) for inner in item.items)
    return item.name, item.visible
