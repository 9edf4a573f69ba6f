"""Prompts of any length, with emphasis, as the embeddings that a UNet takes. Knows CLIP; knows no UNet and no request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ..prompt_language.embedding_mentions import PromptPart, split_mentions
from ..prompt_language.emphasis import between_breaks
from ..values.errors import BadRequest
from ..weights.patches import signature
from .embeddings import Embedding, Place, in_place
from .model import Text

Token = int | Tensor
"""A word's part by its number, or a vector `(width,)` of an embedding."""
PLACEHOLDER = 0


class Chunk(NamedTuple):
    """As many tokens as a text encoder takes at once, with begin, end and padding."""

    tokens: list[Token]
    weights: list[float]

    @property
    def ids(self) -> list[int]:
        """What the encoder is given: an embedding's vectors are put over the tokens of `PLACEHOLDER`."""
        return [token if isinstance(token, int) else PLACEHOLDER for token in self.tokens]

    def places(self, row: int) -> list[Place]:
        """Where vectors stand, in row `row` of a batch."""
        return [(row, column, token) for column, token in enumerate(self.tokens) if isinstance(token, Tensor)]


class PromptEncoder:
    """Encodes prompts in chunks of the encoders' context and keeps the latest results.

    `layer` is which hidden state is handed out, -1 the last (CLIP skip 2 is -2); `normalised` applies the encoder's final
    norm to it: facts of a family. The widths of several encoders are
    concatenated; an encoder with a projection gives the pooled embedding, of the first chunk.

    A weight moves a token's embedding away from that of an empty prompt, at the same place, or back towards it.
    """

    def __init__(
        self,
        tokenizers: Sequence[Any],
        text_encoders: Sequence[nn.Module],
        *,
        layer: int = -1,
        normalised: bool = True,
        remembered: int = 64,
    ) -> None:
        self.text_encoders = list(text_encoders)
        self._tokenizers = list(tokenizers)
        self._layer, self._normalised, self._remembered = layer, normalised, remembered
        self._cache: OrderedDict[Hashable, _Encoded] = OrderedDict()
        self.embeddings: Mapping[str, Embedding] = {}
        """What names in prompts stand for."""

    def encode(self, prompts: list[str], clip_skip: int | None = None) -> Text:
        """Prompts -> `(B, chunks * context, width)` on the CPU, all padded to the longest with empty chunks.

        `clip_skip` reads another layer than the family's, 1 the last. Raises `BadRequest` where an encoder has not so many.
        """
        layer = self._layer if clip_skip is None else self._skipping(clip_skip)
        encoded = self._encoded([*prompts, ""], layer)
        *each, empty = (encoded[prompt] for prompt in [*prompts, ""])
        count = max(entry.chunks for entry in each)
        embeds = [torch.cat([entry.embeds, *[empty.embeds] * (count - entry.chunks)]).flatten(0, 1) for entry in each]
        pooled = [entry.pooled for entry in each if entry.pooled is not None]
        return Text(torch.stack(embeds), torch.stack(pooled) if pooled else None)

    def chunks(self, prompt: str) -> int:
        """How many chunks `prompt` takes."""
        return max(map(len, self._chunked(prompt)))

    def _chunked(self, prompt: str) -> list[list[Chunk]]:
        """The chunks of `prompt` for each encoder."""
        vectors = [{name: one.vectors[index] for name, one in self.embeddings.items()} for index in range(len(self._tokenizers))]
        return [list(_chunks(*part, prompt, own)) for part, own in zip(self._parts(), vectors, strict=True)]

    def _skipping(self, clip_skip: int) -> int:
        depth = min(int(cast(Any, encoder.config).num_hidden_layers) for encoder in self.text_encoders)
        if clip_skip > depth:
            raise BadRequest(f"clip_skip is {clip_skip}; the text encoder of this model has {depth} layers")
        return -clip_skip

    def _parts(self) -> Iterator[tuple[Any, Any]]:
        return zip(self._tokenizers, self.text_encoders, strict=True)

    def _encoded(self, prompts: list[str], layer: int) -> dict[str, _Encoded]:
        named = tuple(sorted((name, embedding.stamp) for name, embedding in self.embeddings.items()))
        state = (*(signature(encoder) for encoder in self.text_encoders), layer, named)
        found = {prompt: self._cache[prompt, state] for prompt in prompts if (prompt, state) in self._cache}
        if missing := [prompt for prompt in dict.fromkeys(prompts) if prompt not in found]:
            found |= zip(missing, self._run(missing, layer), strict=True)
        for prompt in prompts:
            self._cache[prompt, state] = found[prompt]
            self._cache.move_to_end((prompt, state))
        while len(self._cache) > max(self._remembered, len(found)):
            self._cache.popitem(last=False)
        return found

    @torch.no_grad()
    def _run(self, prompts: list[str], layer: int) -> list[_Encoded]:
        """One pass per encoder over the chunks of all `prompts`."""
        chunked = [self._chunked(prompt) for prompt in prompts]
        counts = [max(len(chunks) for chunks in each) for each in chunked]
        widths: list[Tensor] = []
        pooled: Tensor | None = None
        for index, (tokenizer, encoder) in enumerate(self._parts()):
            blank = next(_chunks(tokenizer, encoder, "", {}))
            chunks = [
                chunk
                for each, count in zip(chunked, counts, strict=True)
                for chunk in [*each[index], *[blank] * (count - len(each[index]))]
            ]
            ids = torch.tensor([blank.ids, *(chunk.ids for chunk in chunks)], device=next(encoder.parameters()).device)
            with in_place(encoder, [place for row, chunk in enumerate(chunks, start=1) for place in chunk.places(row)]):
                hidden, projected = self._hidden(encoder, ids, layer)
            weights = torch.tensor([chunk.weights for chunk in chunks])[..., None]
            neutral = hidden[:1]
            widths.append(torch.where(weights == 1, hidden[1:], neutral + weights * (hidden[1:] - neutral)))
            pooled = pooled if projected is None else projected[1:]
        embeds = torch.cat(widths, 2).split(counts)
        firsts = [None] * len(prompts) if pooled is None else [part[0] for part in pooled.split(counts)]
        return [_Encoded(part, first) for part, first in zip(embeds, firsts, strict=True)]

    def _hidden(self, encoder: Any, ids: Tensor, layer: int) -> tuple[Tensor, Tensor | None]:
        """`(B, context)` ids -> fp32 `(B, context, width)` and, with a projection, pooled `(B, width)`, on the CPU."""
        output = encoder(ids, output_hidden_states=True)
        hidden = output.hidden_states[layer]
        if self._normalised:
            hidden = getattr(encoder, "text_model", encoder).final_layer_norm(hidden)
        projected = getattr(output, "text_embeds", None)
        return hidden.float().cpu(), None if projected is None else projected.float().cpu()


