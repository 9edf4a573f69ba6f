import pytest
from acetate.plugins.bridge.words import ago, described, duration, explained, sentence, short_prompt
from acetate.protocol import Failure, Progress, Queued, Receiving


def test_emphasis_loras_and_line_breaks_are_no_part_of_a_name():
    assert short_prompt("a (red:1.2)\napple <lora:ink:0.8>, [shiny]") == "a red apple , shiny"


def test_long_prompts_are_cut_at_a_word():
    short = short_prompt("a very long description of a wooden chest with iron fittings and a lock")
    assert short == "a very long description of a wooden chest with…"
    assert len(short) <= 48


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (12.4, "12 s"), (89, "89 s"), (170, "3 min"), (3900, "65 min"), (7500, "2 h 5 min")]
)
def test_durations_have_one_or_two_units(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "just now"), (300, "5 min ago"), (7300, "2 h ago"), (90000, "yesterday"), (300000, "3 days ago")]
)
def test_ages_are_rough(seconds, text):
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Progress("j", "denoise", 7, 20, 0.3, 12.0), "Drawing, step 7 of 20, 12 s left"),
        (Progress("j", "load", 1, 1, 0.0), "Loading the model"),
        (Progress("j", "dream", 1, 1, 0.0), "Dream"),
        (Queued("j", 0), "Waiting to start"),
        (Queued("j", 2), "Waiting, 2 ahead of this"),
        (Receiving("j", 0, 40, 100), "Receiving, 40 %"),
    ],
)
def test_the_phase_is_said_in_a_few_words(event, text):
    assert described(event) == text


def test_a_failure_says_what_happened_and_what_to_do():
    assert explained(Failure("out-of-memory", "no memory", "Make it smaller.")) == "No memory. Make it smaller."
    assert explained(Failure("model", "there is no such model", "acetate models")) == (
        "There is no such model. Type in a terminal: acetate models"
    )


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("the layer is empty", "The layer is empty."),
        ("Is it on?", "Is it on?"),
        ("", ""),
        ("レイヤーが空です", "レイヤーが空です。"),
        ("图层是空的。", "图层是空的。"),
    ],
)
def test_a_sentence_ends_as_in_its_language(text: str, whole: str) -> None:
    assert sentence(text) == whole
