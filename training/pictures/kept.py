"""The memory that goes into the package: which drawings, under which names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from acetate.engine.pixels.alpha import pad_rgb
from acetate.engine.sketch import memory
from acetate.engine.sketch.phrases import WORDS
from acetate.raster import RGBA, to_float, to_u8, unpremultiply
from numpy.typing import NDArray

from . import procedural, words
from .subjects import SUBJECTS, SYNONYMS
from .vectors import Vector

NOTICE = (
    "Noto Emoji artwork, copyright Google Inc., Apache License 2.0, rendered; shapes and effects by Acetate, Apache License 2.0."
)

MORE_NAMES = {
    "tangerine": "orange naranja arancia laranja appelsin pomarańcza апельсин orangen oranges",
    "hot-beverage": "cup_of_coffee cup_of_tea kaffee tasse_kaffee",
    "wine-glass": "glass_of_wine weinglas",
    "racing-car": "sports_car rennwagen sportwagen",
    "bottle-with-popping-cork": "champagne sekt",
    "glasses": "brille",
    "french-fries": "pommes",
}
"""Names that Unicode's tables lack; `_` is a space."""
SHAPE_NAMES = {
    "ball": "ball sphere kugel boule esfera bola sfera kula шар 球 球体 공",
    "cube": "cube box würfel cubo kubus sześcian куб 立方体 상자",
    "ring": "torus",
    "triangle": "triangle dreieck triángulo triangolo triângulo driehoek trójkąt треугольник 三角形 三角 삼각형",
    "hexagon": "hexagon sechseck hexagone hexágono esagono zeshoek шестиугольник 六角形 六边形 육각형",
    "cross": "cross kreuz croix cruz croce kruis krzyż крест 十字 十字架 십자가",
}
EFFECT_NAMES = {
    "smoke": "smoke puff_of_smoke cloud_of_smoke rauch fumée humo fumo rook dym дым 煙 烟 연기",
    "glow": "glow glowing_light soft_light leuchten lueur resplandor bagliore brilho gloed blask сияние 光 빛",
    "shadow": "shadow soft_shadow schatten ombre sombra ombra schaduw cień тень 影 阴影 그림자",
    "bubble": "bubble soap_bubble seifenblase bulle burbuja bolla bolha zeepbel bańka пузырь シャボン玉 泡泡 비눗방울",
}
SMOKES = 4


@dataclass(frozen=True)
class Kept:
    """A drawing of the memory."""

    name: str
    phrases: tuple[str, ...]
    """What it is called besides its Unicode names."""
    picture: RGBA
    """`(H, W, 4)` straight, colour padded."""


def drawings(vectors: list[Vector], pictures: NDArray[np.uint8]) -> list[Kept]:
    """Every subject's rendering, `(N, H, W, 4)` premultiplied, then shapes and effects."""
    found = []
    own = _own_names()
    for vector, picture in zip(vectors, pictures, strict=True):
        name = vector.name.replace("-", " ")
        plain = vector.character.replace("\ufe0f", "")
        more = tuple(each.replace("_", " ") for each in MORE_NAMES.get(vector.name, "").split())
        found.append(Kept(name, (name, vector.character, *own.get(plain, ()), *more), _padded(unpremultiply(to_float(picture)))))
    return [*found, *_shapes(pictures.shape[1]), *_effects(pictures.shape[1])]


def write(folder: Path, vectors: list[Vector], pictures: NDArray[np.uint8], languages: list[Path]) -> None:
    """Write the memory and the table of words for a model's folder."""
    kept = drawings(vectors, pictures)
    memory.write(folder / memory.MEMORY, [one.picture for one in kept], [one.name for one in kept], NOTICE)
    own = {number: list(one.phrases) for number, one in enumerate(kept)}
    words.write(words.build(languages, [vector.character for vector in vectors], own), folder / WORDS)


def _own_names() -> dict[str, tuple[str, ...]]:
    """Character -> the words that the first sketch model knew it by."""
    return {character.replace("\ufe0f", ""): (name, *SYNONYMS.get(name, ())) for name, character in SUBJECTS.items()}


def _shapes(size: int) -> Iterator[Kept]:
    """Every shape in three materials, red; `glossy` goes by the shape's own name."""
    for shape, said in SHAPE_NAMES.items():
        plain = tuple(word.replace("_", " ") for word in said.split())
        for material in ("glossy", "metal", "glass"):
            picture = procedural.solid(shape, "red", material, size, np.random.default_rng(len(shape)))
            names = plain if material == "glossy" else (f"{material} {plain[0]}",)
            yield Kept(f"{material} {shape}", names, _padded(to_float(picture)))


def _effects(size: int) -> Iterator[Kept]:
    for effect, said in EFFECT_NAMES.items():
        names = tuple(word.replace("_", " ") for word in said.split())
        for number in range(SMOKES if effect == "smoke" else 1):
            colour = {"smoke": "grey", "glow": "yellow"}.get(effect, "blue")
            picture = procedural.effect(effect, colour, size, np.random.default_rng(number))
            yield Kept(effect, names, _padded(to_float(picture)))


def _padded(straight: NDArray[np.float32]) -> RGBA:
    """Colour spread under alpha 0, where a lossy file would otherwise mix black in."""
    rgba = to_u8(straight)
    colour = to_u8(pad_rgb(rgba))
    return np.concatenate([colour, rgba[..., 3:]], axis=2)
