"""docs/models.md says of checkpoints what the program says of them."""

from __future__ import annotations

from .saved_layouts import UNET_ALONE, WHOLE
from .tables import LAYOUTS, PAGE, checkpoints, filled


def test_the_page_has_the_table_that_synthetic_files_make() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "python -m tests.engine.checkpoints.tables"
    assert checkpoints() in page


def test_every_layout_that_is_opened_and_compared_is_in_the_table() -> None:
    assert {*WHOLE, *UNET_ALONE} <= LAYOUTS.keys()
    assert checkpoints().count("| works") > len(WHOLE) + len(UNET_ALONE)
