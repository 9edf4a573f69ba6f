import pytest
from acetate.plugins.bridge.emphasis import emphasised


def test_the_word_at_the_cursor_gains_weight_and_stays_selected():
    edit = emphasised("a red apple", 4, 4, 1)
    assert edit.text == "a (red:1.1) apple"
    assert edit.text[edit.start : edit.end] == "red"


def test_raising_twice_adds_up():
    assert emphasised(*emphasised("a red apple", 4, 4, 1), 1).text == "a (red:1.2) apple"


def test_weight_one_has_no_parentheses():
    assert emphasised(*emphasised("a red apple", 4, 4, 1), -1) == ("a red apple", 2, 5)


def test_a_selection_is_weighted_without_the_blanks_at_its_ends():
    assert emphasised("a red apple, shiny", 1, 12, -1).text == "a (red apple,:0.9) shiny"


def test_bare_parentheses_count_as_one_step():
    assert emphasised("(red) apple", 2, 2, 1).text == "(red:1.2) apple"


@pytest.mark.parametrize(("steps", "weight"), [(100, "2"), (-100, "0.1")])
def test_weights_stay_in_range(steps, weight):
    assert emphasised("glow", 0, 4, steps).text == f"(glow:{weight})"


def test_nothing_under_the_cursor_changes_nothing():
    assert emphasised("red,  blue", 5, 5, 1) == ("red,  blue", 5, 5)


def test_a_selection_drawn_from_right_to_left_is_the_same():
    assert emphasised("a red apple", 5, 2, 1) == emphasised("a red apple", 2, 5, 1)
