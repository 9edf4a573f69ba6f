"""The values of a form in GIMP's own files."""

from __future__ import annotations

import pytest
from acetate.plugins.gimp.forms.presets import read, written

AS_GIMP_WRITES = """# settings

(prompt "a \\"b\\" \\\\ ü 🍎\\nsecond line")
(model "")
(area "selection")
(width 0)
(strength 0.59999999999999998)
(new-seed yes)

# end of settings
"""


def test_what_gimp_has_written_is_read() -> None:
    found = read(AS_GIMP_WRITES)
    assert found["prompt"] == 'a "b" \\ ü 🍎\nsecond line' and found["model"] == ""
    assert (found["area"], found["width"], float(found["strength"]), found["new-seed"]) == ("selection", "0", 0.6, "yes")


def test_octal_escapes_are_bytes_of_utf_8() -> None:
    assert read('(prompt "\\303\\274ber")')["prompt"] == "über"


@pytest.mark.parametrize("text", ["", 'say "no"', "back\\slash", "two\nlines\tand a tab", "ü 🍎 漢字", "(in brackets)"])
def test_every_text_comes_back(text: str) -> None:
    assert read(written({"prompt": text}))["prompt"] == text


def test_switches_and_numbers_are_spelled_as_gimp_spells_them() -> None:
    lines = written({"fast": True, "seed": 4294967295, "guidance": 2.5, "file": object()}).splitlines()
    assert lines == ["# settings", "", "(fast yes)", "(seed 4294967295)", "(guidance 2.5)", "", "# end of settings"]


def test_what_is_no_setting_is_left_out() -> None:
    assert read("garbage\n(half \n(prompt unquoted)\n((deep 1))") == {"prompt": "unquoted"}
