"""The manual that F1 opens: every entry of the menu has its part."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from acetate.plugins.gimp import manual

HERE = Path(manual.__file__).parent
HELP = HERE / "help"


def parts() -> dict[str, str]:
    root = ElementTree.parse(HELP / "gimp-help.xml").getroot()
    return {item.attrib["id"]: item.attrib["ref"] for item in root.iter("help-item")}


def test_every_procedure_of_the_menu_has_a_part() -> None:
    """The table itself needs GIMP to be imported."""
    table = (HERE / "commands.py").read_text(encoding="utf-8").partition("COMMANDS = (")[2]
    procedures = set(re.findall(r'^        "(acetate-[a-z-]+)",$', table, re.MULTILINE))
    assert len(procedures) >= 10 and procedures <= set(parts())


def test_every_part_is_there() -> None:
    anchors = re.findall(r'id="([a-z-]+)"', (HELP / "manual.html").read_text(encoding="utf-8"))
    assert {ref.partition("#")[2] for ref in parts().values()} == set(anchors)
