"""What we write, we read: at every limit a document is refused by the writer, or comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.document import (
    FORMATS,
    Document,
    Group,
    Layer,
    Mask,
    TooLarge,
    insert_into_bytes,
    read_bytes,
    write_bytes,
)
from acetate.document.formats import limits, ora
from acetate.document.layer import Node, walk

DOT = np.full((2, 2, 4), 255, np.uint8)
LAYERED = [format for format in FORMATS if format != "png"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches."""
    for name, most in (("MAX_LAYERS", 6), ("MAX_DEPTH", 3), ("MAX_LAYER_PIXELS", 400), ("MAX_ONE_LAYER", 300)):
        monkeypatch.setattr(limits, name, most)


def dots(count: int) -> list[Node]:
    return [Layer(DOT, name=str(number)) for number in range(count)]


def nested(depth: int) -> list[Node]:
    nodes = dots(1)
    for _ in range(depth):
        nodes = [Group("g", nodes)]
    return nodes


def wide(side: int) -> list[Node]:
    return [Layer(np.full((20, side, 4), 255, np.uint8), name="wide")]


CASES = {
    "layers": [dots(count) for count in (5, 6, 7)],
    "groups": [nested(depth) for depth in (2, 3, 4, 5)],
    "masks": [[Layer(DOT, name=str(n), mask=Mask(np.zeros((2, 2), np.uint8))) for n in range(count)] for count in (3, 4)],
    "one layer": [wide(side) for side in (15, 16)],
    "all layers": [[*wide(10), *wide(side)] for side in (10, 11)],
    "a clipped run": [[*dots(1), Layer(DOT, name="c", clipped=True), *nested(depth)] for depth in (2, 3)],
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_read_and_the_rest_is_refused(format: str, case: str) -> None:
    written = 0
    for nodes in CASES[case]:
        document = Document(20, 20, nodes)
        try:
            data = write_bytes(document, format)
        except TooLarge:
            continue
        found = read_bytes(data, name_or_format=f"a.{format}")
        written += 1
        if format == "psd":
            assert [node.name for node in walk(found.layers)] == [node.name for node in walk(nodes)]
    assert written


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("format", LAYERED)
def test_the_first_layer_too_many_is_refused_and_not_the_last_that_fits(format: str) -> None:
    data = write_bytes(Document(20, 20, dots(6)), format)
    with pytest.raises(TooLarge, match="more than 6 layers"):
        write_bytes(Document(20, 20, dots(7)), format)
    with pytest.raises(TooLarge, match=r"a\.x has more than 6 layers"):
        insert_into_bytes(data, Layer(DOT, name="one more"), name="a.x")


@pytest.mark.parametrize("format", LAYERED)
@pytest.mark.parametrize("name", ["n" * 255, "線" * 255, "🍎" * 127, '"&<' * 85, " a ", "a/b"])
def test_the_longest_names_come_back(format: str, name: str) -> None:
    document = Document(4, 4, (Layer(DOT, name=name),))
    assert read_bytes(write_bytes(document, format), name_or_format=f"a.{format}").layers[0].name == name


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("width", "height"), [(29_999, 1), (30_000, 1), (30_001, 1), (1, 30_001), (300_000, 1), (300_001, 1)])
def test_a_long_side_is_written_and_read_or_refused(format: str, width: int, height: int) -> None:
    """A PSD becomes a PSB by itself."""
    document = Document(width, height, dots(1))
    if max(width, height) > limits.MAX_SIDE:
        with pytest.raises(TooLarge, match="300,000 a side"):
            write_bytes(document, format)
        return
    found = read_bytes(write_bytes(document, format), name_or_format=f"a.{format}")
    assert (found.width, found.height) == (width, height)


def test_a_list_of_layers_that_is_too_long_to_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ora, "MAX_XML", 300)
    with pytest.raises(TooLarge, match=r"the list of the layers has \d+ bytes; OpenRaster's is read up to 300"):
        write_bytes(Document(4, 4, dots(3)), "ora")
