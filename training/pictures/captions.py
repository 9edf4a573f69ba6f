"""Sentences for pictures. Words that change nothing are sprinkled in, so that an artist's habits do not derail the model."""

from __future__ import annotations

import numpy as np

from .scenery import SCENERY
from .subjects import HUES, SUBJECTS, SYNONYMS

NEUTRAL_BEFORE = ("", "", "", "shiny ", "cute ", "small ", "big ", "cartoon ", "simple ", "beautiful ", "glossy ")
NEUTRAL_AFTER = (
    "",
    "",
    "",
    "",
    ", high quality",
    ", sticker",
    ", clip art",
    ", detailed",
    ", illustration",
    " on a transparent background",
)
ARTICLES = ("", "a ", "the ", "one ")
EFFECT_WORDS: dict[str, tuple[str, ...]] = {
    "smoke": ("smoke", "cloud of smoke", "puff of smoke"),
    "glow": ("glow", "glowing light", "soft light"),
    "shadow": ("soft shadow", "shadow"),
    "bubble": ("bubble", "soap bubble"),
}
BACKGROUND_BEFORE = ("", "", "a ", "the ", "empty ", "scenery, ")
BACKGROUND_AFTER = ("", "", " scenery", ", empty", " landscape")
SCENE_LINKS = (" in the ", " in a ", " with ", ", ", " in front of the ")
"""Between a subject and its place."""
SHAPE_WORDS: dict[str, tuple[str, ...]] = {"ball": ("ball", "sphere"), "cube": ("cube", "box"), "ring": ("ring",)}


def of_subject(subject: str, colour: str | None, rng: np.random.Generator) -> str:
    """A caption for an icon, with its colour word when it was recoloured."""
    names = (subject, subject, *SYNONYMS.get(subject, ()))
    name = names[rng.integers(len(names))]
    if colour is not None:
        name = f"{colour} {name if name != 'red balloon' else 'balloon'}"
    return _dress(name, rng, neutral=True)


def of_solid(shape: str, colour: str, material: str, rng: np.random.Generator) -> str:
    """A caption for a procedural solid; matte and glossy may stay unsaid, metal and glass never."""
    words = SHAPE_WORDS.get(shape, (shape,))
    word = words[rng.integers(len(words))]
    said = material if material in ("metal", "glass") or rng.random() < 0.5 else ""
    parts = [said, colour] if rng.random() < 0.5 else [colour, said]
    return _dress(" ".join(part for part in (*parts, word) if part), rng, neutral=False)


def of_effect(effect: str, colour: str | None, rng: np.random.Generator) -> str:
    """A caption for smoke, glow, shadow or a bubble."""
    words = EFFECT_WORDS[effect]
    word = words[rng.integers(len(words))]
    return _dress(f"{colour} {word}" if colour else word, rng, neutral=False)


def of_background(place: str, rng: np.random.Generator) -> str:
    """A caption for a picture without a subject."""
    before, after = rng.choice(BACKGROUND_BEFORE), rng.choice(BACKGROUND_AFTER)
    return f"{before}{place}{after}"


def of_scene(subject: str, place: str, rng: np.random.Generator) -> str:
    """A caption for a subject in front of a background; never `background`, a word from transparent pictures' captions."""
    article = ARTICLES[rng.integers(len(ARTICLES))]
    if article == "a " and subject[0] in "aeiou":
        article = "an "
    return f"{article}{subject}{rng.choice(SCENE_LINKS)}{place}"


def corpus() -> list[str]:
    """Every word that a caption can hold, for the tokenizer."""
    lines = [*SUBJECTS, *(name for names in SYNONYMS.values() for name in names), *HUES, "grey", "white", "black", "gold"]
    lines += ["matte glossy metal glass smoke glow shadow bubble ball sphere cube box ring triangle hexagon cross"]
    lines += [word for words in (*EFFECT_WORDS.values(), NEUTRAL_BEFORE, NEUTRAL_AFTER, ARTICLES) for word in words]
    lines += [*BACKGROUND_BEFORE, *BACKGROUND_AFTER, *SCENE_LINKS, *SCENERY]
    lines += ["simple background wall beach forest with and of in on an at by"]
    return lines


def _dress(name: str, rng: np.random.Generator, *, neutral: bool) -> str:
    before = NEUTRAL_BEFORE[rng.integers(len(NEUTRAL_BEFORE) - (0 if neutral else 1))] if rng.random() < 0.6 else ""
    article = ARTICLES[rng.integers(len(ARTICLES))]
    after = NEUTRAL_AFTER[rng.integers(len(NEUTRAL_AFTER))] if rng.random() < 0.6 else ""
    if article == "a " and (before or name)[0] in "aeiou":
        article = "an "
    return f"{article}{before}{name}{after}"
