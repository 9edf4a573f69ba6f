import json

import pytest
from acetate.engine.adapters.trigger_words import trigger_words


def frequency(**folders):
    return {"ss_tag_frequency": json.dumps(folders)}


def test_what_the_trainer_calls_the_trigger_comes_before_any_count():
    noted = {"modelspec.trigger_phrase": " inkstyle , line art", **frequency(a={"other": 9})}
    assert trigger_words(noted) == ("inkstyle", "line art")


def test_the_words_of_nearly_every_caption_are_the_trigger():
    assert trigger_words(frequency(**{"10_ink": {"inkstyle": 40, "1girl": 39, "hat": 20}})) == ("inkstyle", "1girl")


def test_each_folder_of_pictures_may_have_its_own():
    two = frequency(**{"5_cat": {"mycat": 20, "sofa": 3}, "5_dog": {"mydog": 8, "grass": 2}})
    assert trigger_words(two) == ("mycat", "mydog")


def test_captions_without_a_common_word_tell_nothing():
    assert trigger_words(frequency(a={"red": 1, "blue": 1})) == ()


@pytest.mark.parametrize(
    "noted", [{}, {"ss_tag_frequency": "{"}, {"ss_tag_frequency": "[1]"}, frequency(a=3, b={"x": "many", "": 5})]
)
def test_metadata_that_tells_nothing_is_no_fault(noted):
    assert trigger_words(noted) == ()
