import json

import numpy as np
import pytest
from acetate.document import Layer, UnwritableFile
from acetate.document.formats import generation_metadata

PIXELS = np.zeros((1, 1, 4), np.uint8)
PARAMETERS = {"prompt": 'a <red> & "blue" kite 🪁', "seed": 7, "loras": [["x", 0.5]]}
KITE = Layer(PIXELS, name="kite ✓", role="foreground", parameters=PARAMETERS)


def test_the_record_comes_back_by_id():
    text = generation_metadata.text(64, 48, {3: KITE, 9: Layer(PIXELS, name="plain")})
    entries = generation_metadata.parse(text)
    assert list(entries) == [3]
    assert (entries[3].name, entries[3].role, entries[3].parameters) == (KITE.name, KITE.role, KITE.parameters)


def test_the_record_is_ascii_and_says_the_canvas_size():
    text = generation_metadata.text(64, 48, {1: KITE})
    assert text.isascii()
    assert json.loads(text)["size"] == [64, 48]


def test_layers_without_parameters_leave_no_record():
    assert generation_metadata.text(64, 48, {1: Layer(PIXELS, name="plain")}) == ""


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"bytes"])
def test_parameters_that_are_not_json_are_refused(value):
    with pytest.raises(UnwritableFile, match="not plain JSON values"):
        generation_metadata.text(1, 1, {1: Layer(PIXELS, parameters={"seed": value})})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"acetate"',
        '{"acetate": 2, "layers": []}',
        '{"acetate": 1, "layers": {"id": 1}}',
        '{"acetate": 1, "layers": [1, null, {"id": []}, {"name": "x"}]}',
        "[" * 100_000,
        '{"a": ' * 50_000,
        '{"parameters": "of another program"}',
    ],
)
def test_what_is_not_a_record_of_ours_gives_no_entries(text):
    assert generation_metadata.parse(text) == {}


def test_values_of_the_wrong_kind_in_a_record_are_dropped():
    entries = generation_metadata.parse('{"acetate": 1, "layers": [{"id": 1, "name": 5, "role": null, "parameters": [1]}]}')
    assert entries == {1: generation_metadata.Entry()}
