"""Texts are looked up in the editor's language; whatever has no translation stays English."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from acetate.plugins.bridge import translations
from acetate.plugins.bridge.translations import _, counted, said, speak
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

GERMAN = {
    "Stop": "Anhalten",
    ("{count} layer", "{count} layers"): ("{count} Ebene", "{count} Ebenen"),
    "{name} is {value}; it must be {right}": "{right} wäre richtig für {name}, nicht {value}",
    "{name} is {value}": "{name} ist {value}",
    "{first}: {second}": "{first} – {second}",
    "no layer is active": "keine Ebene ist aktiv",
    "a number from {least} to {most}": "eine Zahl von {least} bis {most}",
}

Kept = Callable[..., None]


@pytest.fixture(autouse=True)
def german_is_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    catalogue = Catalog(locale="de")
    for text, translation in GERMAN.items():
        catalogue.add(text, translation)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    monkeypatch.setattr(translations, "_compiled", {"de": compiled.getvalue()}.get)
    yield
    speak([])


@pytest.mark.parametrize("asked", ["de", "de_AT", "de-CH", "de_DE.UTF-8@euro"])
def test_every_spelling_finds_its_language(asked: str) -> None:
    speak([asked, "fr"])
    assert _("Stop") == "Anhalten"
    assert [counted("{count} layer", "{count} layers", n) for n in (1, 3)] == ["1 Ebene", "3 Ebenen"]


def test_what_has_no_translation_stays_english_and_an_empty_text_is_empty() -> None:
    speak(["de"])
    assert _("Not in it") == "Not in it" and _("") == "" and said("Nothing known of this") == "Nothing known of this"


@pytest.mark.parametrize("asked", [["tlh"], ["en_GB", "de"], ["C"], [""], []])
def test_an_unknown_language_and_english_itself_are_english(asked: list[str]) -> None:
    speak(asked)
    assert _("Stop") == "Stop" and counted("{count} layer", "{count} layers", 1) == "1 layer"


def test_a_counted_text_has_other_blanks_too() -> None:
    assert counted("{count} model on {device}", "{count} models on {device}", 2, device="cpu") == "2 models on cpu"


def test_traditional_chinese_never_gets_simplified() -> None:
    chinese = {asked: translations.names_of(asked) for asked in ("zh", "zh_CN", "zh-Hans-CN", "zh_SG.UTF-8", "zh_TW", "zh_Hant")}
    assert chinese == {
        **dict.fromkeys(("zh", "zh_CN", "zh-Hans-CN", "zh_SG.UTF-8"), ("zh_CN",)),
        "zh_TW": ("zh_TW",),
        "zh_Hant": ("zh_Hant",),
    }


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("steps is 0; it must be 1 to 150", "1 to 150 wäre richtig für steps, nicht 0"),
        ("steps is 0", "steps ist 0"),
        ("no layer is active", "keine Ebene ist aktiv"),
        ("steps is none; no layer is active", "steps ist none; no layer is active"),
        ("a\nb is 3", "a\nb ist 3"),
        ("{x} is {y}", "{x} ist {y}"),
    ],
)
def test_a_finished_text_finds_the_text_that_it_was_made_from(english: str, german: str) -> None:
    speak(["de"])
    assert said(english) == german


def test_a_value_that_is_a_text_of_the_catalogue_is_translated_too() -> None:
    speak(["de"])
    assert said("reason is no layer is active") == "reason ist keine Ebene ist aktiv"
    assert said("steps is 0; it must be a number from 1 to 150") == "eine Zahl von 1 bis 150 wäre richtig für steps, nicht 0"
    assert said("prompt is wolf: red") == "prompt ist wolf: red", "what a person has typed stays as it is"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "de_DE.UTF-8"}, ["de_DE.UTF-8"]),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "ja:fr"}, ["ja", "fr"]),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, ["C"]),
        ({}, [""]),
    ],
)
def test_the_environment_is_read_as_gettext_does(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[str]
) -> None:
    for name in translations.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert translations.of_environment() == expected
