"""CLIP's tokenizer, built from package data without a file of a model or a hub.

Knows the vocabulary that all of CLIP's text encoders share; a model folder with a tokenizer of its own does not need it.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

from transformers import CLIPTokenizer


def clip_tokenizer(pad_token: str = "<|endoftext|>") -> CLIPTokenizer:
    """A tokenizer that fills prompts up with `pad_token` (`TextEncoder.padding`)."""
    vocabulary, merges = _vocabulary()
    return CLIPTokenizer(vocab=dict(vocabulary), merges=list(merges), pad_token=pad_token, model_max_length=77)


@cache
def _vocabulary() -> tuple[dict[str, int], list[Any]]:
    """Token -> id and merges in order of precedence: bytes, bytes that end a word, merged pairs, begin and end."""
    packed = (files("acetate.engine") / "data" / "clip_merges.txt.gz").read_bytes()
    merges = [(first, second) for first, second in map(str.split, gzip.decompress(packed).decode("utf-8").splitlines())]
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(first + second for first, second in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: identifier for identifier, token in enumerate(tokens)}, merges


def _byte_letters() -> list[str]:
    """The 256 bytes as printable letters in GPT-2's order: printable bytes stand for themselves, the rest follow 255."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
