"""Textual inversion embeddings by names and shapes: which tensor is for which text encoder, and for which family they are.

Knows the layouts of A1111, diffusers and pivotal tuning; reads no value.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from ..families.structure import Shape

_ENCODERS = {
    "emb_params": 0,
    "string_to_param.*": 0,
    "clip_l": 0,
    "text_encoders_0": 0,
    "clip_g": 1,
    "text_encoders_1": 1,
}
"""Part of an embedding -> index of the text encoder that it is for. Diffusers' own files name the token instead."""
OTHER_WIDTHS = {1024: "SD 2", 4096: "a model that reads T5"}
"""Width of text embeddings -> what else is trained with it."""


@dataclass(frozen=True)
class EmbeddingReading:
    """An embedding's tensors."""

    keys: Mapping[int, str]
    """Index of a text encoder -> key of its vectors, `(vectors, width)` or `(width,)`."""
    widths: Mapping[int, int]
    """Index of a text encoder -> width."""
    counts: Mapping[int, int]
    """Index of a text encoder -> number of vectors."""

    @property
    def vectors(self) -> int:
        """How many tokens it takes the place of."""
        return max(self.counts.values())

    def problem(self, text_widths: tuple[int, ...]) -> str:
        """Why it cannot be used with text encoders of these widths; empty where it can."""
        if len(set(self.counts.values())) > 1:
            return f"its text encoders have different numbers of vectors, {' and '.join(map(str, self.counts.values()))}"
        if 0 in self.counts.values():
            return "it is empty: it has no vectors"
        if self.widths != dict(enumerate(text_widths)):
            own, wanted = (" and ".join(map(str, widths)) for widths in (self.widths.values(), text_widths))
            return f"its vectors have width {own}; this model's text {_encoders(text_widths)} {wanted}"
        return ""

    @property
    def other_base(self) -> str:
        """The base model of another kind that it is for; empty where its widths do not tell."""
        return next((OTHER_WIDTHS[width] for width in self.widths.values() if width in OTHER_WIDTHS), "")


def read_embedding(shapes: Mapping[str, Shape], widths: Container[int] = ()) -> EmbeddingReading | None:
    """The embedding whose parts have these shapes; `None` for a file of another kind.

    A single tensor of another name counts where it has one of `widths`.
    """
    if shapes.keys() <= _ENCODERS.keys() and shapes:
        keys = {_ENCODERS[part]: part for part in shapes}
    elif len(shapes) == 1 and all("." not in part and shape and shape[-1] in widths for part, shape in shapes.items()):
        keys = {0: next(iter(shapes))}
    else:
        return None
    if len(keys) != len(shapes) or not all(len(shape) in (1, 2) for shape in shapes.values()):
        return None
    keys = dict(sorted(keys.items()))
    return EmbeddingReading(
        keys,
        {index: shapes[key][-1] for index, key in keys.items()},
        {index: shapes[key][0] if len(shapes[key]) == 2 else 1 for index, key in keys.items()},
    )


def _encoders(widths: tuple[int, ...]) -> str:
    return "encoder has" if len(widths) == 1 else "encoders have"
