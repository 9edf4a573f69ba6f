"""Tables of a documentation page that tests make from what the program says, between marks `<!-- NAME -->`.

A module of tables runs as `python -m tests.….tables` and writes them; a test compares them with the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

MODELS = Path(__file__).parents[1] / "docs" / "models.md"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))


def filled(page: str, tables: Mapping[str, str]) -> str:
    """The page with every table between its marks. Raises `KeyError` for one that has none."""
    for name, text in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if begin not in page or end not in page:
            raise KeyError(f"the page has no marks {begin.strip()} and {end}")
        page = re.sub(f"{begin}.*?{end}", lambda _, inside=begin + text + end: inside, page, flags=re.DOTALL)
    return page
