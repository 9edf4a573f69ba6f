"""The manuals that the editors show are made from the pages in docs/."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("krita", "gimp")


@pytest.fixture(scope="module")
def manual() -> ModuleType:
    """tools/manual.py, which is a script and no part of a package."""
    specification = importlib.util.spec_from_file_location("manual", ROOT / "tools/manual.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def kept(manual: ModuleType, page: str) -> str:
    text: str = manual.MANUALS[ROOT / "docs" / f"{page}.md"].read_text(encoding="utf-8")
    return text


@pytest.mark.parametrize("page", PAGES)
def test_the_manual_is_the_page_of_today(manual: ModuleType, page: str) -> None:
    made = manual.manual((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"))
    assert kept(manual, page) == made, "run: python tools/manual.py"


@pytest.mark.parametrize("page", PAGES)
def test_a_manual_needs_nothing_beside_it(manual: ModuleType, page: str) -> None:
    text = kept(manual, page)
    assert "<img" not in text and "![" not in text and ".md" not in text
    assert all(re.match(r"#|https?://", target) for target in re.findall(r'href="([^"]*)"', text))


def test_every_entry_of_gimps_menu_has_its_place_in_the_manual(manual: ModuleType) -> None:
    named = set(re.findall(r'^        "(acetate-[a-z-]+)",$', (ROOT / "plugins/gimp/commands.py").read_text(), re.MULTILINE))
    found = re.findall(r'id="([^"]+)"', kept(manual, "gimp"))
    assert len(named) == 10 and len(found) == len(set(found))
    assert named | {"acetate-queue"} <= set(found)


def test_pictures_go_and_links_to_other_pages_are_words(manual: ModuleType) -> None:
    made = manual.manual(
        "# A page\n\n![one](a.png)\n\n| ![a](a.png) | ![b](b.png) |\n|---|---|\n| a | b |\n\n[there](krita.md), [here](#a)\n"
    )
    assert '<p>there, <a href="#a">here</a></p>' in made and "png" not in made and "<table>" not in made
