"""A small table of words and the memory that belongs to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acetate.engine.sketch import memory
from acetate.engine.sketch.memory import MEMORY, Memory
from acetate.engine.sketch.phrases import WORDS, Phrases
from acetate.engine.sketch.understanding import ATTRIBUTES, Vocabulary

from training.pictures import words

NAMES = ["red apple", "green apple", "pear", "dragon", "black cat", "cat", "baby bottle", "champagne", "tangerine", "dog"]
SAID: dict[int, dict[str, list[str]]] = {
    0: {"n": ["red apple", "🍎", "红苹果", "роте яблоко"], "p": ["apple", "apfel", "pomme", "りんご"]},
    1: {"n": ["green apple", "🍏"], "p": ["apple", "apfel", "pomme", "りんご"]},
    2: {"n": ["pear", "birne", "梨"]},
    3: {"n": ["dragon", "drache", "дракон", "龙"], "k": ["tale"]},
    4: {"n": ["black cat"], "p": ["cat"]},
    5: {"n": ["cat", "katze", "gato", "кошка"]},
    6: {"n": ["baby bottle"], "p": ["bottle", "flasche"]},
    7: {"n": ["champagne"], "p": ["bottle", "flasche"]},
    8: {"n": ["tangerine", "orange"]},
    9: {"n": ["dog", "🐕", "狗"], "k": ["pet"]},
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a memory of ten drawings and their words."""
    made = tmp_path_factory.mktemp("memory")
    table: dict[str, dict[int, str]] = {}
    for number, kinds in SAID.items():
        for kind, phrases in kinds.items():
            for phrase in phrases:
                table.setdefault(phrase, {})[number] = kind
    words.write(table, made / WORDS)
    pictures = np.zeros((len(NAMES), 128, 128, 4), np.uint8)
    for number, picture in enumerate(pictures):
        picture[..., :3] = (200, 10 * number, 40)
        picture[20 : 100 - 4 * number, 24:100, 3] = 255
    memory.write(made / MEMORY, list(pictures), NAMES, "drawn for a test")
    return made


@pytest.fixture
def vocabulary(folder: Path) -> Vocabulary:
    return Vocabulary(Phrases(folder / WORDS), ATTRIBUTES)


@pytest.fixture
def kept(folder: Path) -> Memory:
    return Memory(folder / MEMORY)
