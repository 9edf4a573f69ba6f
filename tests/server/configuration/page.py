"""The tables of docs/settings.md from the settings. `python tests/server/configuration/page.py` writes them into the page."""

from __future__ import annotations

from pathlib import Path

from acetate.server.configuration.listing import as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
BEGIN, END = "<!-- settings -->\n", "<!-- end of settings -->"


def filled(page: str) -> str:
    """The page with the tables between their marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{as_markdown()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
