"""Prompts, with the pictures that they speak of, as Qwen-Image-2.1 reads them (qwen-image.md 1.4).

Its text encoder is a whole vision-language model, of which the last layer's states are taken before they are normalised.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from acetate.raster import RGBA
from torch import Tensor, nn

from ..models.embeddings import Embedding
from ..models.model import Text

SYSTEM = "<|im_start|>system\nComprehend and analyze the provided prompt.<|im_end|>\n"
"""What every prompt of its training began with; its states are left out."""
TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
PICTURE = "<image{}><|vision_start|>{}<|vision_end|>"
SLOT = "<|image_pad|>"
SLOT_SIDE = 32
"""Pixels of the square that one slot stands for."""
LEAST_AREA = 256 * 256
"""Of a picture: the published processor would enlarge a smaller one, and its slots not fit the latents any more."""

REMEMBERED = 16


class QwenText:
    """Encodes one prompt at a time: padding would change the states of the shorter ones."""

    def __init__(self, tokenizer: Any, image_processor: Any, text_encoder: Any) -> None:
        """`text_encoder` is transformers' `Qwen3VLModel`; its last norm is taken out for good."""
        text_encoder.language_model.norm = nn.Identity()
        self.text_encoders = [text_encoder]
        self.embeddings: Mapping[str, Embedding] = {}
        self._tokenizer, self._image_processor, self._encoder = tokenizer, image_processor, text_encoder
        self._left_out = len(self._ids(SYSTEM))
        (self._slot,) = self._ids(SLOT)
        self._cache: OrderedDict[tuple[str, tuple[bytes, ...]], Text] = OrderedDict()

    def encode(self, prompts: list[str], clip_skip: int | None = None, pictures: Sequence[RGBA] = ()) -> Text:
        """One prompt -> its states, `(1, tokens, width)` float32 on the CPU, and which of the tokens are slots of pictures.

        `pictures` are `(H, W, 4)` uint8 straight, of sides that are multiples of 32, in the order in which the prompt calls
        them `<image1>` and so on; transparent parts are seen white.
        """
        assert clip_skip is None, "refused before (requirements)"
        (prompt,) = prompts
        key = (prompt, tuple(picture.tobytes() for picture in pictures))
        if key not in self._cache:
            self._cache[key] = self._run(prompt, pictures)
        self._cache.move_to_end(key)
        while len(self._cache) > REMEMBERED:
            self._cache.popitem(last=False)
        return self._cache[key]

    @torch.no_grad()
    def _run(self, prompt: str, pictures: Sequence[RGBA]) -> Text:
        seen, counts = self._seen(pictures)
        named = " ".join(PICTURE.format(index, SLOT * count) for index, count in enumerate(counts, start=1))
        ids = torch.tensor([self._ids(SYSTEM + TURN.format(named + (prompt or " ")))])
        slots = ids == self._slot
        if seen:
            seen["mm_token_type_ids"] = slots.int()
        device = next(self._encoder.parameters()).device
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **seen}
        states = self._encoder(**{name: value.to(device) for name, value in inputs.items()}).last_hidden_state
        return Text(states[:, self._left_out :].float().cpu(), slots=slots[:, self._left_out :])

    def _seen(self, pictures: Sequence[RGBA]) -> tuple[dict[str, Tensor], list[int]]:
        """What the vision network is given, and how many slots each picture takes."""
        if not pictures:
            return {}, []
        found = dict(self._image_processor(images=[_over_white(picture) for picture in pictures], return_tensors="pt"))
        sizes = [[1, picture.shape[0] // 16, picture.shape[1] // 16] for picture in pictures]
        if found["image_grid_thw"].tolist() != sizes:
            raise AssertionError(f"the processor made {found['image_grid_thw'].tolist()} of pictures of {sizes}")
        return found, [rows * columns // 4 for _, rows, columns in sizes]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


def _over_white(rgba: RGBA) -> np.ndarray[Any, Any]:
    """`(H, W, 4)` uint8 straight -> `(H, W, 3)` uint8, rounded as Pillow's paste rounds."""
    alpha = rgba[..., 3:].astype(np.uint32)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha) + 128
    return (((mixed >> 8) + mixed) >> 8).astype(np.uint8)
