import pytest
from acetate.plugins.bridge.forms.completion import completion
from acetate.plugins.bridge.forms.offers import Addition

LORAS = [Addition("ink wash"), Addition("old ink"), Addition("clay")]
EMBEDDINGS = [Addition("easynegative"), Addition("bad-hands")]


def completed(text, cursor=None):
    return completion(text, len(text) if cursor is None else cursor, LORAS, EMBEDDINGS)


def test_a_begun_tag_offers_the_loras_that_begin_so_before_those_that_contain_it():
    found = completed("a fox <lora:In")
    assert found.start == 6 and list(found.texts) == ["ink wash", "old ink"]
    assert found.texts["old ink"] == "<lora:old ink:1>"


def test_a_tag_that_is_closed_already_keeps_its_end():
    found = completed("a fox <lora:cl>", cursor=14)
    assert found.texts == {"clay": "<lora:clay"}


def test_an_embedding_is_offered_by_its_name():
    found = completed("(embedding:EASY")
    assert found.start == 1 and found.texts == {"easynegative": "embedding:easynegative"}


@pytest.mark.parametrize("text", ["a fox", "<lora:ink wash:0.5", "<lora:clay", "embedding:nothing", "<lora:clay:1> a fox", ""])
def test_nothing_is_offered_where_no_name_is_begun(text):
    assert completed(text) is None
