from dataclasses import replace

import pytest
from acetate.plugins.bridge.form import Form, from_json, with_words_of
from acetate.plugins.bridge.forms.styles import Style, StyleBook, style_of, without_style

OIL = Style("oil", "an oil painting of {prompt}, thick paint", "photo", {"steps": 30, "loras": (("impasto", 0.7),)})


def test_a_style_goes_around_the_prompt_when_it_is_sent_and_leaves_the_field_as_typed():
    form = OIL.chosen(Form(prompt=" a fox "))
    assert form.parameters().prompt == "an oil painting of a fox, thick paint"
    assert form.parameters().negative_prompt == "photo"
    assert form.prompt == " a fox "


@pytest.mark.parametrize(
    ("words", "sent"),
    [("", "a fox"), ("soft light", "a fox, soft light"), ("{prompt}; {prompt}", "a fox; a fox"), ("{x}, {prompt}", "{x}, a fox")],
)
def test_words_without_a_place_for_the_prompt_come_after_it(words, sent):
    assert Style("s", words).chosen(Form(prompt="a fox")).parameters().prompt == sent


def test_what_an_artist_avoids_is_avoided_besides_the_style():
    assert OIL.chosen(Form(prompt="x", negative_prompt="rope")).parameters().negative_prompt == "rope, photo"


def test_an_empty_prompt_stays_empty_whatever_the_style():
    from acetate.protocol import Box

    assert OIL.chosen(Form()).parameters().prompt == ""
    assert "prompt is empty" in OIL.chosen(Form()).complaint(Box(0, 0, 8, 8))


def test_choosing_a_style_sets_what_it_names_and_choosing_none_takes_only_its_words_away():
    chosen = OIL.chosen(Form(prompt="a fox", guidance_scale=4.0, steps=9))
    assert (chosen.steps, chosen.loras, chosen.guidance_scale) == (30, (("impasto", 0.7),), 4.0)
    assert without_style(chosen) == Form(prompt="a fox", guidance_scale=4.0, steps=30, loras=(("impasto", 0.7),))


def test_a_style_keeps_what_is_set_and_nothing_that_is_left_to_the_model():
    made = style_of(" ink ", Form(prompt="a fox", steps=8, model="juicy"), "{prompt}, ink")
    assert made == Style("ink", "{prompt}, ink", "", {"model": "juicy", "steps": 8})


def test_the_book_survives_json_and_what_another_version_wrote():
    book = StyleBook()
    book.keep(OIL)
    book.keep(Style("ink", "{prompt}, ink"))
    again = StyleBook(book.to_json())
    assert again.names == ["oil", "ink"] and again.style("oil") == OIL
    strange = '[3, {"prompt": "nameless"}, {"name": "x", "prompt": 7, "settings": {"steps": "many", "stop_at": 0.5, "new": 1}}]'
    assert StyleBook(strange).style("x") == Style("x", settings={"stop_at": 0.5})
    assert StyleBook("{").names == StyleBook("{}").names == []


def test_a_style_of_the_same_name_takes_the_place_of_the_old_one():
    book = StyleBook()
    book.keep(OIL)
    book.keep(replace(OIL, prompt="other"))
    assert book.names == ["oil"] and book.style("oil").prompt == "other"
    book.remove("oil")
    assert "oil" not in book


def test_a_form_with_a_style_survives_json():
    form = OIL.chosen(Form(prompt="a fox"))
    assert from_json(form.to_json()) == form


def test_a_layers_words_lose_the_style_that_would_go_around_them_again():
    form = OIL.chosen(Form(task="refine"))
    made_with = {"prompt": "an oil painting of a fox, thick paint", "negative_prompt": "rope, photo"}
    filled = with_words_of(made_with, form)
    assert (filled.prompt, filled.negative_prompt) == ("a fox", "rope")
    assert with_words_of({"prompt": "a kite"}, form).prompt == "a kite"
    assert with_words_of({"negative_prompt": "photo"}, form).negative_prompt == ""
