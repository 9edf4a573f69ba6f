from __future__ import annotations

from .tables import PAGE, filled


def test_the_tables_of_the_documents_are_the_rows() -> None:
    """Whoever changes a row runs `python -m tests.vocabulary.tables`."""
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
