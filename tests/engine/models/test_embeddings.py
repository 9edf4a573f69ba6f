"""Embeddings from files of every layout, and their vectors in the place of names in prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.models.embeddings import Embedding, in_place, open_bundled, open_embedding
from acetate.engine.models.prompts import PromptEncoder
from acetate.engine.values.errors import ModelBroken
from safetensors.torch import save_file
from torch import Tensor

from .test_prompts import CONTEXT, text_encoder, tokenizer

WIDTHS = (16, 24)


def write(path: Path, tensors: dict[str, Tensor]) -> Path:
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("parts", [("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1")])
def test_a_file_holds_vectors_for_each_text_encoder(tmp_path: Path, parts: tuple[str, str]) -> None:
    tensors = {part: torch.randn(3, width).half() for part, width in zip(parts, WIDTHS, strict=True)}
    found = open_embedding(write(tmp_path / "x.safetensors", tensors), WIDTHS)
    for part, vectors in zip(parts, found.vectors, strict=True):
        assert torch.equal(vectors, tensors[part].float())


@pytest.mark.parametrize("key", ["emb_params", "string_to_param.*", "<cat>"])
def test_a_file_for_one_text_encoder_has_any_of_its_layouts(tmp_path: Path, key: str) -> None:
    vector = torch.randn(16)
    found = open_embedding(write(tmp_path / "x.safetensors", {key: vector}), (16,))
    assert torch.equal(found.vectors[0], vector[None])


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"emb_params": torch.ones(2, 15)}, "its vectors have width 15; this model's text encoders have 16 and 24"),
        ({"clip_l": torch.ones(2, 16), "clip_g": torch.ones(3, 24)}, "different numbers of vectors, 2 and 3"),
        ({"clip_l": torch.ones(0, 16), "clip_g": torch.ones(0, 24)}, "it is empty"),
        ({"clip_l": torch.full((1, 16), torch.nan), "clip_g": torch.ones(1, 24)}, "holds NaN or infinity in clip_l"),
        ({"a.b": torch.ones(1)}, "no embedding of a known kind"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, tensors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ModelBroken, match=message):
        open_embedding(write(tmp_path / "x.safetensors", tensors), WIDTHS)


def test_a_lora_brings_its_embeddings_by_their_names(tmp_path: Path) -> None:
    one = {f"bundle_emb.cat.{part}": torch.randn(2, width) for part, width in zip(("clip_l", "clip_g"), WIDTHS, strict=True)}
    narrow = {"bundle_emb.dog.clip_l": torch.ones(2, 16)}
    path = write(tmp_path / "x.safetensors", {**one, **narrow, "lora_unet_conv_in.alpha": torch.tensor(1.0)})
    found, problems = open_bundled(path, WIDTHS)
    assert list(found) == ["cat"]
    assert problems == {"dog": "x.safetensors: its vectors have width 16; this model's text encoders have 16 and 24"}
    assert torch.equal(found["cat"].vectors[1], one["bundle_emb.cat.clip_g"])


@pytest.fixture
def encoder() -> Any:
    return text_encoder()


def own_vectors(encoder: Any, words: str) -> Embedding:
    """An embedding that is the tokens of `words`: it must do exactly what the words do."""
    ids = tokenizer()(words, add_special_tokens=False)["input_ids"]
    return Embedding((encoder.get_input_embeddings().weight[ids].clone(),), words)


def encoded(encoder: Any, prompt: str, **embeddings: Embedding) -> Tensor:
    made = PromptEncoder([tokenizer()], [encoder])
    made.embeddings = embeddings
    return made.encode([prompt]).embeds


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("embedding:cat", "abc"),
        ("cat", "abc"),
        ("x Cat, y", "x abc, y"),
        ("x (embedding:cat:1.3) y", "x (abc:1.3) y"),
        ("[cat] y", "[abc] y"),
        ("x, cat cat", "x, abc abc"),
        ("x BREAK cat", "x BREAK abc"),
    ],
)
def test_vectors_do_what_the_tokens_do_that_they_equal(encoder: Any, prompt: str, words: str) -> None:
    found = encoded(encoder, prompt, cat=own_vectors(encoder, "abc"))
    assert torch.equal(found, encoded(encoder, words))


def test_a_name_inside_a_word_stays_a_word(encoder: Any) -> None:
    assert torch.equal(encoded(encoder, "cats", cat=own_vectors(encoder, "abc")), encoded(encoder, "cats"))


def test_an_embedding_longer_than_a_chunk_goes_on_in_the_next(encoder: Any) -> None:
    words = "abcdefghij"
    assert len(words) > CONTEXT - 2
    found = encoded(encoder, "cat", cat=own_vectors(encoder, words))
    assert torch.equal(found, encoded(encoder, words))
    assert found.shape[1] == 2 * CONTEXT


def test_new_vectors_of_a_name_are_not_answered_from_the_cache(encoder: Any) -> None:
    made = PromptEncoder([tokenizer()], [encoder])
    plain = made.encode(["cat"]).embeds
    for words in ("abc", "xyz"):
        made.embeddings = {"cat": own_vectors(encoder, words)}
        assert torch.equal(made.encode(["cat"]).embeds, encoded(encoder, words))
    made.embeddings = {}
    assert torch.equal(made.encode(["cat"]).embeds, plain)


def test_the_encoder_is_left_as_it_was_even_after_an_error(encoder: Any) -> None:
    layer = encoder.get_input_embeddings()
    with pytest.raises(KeyError), in_place(encoder, [(0, 1, torch.ones(16))]):
        assert bool((layer(torch.zeros(1, 3, dtype=torch.long))[0, 1] == 1).all())
        raise KeyError
    assert not bool((layer(torch.zeros(1, 3, dtype=torch.long))[0, 1] == 1).all())