class _Encoded(NamedTuple):
    embeds: Tensor
    """`(chunks, context, width)`"""
    pooled: Tensor | None
    """`(width,)`"""

    @property
    def chunks(self) -> int:
        return len(self.embeds)


def _chunks(tokenizer: Any, encoder: Any, prompt: str, embeddings: Mapping[str, Tensor]) -> Iterator[Chunk]:
    """At least one chunk; a word that does not fit any more begins the next one, and so does what stands after `BREAK`."""
    context: int = encoder.config.max_position_embeddings
    for section in between_breaks(prompt):
        words = _words(tokenizer, split_mentions(section, embeddings.keys()), embeddings)
        yield from _section(tokenizer, context, words)


def _section(tokenizer: Any, context: int, words: Iterable[tuple[list[Token], float]]) -> Iterator[Chunk]:
    room = context - 2
    ids: list[Token] = []
    weights: list[float] = []
    empty = True
    for word, weight in words:
        empty = False
        if len(ids) + len(word) > room and ids:
            yield _chunk(tokenizer, context, ids, weights)
            ids, weights = [], []
        while len(word) > room:
            yield _chunk(tokenizer, context, word[:room], [weight] * room)
            word = word[room:]
        ids, weights = ids + word, weights + [weight] * len(word)
    if ids or empty:
        yield _chunk(tokenizer, context, ids, weights)


def _words(tokenizer: Any, parts: Iterable[PromptPart], embeddings: Mapping[str, Tensor]) -> Iterator[tuple[list[Token], float]]:
    for text, weight, embedding in parts:
        if embedding:
            yield list(embeddings[embedding]), weight
            continue
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        word: list[Token] = []
        for identifier, token in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
            word.append(identifier)
            if token.endswith("</w>"):
                yield word, weight
                word = []
        if word:
            yield word, weight


def _chunk(tokenizer: Any, context: int, ids: list[Token], weights: list[float]) -> Chunk:
    padding = context - 2 - len(ids)
    return Chunk(
        [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id, *[tokenizer.pad_token_id] * padding],
        [1.0, *weights, *[1.0] * (padding + 1)],
    )
