"""The settings as people see them: a file that can be read again, JSON, and the page in docs/."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from acetate.server.configuration.descriptions import HOME, descriptions
from acetate.server.configuration.listing import as_json, as_toml
from acetate.server.configuration.sources import configure
from acetate.server.settings import Settings

from .page import PAGE, filled

Write = Callable[[str], Path]


def test_the_default_file_says_nothing_and_explains_everything() -> None:
    text = as_toml(configure({}))
    assert tomllib.loads(text) == {}
    for setting in descriptions().values():
        assert f"\n# {setting.name} =" in text and setting.variable in text


def test_a_shown_file_is_read_as_what_it_shows(write: Write) -> None:
    options = {"names": 'a "quoted" name,ü\u2028', "port": "0", "insecure": True, "devices": "cuda:0,auto", "idle_seconds": "1.5"}
    shown = configure({name: text for name, text in options.items() if name != "idle_seconds"})
    write(as_toml(shown))

    assert configure({}).settings == shown.settings


def test_a_default_that_is_no_comment_any_more_is_read_as_itself(write: Write) -> None:
    lines = [line.removeprefix("# ") for line in as_toml(configure({})).splitlines()]
    assigned = [line for line in lines if line.partition(" = ")[0] in descriptions() and not line.startswith(HOME)]
    write("\n".join(line for line in assigned if not line.endswith("=")))
    found = configure({})

    assert found.settings == Settings() and sum(source != "default" for source in found.sources.values()) > 40


def test_as_json_every_setting_has_its_value_source_unit_and_meaning(write: Write) -> None:
    path = write("idle_seconds = 5")
    rows = {row["name"]: row for row in json.loads(as_json(configure({})))}

    assert list(rows) == list(descriptions())
    idle = rows["idle_seconds"]
    assert (idle["value"], idle["default"], idle["source"], idle["unit"]) == (5.0, 900, f"file {path}", "seconds")
    assert idle["variable"] == "ACETATE_IDLE_SECONDS" and idle["meaning"].startswith("Models leave memory")


def test_the_page_shows_the_settings_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page), "python tests/server/configuration/page.py"
