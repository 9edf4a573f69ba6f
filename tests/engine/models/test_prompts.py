"""Prompts to embeddings: chunks, emphasis, layers, cache."""

from __future__ import annotations

import string
from typing import Any

import pytest
import torch
from acetate.engine import BadRequest
from acetate.engine.models.prompts import PromptEncoder
from acetate.engine.weights import patches
from acetate.engine.weights.patch_keys import Diff
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

CONTEXT = 8


def tokenizer(pad_token: str = "<end>") -> CLIPTokenizer:
    """One token a letter, so that a word of n letters is n tokens."""
    letters = string.ascii_lowercase + ",!"
    vocabulary = {token: i for i, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters), "<begin>", "<end>"])}
    return CLIPTokenizer(
        vocab=vocabulary, merges=[], bos_token="<begin>", eos_token="<end>", unk_token="<end>", pad_token=pad_token
    )


def text_encoder(kind: Any = CLIPTextModel, width: int = 16, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = CLIPTextConfig(
        vocab_size=58,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        projection_dim=12,
        bos_token_id=56,
        eos_token_id=57,
        pad_token_id=57,
    )
    return kind(config).eval().requires_grad_(False)


class Counting:
    """Text encoder that counts the chunks it was given."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.config = encoder.config
        self.text_model = getattr(encoder, "text_model", encoder)
        self.seen: list[list[list[int]]] = []

    def parameters(self) -> Any:
        return self.encoder.parameters()

    def __call__(self, ids: Tensor, **options: Any) -> Any:
        self.seen.append(ids.tolist())
        return self.encoder(ids, **options)


def letters(chunk: list[int]) -> str:
    """`^ab.` for the ids of begin, a, b, end; padding is `.` as well."""
    names = {identifier: token for token, identifier in tokenizer().get_vocab().items()}
    text = "".join({"<begin>": "^", "<end>": "."}.get(names[i], names[i]) for i in chunk)
    return text.replace("</w>", "|")


def chunks_of(prompt: str) -> list[str]:
    encoder = Counting(text_encoder())
    PromptEncoder([tokenizer()], [encoder]).encode([prompt])  # type: ignore[list-item]
    return [letters(chunk) for chunk in encoder.seen[0][1:] if prompt]


def test_a_short_prompt_is_one_chunk_equal_to_the_encoders_own_output() -> None:
    encoder = text_encoder()
    text = PromptEncoder([tokenizer()], [encoder]).encode(["a cat"])
    ids = tokenizer()("a cat", padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids
    torch.testing.assert_close(text.embeds, encoder(ids).last_hidden_state, atol=1e-6, rtol=0)
    assert text.pooled is None


def test_long_prompts_break_between_words() -> None:
    assert chunks_of("cat sofa mat")[:2] == ["^cat|....", "^sofa|..."]
    assert chunks_of("ab cd ef g")[:2] == ["^ab|cd|ef|.", "^g|......"]


def test_a_word_longer_than_a_chunk_is_cut() -> None:
    assert chunks_of("x abcdefghijklmn")[:4] == ["^x|......", "^abcdef.", "^ghijkl.", "^mn|....."]


def test_prompts_of_one_call_have_equal_chunks() -> None:
    encoder = PromptEncoder([tokenizer()], [text_encoder()])
    both = encoder.encode(["cat", "cat sofa mat", ""]).embeds
    assert both.shape == (3, 3 * CONTEXT, 16)
    alone, empty = encoder.encode(["cat"]).embeds, encoder.encode([""]).embeds
    assert torch.equal(both[0], torch.cat([alone[0], empty[0], empty[0]]))
    assert torch.equal(both[2], torch.cat([empty[0]] * 3))
    assert (encoder.chunks("cat"), encoder.chunks("cat sofa mat"), encoder.chunks(""), encoder.chunks("()")) == (1, 3, 1, 1)


def test_emphasis_moves_a_token_away_from_the_empty_prompt() -> None:
    encoder = PromptEncoder([tokenizer()], [text_encoder()])
    plain, empty = encoder.encode(["a b"]).embeds[0], encoder.encode([""]).embeds[0]
    for prompt, weight in (("a (b:1.5)", 1.5), ("a (b)", 1.1), ("a [b]", 1 / 1.1), ("a (b:0)", 0.0), ("a (b:1)", 1.0)):
        weighted = encoder.encode([prompt]).embeds[0]
        torch.testing.assert_close(weighted[2], empty[2] + weight * (plain[2] - empty[2]))
        untouched = [0, 1, *range(3, CONTEXT)]
        assert torch.equal(weighted[untouched], plain[untouched])


def test_clip_skip_takes_an_earlier_layer() -> None:
    encoder = text_encoder()
    ids = tokenizer()("a cat", padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids
    hidden = encoder(ids, output_hidden_states=True).hidden_states[-2]
    skipped = PromptEncoder([tokenizer()], [encoder], layer=-2).encode(["a cat"]).embeds
    torch.testing.assert_close(skipped, encoder.final_layer_norm(hidden), atol=1e-6, rtol=0)


def test_two_encoders_are_concatenated_and_the_projection_is_pooled() -> None:
    first, second = text_encoder(), text_encoder(CLIPTextModelWithProjection, width=24, seed=1)
    other = tokenizer(pad_token="!")
    text = PromptEncoder([tokenizer(), other], [first, second], layer=-2, normalised=False).encode(["a cat", "cat sofa mat"])
    assert text.embeds.shape == (2, 3 * CONTEXT, 16 + 24)
    for index, prompt in enumerate(("a cat", "cat")):  # the first chunks
        ids = [t(prompt, padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids for t in (tokenizer(), other)]
        outputs = [encoder(i, output_hidden_states=True) for encoder, i in zip((first, second), ids, strict=True)]
        expected = torch.cat([output.hidden_states[-2] for output in outputs], 2)
        torch.testing.assert_close(text.embeds[index : index + 1, :CONTEXT], expected, atol=1e-6, rtol=0)
        assert text.pooled is not None
        torch.testing.assert_close(text.pooled[index : index + 1], outputs[1].text_embeds, atol=1e-6, rtol=0)


def test_each_prompt_is_encoded_once() -> None:
    counting = Counting(text_encoder())
    encoder = PromptEncoder([tokenizer()], [counting], remembered=3)  # type: ignore[list-item]
    first = encoder.encode(["cat", "dog", "cat"])
    assert torch.equal(encoder.encode(["cat", "dog", "cat"]).embeds, first.embeds)
    assert len(counting.seen) == 1
    encoder.encode(["fox"])
    encoder.encode(["cat"])  # three are kept: cat, fox and the empty prompt
    encoder.encode(["dog"])
    assert [len(ids) for ids in counting.seen] == [4, 2, 2]


def test_a_changed_encoder_is_not_answered_from_the_cache() -> None:
    network = text_encoder()
    encoder = PromptEncoder([tokenizer()], [network])
    plain = encoder.encode(["cat"]).embeds
    change = {"final_layer_norm.bias": torch.ones(16)}
    delta = Diff("final_layer_norm.bias", "final_layer_norm.bias")
    patch = patches.merge(network, [delta], change, 1.0, label="ink")
    torch.testing.assert_close(encoder.encode(["cat"]).embeds, plain + 1)
    patch.revert()
    assert torch.equal(encoder.encode(["cat"]).embeds, plain)


def test_half_precision_encoders_serve(recwarn: pytest.WarningsRecorder) -> None:
    encoder = text_encoder().bfloat16()
    text = PromptEncoder([tokenizer()], [encoder]).encode(["a (cat:1.2) " * 40])
    assert text.embeds.dtype == torch.float32
    assert text.embeds.isfinite().all()


def test_clip_skip_reads_the_layer_that_it_counts_from_the_last() -> None:
    words, encoder = tokenizer(), text_encoder()
    for skip, normalised in ((1, True), (2, True), (2, False)):
        asked = PromptEncoder([words], [encoder], layer=-1, normalised=normalised).encode(["ab"], skip)
        own = PromptEncoder([words], [encoder], layer=-skip, normalised=normalised).encode(["ab"])
        assert torch.equal(asked.embeds, own.embeds)
    both = PromptEncoder([words], [encoder])
    assert not torch.equal(both.encode(["ab"]).embeds, both.encode(["ab"], 2).embeds), "what is kept knows its layer"
    assert torch.equal(both.encode(["ab"]).embeds, both.encode(["ab"], 1).embeds)


def test_clip_skip_beyond_the_layers_of_any_encoder_is_refused() -> None:
    with pytest.raises(BadRequest, match="clip_skip is 4; the text encoder of this model has 3 layers"):
        PromptEncoder([tokenizer()], [text_encoder()]).encode(["ab"], 4)


def test_break_begins_a_chunk_and_both_are_read_by_themselves() -> None:
    encoder = PromptEncoder([tokenizer()], [text_encoder()])
    assert encoder.chunks("ab BREAK cd") == 2
    whole = encoder.encode(["ab BREAK (cd:1.2)"]).embeds[0]
    first, second = encoder.encode(["ab"]).embeds[0], encoder.encode(["(cd:1.2)"]).embeds[0]
    torch.testing.assert_close(whole, torch.cat([first, second]))
