from __future__ import annotations

from .tables import PAGE, filled


def test_the_document_has_every_field_as_it_is() -> None:
    """Whoever changes a message runs `python tests/server/schemas/tables.py`."""
    page = PAGE.read_text(encoding="utf-8")

    assert filled(page) == page
    assert page.count("<!-- end of") == 5 and page.count("| must be given |") > 50
