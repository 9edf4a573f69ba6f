from __future__ import annotations

import sys
import unicodedata

import pytest
from acetate.vocabulary.names import LONGEST_FILE_STEM, clean, file_stem, is_clean
from acetate.vocabulary.stacking import Stacking
from acetate.vocabulary.value_types import FreeText, ListedName

HOSTILE = "a\0b\x1b[31m\r\nc\u202ed\u2066e\u2069\u2028f\u2029\x85\udcff\ufffe\ufdd0g"


@pytest.mark.parametrize(
    "name",
    [
        "apple 🍎",
        "яблоко",
        "林檎",
        "نخلة",
        "שלום עולם",
        "\u200fنخلة\u200e 2",
        "می\u200cخواهم",
        "👩\u200d🚀",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        "चित्र",
        "a/b",
        "  two  ",
        "½ ±",
    ],
)
def test_text_of_any_script_and_direction_stays_as_it_is(name: str) -> None:
    assert clean(name) == name and is_clean(name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a\r\nb\tc", "a  b c"),
        ("a\u2028b\u2029c", "a b c"),
        ("na\x00b (1)", "nab (1)"),
        ("\x1b[31mred\x7f\x9b", "[31mred"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("\u2066a\u2067b\u2068c\u2069\u202a\u202b\u202c\u202d", "abc"),
        ("\udcff\ud83d", ""),
        ("a\ufffe\U0001ffff\ufdd0", "a"),
    ],
)
def test_what_no_file_terminal_or_editor_should_get_is_taken_out(name: str, kept: str) -> None:
    assert clean(name) == kept and not is_clean(name)


def test_a_clean_name_is_clean_whatever_it_was() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    kept = clean(everything)

    assert is_clean(kept)
    assert not {unicodedata.category(character) for character in kept} & {"Cc", "Cs", "Zl", "Zp"}
    kept.encode()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a red apple (7)", "a red apple 7"),
        (" .. .. tmp evil 1", "tmp evil 1"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\Windows", "C Windows"),
        ("चित्र", "चित्र"),
        ("con", "layers con"),
        ("LPT1.old", "layers LPT1.old"),
        ("contour", "contour"),
        ("...", "layers"),
        ("\0", "layers"),
        ("", "layers"),
        ("trailing. ", "trailing"),
        ("x" * 59 + " . y", "x" * 59),
    ],
)
def test_a_files_name_leads_nowhere_else(name: str, stem: str) -> None:
    assert file_stem(name, "layers") == stem
    assert len(stem) <= LONGEST_FILE_STEM + len("layers ")


@pytest.mark.parametrize("original", ["", HOSTILE])
@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("makes", [("foreground",), ("foreground", "background")])
def test_whatever_it_is_called_after_a_layer_has_a_clean_name(original: str, seed: int | None, makes: tuple[str, ...]) -> None:
    placed = Stacking("foreground", HOSTILE, makes, 2, original).position("foreground", 1, seed)

    assert all(map(is_clean, (placed.name, placed.name_alone, *(group.name for group in placed.groups))))
    assert "g" in placed.name_alone


@pytest.mark.parametrize("character", "\0\x1b\n\x7f\x85\u2028\u202e\u2066\ufdd0\udcff")
def test_an_identifier_is_refused_where_a_label_would_be_cleaned(character: str) -> None:
    assert not ListedName().admits(f"soft{character}paint") and ListedName().admits("soft paint")


def test_a_prompt_keeps_everything_but_nul() -> None:
    prompt = FreeText(100)

    assert prompt.complaint("prompt", "a\n\tb\x1b\u202ec\u2028") is None
    said = prompt.complaint("prompt", "a\0b")
    assert said is not None and said.message == "prompt has a NUL character, at which most programs take a text to end"
