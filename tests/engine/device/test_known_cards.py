"""Cards whose half precision gives no numbers: by their names, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine.device.known_cards import KnownCards


@pytest.mark.parametrize(
    ("name", "fails"),
    [
        ("NVIDIA GeForce GTX 1660 SUPER", True),
        ("NVIDIA GeForce GTX 1650 with Max-Q Design", True),
        ("NVIDIA GeForce GTX 1630", True),
        ("NVIDIA T1000 8GB", True),
        ("Quadro T2000", True),
        ("NVIDIA GeForce MX450", True),
        ("NVIDIA GeForce GTX 1060 6GB", False),
        ("NVIDIA GeForce RTX 2060", False),
        ("NVIDIA GeForce RTX 4060 Ti 16GB", False),
        ("Tesla T4", False),
        ("NVIDIA GeForce MX570", False),
        ("cpu", False),
    ],
)
def test_the_sixteen_series_and_its_relatives_are_known(tmp_path: Path, name: str, fails: bool) -> None:
    assert KnownCards(tmp_path / "cards.json").fails(name) is fails


def test_another_card_that_failed_is_known_the_next_time(tmp_path: Path) -> None:
    KnownCards(tmp_path / "cards.json").remember("A Card")
    KnownCards(tmp_path / "cards.json").remember("Another")
    assert all(KnownCards(tmp_path / "cards.json").fails(name) for name in ("A Card", "Another"))
    assert not KnownCards(tmp_path / "cards.json").fails("A Third")


@pytest.mark.parametrize("content", ["{", "[]", '{"fails_in_half_precision": 3}', '{"fails_in_half_precision": [1, null]}'])
def test_a_damaged_file_forgets_and_learns_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cards.json"
    path.write_text(content)
    assert not KnownCards(path).fails("A Card")
    KnownCards(path).remember("A Card")
    assert KnownCards(path).fails("A Card")


def test_where_nothing_can_be_written_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    KnownCards(tmp_path / "file" / "cards.json").remember("A Card")
