from __future__ import annotations

from pathlib import Path

import pytest
import torch
from acetate.engine.sketch.recall import Recall


@pytest.fixture
def recall(folder: Path) -> Recall:
    return Recall(folder)


def test_the_named_drawing_is_shown_and_said(recall: Recall) -> None:
    found = recall.reference("a dragon", 0)
    assert found.names == ("dragon",)
    assert found.picture.shape == (1, 4, 128, 128)
    assert float(found.picture[0, 3, 64, 64]) == pytest.approx(1, abs=0.02)


def test_seeds_change_its_shape_and_equal_seeds_do_not(recall: Recall) -> None:
    one, same, other = (recall.reference("a dragon", seed).picture[0, 3] > 0.5 for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert float((one & other).sum() / (one | other).sum()) < 0.93


def test_nothing_of_a_drawing_is_cut_off(recall: Recall) -> None:
    for seed in range(20):
        alpha = recall.reference("a red apple", seed).picture[0, 3]
        assert float(torch.cat([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]).max()) < 0.1


def test_two_subjects_stand_side_by_side(recall: Recall) -> None:
    found = recall.reference("a dragon and a dog", 0)
    assert found.names == ("dragon", "dog")
    columns = found.picture[0, 3].amax(0) > 0.5
    assert columns[:60].any()
    assert columns[68:].any()


def test_a_colour_word_colours_the_drawing(recall: Recall) -> None:
    red, _, blue, _ = recall.reference("a blue dragon", 0).picture[0, :, 64, 64].tolist()
    assert blue > 2 * red


def test_a_colour_of_its_name_changes_nothing(recall: Recall) -> None:
    assert torch.equal(recall.reference("red apple", 0).picture, recall.reference("🍎", 0).picture)


def test_what_is_not_known_is_empty_and_leads_to_the_nearest_names(recall: Recall) -> None:
    found = recall.reference("a dragoon", 0)
    assert not found.names
    assert not found.picture.any()
    assert recall.nearest("dragoon") == ["dragon"]
