"""Make the manuals that the editors show from the pages in docs/: `python tools/manual.py` writes them anew.

A manual is read far from the repository: pictures are left out, and links to other pages are words.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
MANUALS = {
    ROOT / "docs" / "krita.md": ROOT / "plugins" / "krita" / "acetate.html",
    ROOT / "docs" / "gimp.md": ROOT / "plugins" / "gimp" / "help" / "manual.html",
}
"""Each page and the manual that is made from it."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ max-width: 46em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 sans-serif; }}
h2 {{ margin-top: 2em; }}
th, td {{ padding: 0.2em 1em 0.2em 0; text-align: left; vertical-align: top; }}
pre {{ overflow-x: auto; }}
</style>
</head>
<body>
{body}</body>
</html>
"""
PICTURES = re.compile(r"^(?:!\[[^\]]*\]\([^)]*\)|\|[^\n]*!\[[^\n]*\n\|---\|---\|\n\|[^\n]*)\n\n?", re.MULTILINE)
"""A picture alone on its line, or two side by side with a line below each."""


def manual(page: str) -> str:
    """The HTML of a manual, from the Markdown of a page."""
    text = PICTURES.sub("", page)
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = reader.parse(text)
    for token in tokens:
        token.children = _unlinked(token.children) if token.children else token.children
    renderer = reader.renderer
    assert isinstance(renderer, RendererHTML)
    title = text.partition("\n")[0].removeprefix("# ")
    return PAGE.format(title=title, body=renderer.render(tokens, reader.options, {}))


def _unlinked(tokens: list[Token]) -> list[Token]:
    """The same words without links to other pages."""
    kept: list[Token] = []
    leads_away = False
    for token in tokens:
        if token.type == "link_open":
            leads_away = not re.match(r"#|https?://", str(token.attrGet("href")))
        if not (leads_away and token.type in ("link_open", "link_close")):
            kept.append(token)
    return kept


if __name__ == "__main__":
    for source, target in MANUALS.items():
        target.write_text(manual(source.read_text(encoding="utf-8")), encoding="utf-8")
