"""docs/models.md says of LoRAs and embeddings what the program says of them."""

from __future__ import annotations

from .synthetic_loras import KINDS
from .tables import GROUPS, PAGE, embeddings, filled, loras


def test_the_page_has_the_tables_that_synthetic_files_make() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "python -m tests.engine.adapters.tables"
    assert loras() in page
    assert embeddings() in page


def test_every_kind_is_in_the_table() -> None:
    assert sorted(kind for kinds in GROUPS.values() for kind in kinds) == sorted(KINDS)
