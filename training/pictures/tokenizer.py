"""The built-in model's own small tokenizer: byte-level BPE in CLIP's form, learnt from the captions' words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor
from transformers import CLIPTokenizer

from . import captions

CONTEXT = 24
"""Tokens in one chunk, the start and end tokens included."""

START, END = "<|startoftext|>", "<|endoftext|>"


def kept(folder: Path) -> CLIPTokenizer:
    """The tokenizer that the folder's networks learn with; learnt when there is none."""
    return CLIPTokenizer.from_pretrained(folder) if (folder / "vocab.json").exists() else write(folder)


def tokens(words: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Each text as one padded chunk, `(texts, CONTEXT)`."""
    given = words(texts, padding="max_length", max_length=CONTEXT, truncation=True, return_tensors="pt")
    return cast(Tensor, given.input_ids)


def write(folder: Path, size: int = 1400) -> CLIPTokenizer:
    """Learn the merges, write CLIP's files (`vocab.json`, `merges.txt`) and open them the way the program does.

    The same files from the same captions, in every process: a text encoder is worth nothing with numbers in another order.
    """
    learnt = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learnt.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    learnt.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern=" ", behavior="removed"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    last = [letter + "</w>" for letter in alphabet]  # given numbers here, as ties between merges are broken by them
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False, special_tokens=last
    )
    learnt.train_from_iterator(captions.corpus() * 4, trainer)
    merges = [tuple(pair) for pair in json.loads(learnt.to_str())["model"]["merges"]]
    words = [*alphabet, *last, *("".join(pair) for pair in merges)]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys([*words, START, END]))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": CONTEXT,
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder)
