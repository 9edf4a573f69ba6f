"""What describes the actions to Krita's settings of shortcuts, beside the actions that there are."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).parents[3] / "plugins" / "krita"
ACTION = r'"(acetate_\w+)": Action\(\s*marked\("([^"]+)"\)'


def test_the_description_has_exactly_the_actions_that_there_are_and_no_shortcut() -> None:
    code = (FOLDER / "window" / "actions.py").read_text(encoding="utf-8")
    made = dict(re.findall(ACTION, code))
    described = {one.get("name"): one for one in ElementTree.parse(FOLDER / "acetate.action").iter("Action")}
    assert {name: one.findtext("text") for name, one in described.items()} == made
    assert not any(one.findtext("shortcut") for one in described.values())
    assert not any(one.findtext("toolTip") for one in described.values()), "Krita shows it in English; the text serves as well"
