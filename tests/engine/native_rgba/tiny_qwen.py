"""A Qwen-Image-2.1 of 100 KB with random weights, in diffusers' layout: every network, name and file of the real one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, QwenImage21Pipeline
from diffusers.models import AutoencoderKLQwenImage21, QwenImage21Transformer2DModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import BatchFeature, PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
SCHEDULER = {
    "base_image_seq_len": 256,
    "base_shift": 0.5,
    "max_image_seq_len": 8192,
    "max_shift": 0.9,
    "num_train_timesteps": 1000,
    "shift": 1.0,
    "shift_terminal": 0.02,
    "time_shift_type": "exponential",
    "use_dynamic_shifting": True,
}
"""The published one (qwen-image.md 1.5)."""
TURBO = [1.0, 0.978453, 0.95418, 0.926626, 0.89508, 0.845148, 0.704534, 0.414568]


@dataclass(frozen=True)
class TinyQwen:
    """The model in a folder of its own."""

    folder: Path

    def write(self, seed: int = 0, turbo: bool = False) -> TinyQwen:
        """Write every part with the weights of a seed."""
        tokenizer = _tokenizer()
        torch.manual_seed(seed)
        _text_encoder(tokenizer).save_pretrained(self.folder / "text_encoder")
        small = {"base_dim": 8, "decoder_base_dim": 8, "z_dim": 64, "dim_mult": [1, 1, 1, 1, 1], "num_res_blocks": 1}
        AutoencoderKLQwenImage21(**small, temperal_downsample=[False, True, True, True]).save_pretrained(self.folder / "vae")
        QwenImage21Transformer2DModel(
            num_layers=2, attention_head_dim=16, num_attention_heads=2, context_in_dim=32, axes_dims_rope=(4, 6, 6)
        ).save_pretrained(self.folder / "transformer")
        still = {**SCHEDULER, "use_dynamic_shifting": False, "shift_terminal": None} if turbo else SCHEDULER
        FlowMatchEulerDiscreteScheduler(**still).save_pretrained(self.folder / "scheduler")
        tokenizer.save_pretrained(self.folder / "processor")
        images = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        sides = {"size": {"shortest_edge": 65536, "longest_edge": 16777216}}
        Qwen2VLImageProcessorPil(**images, **sides).save_pretrained(self.folder / "processor")
        index = {
            "_class_name": "QwenImage21Pipeline",
            "processor": ["transformers", "Qwen3VLProcessor"],
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
            "text_encoder": ["transformers", "Qwen3VLForConditionalGeneration"],
            "transformer": ["diffusers", "QwenImage21Transformer2DModel"],
            "vae": ["diffusers", "AutoencoderKLQwenImage21"],
            **({"sample_sigmas": TURBO} if turbo else {}),
        }
        (self.folder / "model_index.json").write_text(json.dumps(index))
        return self

    @cached_property
    def transformer(self) -> Any:
        return QwenImage21Transformer2DModel.from_pretrained(self.folder / "transformer").eval()

    @cached_property
    def vae(self) -> Any:
        return AutoencoderKLQwenImage21.from_pretrained(self.folder / "vae").eval()

    @cached_property
    def text_encoder(self) -> Any:
        return Qwen3VLForConditionalGeneration.from_pretrained(self.folder / "text_encoder").eval()

    @cached_property
    def tokenizer(self) -> Any:
        return PreTrainedTokenizerFast.from_pretrained(self.folder / "processor")

    @cached_property
    def image_processor(self) -> Any:
        return Qwen2VLImageProcessorPil.from_pretrained(self.folder / "processor")

    @cached_property
    def pipeline(self) -> Any:
        """diffusers' own."""
        scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(self.folder / "scheduler")
        processor = _Processor(self.tokenizer, self.image_processor)
        listed = json.loads((self.folder / "model_index.json").read_text()).get("sample_sigmas")
        encoder = Qwen3VLForConditionalGeneration.from_pretrained(self.folder / "text_encoder").eval()
        made = QwenImage21Pipeline(scheduler, self.vae, encoder, processor, self.transformer, sample_sigmas=listed)
        made.set_progress_bar_config(disable=True)
        return made


class _Processor:
    """What the pipeline needs of `Qwen3VLProcessor`, which cannot be made without torchvision."""

    def __init__(self, tokenizer: Any, image_processor: Any) -> None:
        self.tokenizer, self.image_processor = tokenizer, image_processor

    def apply_chat_template(self, messages: Any, **_: Any) -> list[list[int]]:
        (message,) = messages
        text = f"<|im_start|>{message['role']}\n{message['content'][0]['text']}<|im_end|>\n"
        return [self.tokenizer(text)["input_ids"]]

    def __call__(self, text: list[str], images: Any = None, **_: Any) -> Any:
        extra: dict[str, Any] = {}
        if images is not None:
            extra = dict(self.image_processor(images=images, return_tensors="pt"))
            counts = iter((extra["image_grid_thw"].prod(-1) // 4).tolist())
            for index, one in enumerate(text):
                first, *rest = one.split("<|image_pad|>")
                text[index] = first + "".join("<|image_pad|>" * next(counts) + part for part in rest)
        encoded = self.tokenizer(text, padding=True, padding_side="left", return_tensors="pt")
        if images is not None:
            extra["mm_token_type_ids"] = (encoded["input_ids"] == self.tokenizer.convert_tokens_to_ids("<|image_pad|>")).int()
        return BatchFeature({**encoded, **extra})


def _tokenizer() -> Any:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    text = [
        "This is an RGBA image with transparency. a red apple. The image has alpha channel and the background is transparent."
    ]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        text, trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<|endoftext|>", eos_token="<|im_end|>")


def _text_encoder(tokenizer: Any) -> Any:
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "mrope_interleaved": True}
    widths = {"hidden_size": 32, "intermediate_size": 64}
    config = Qwen3VLConfig(
        text_config={
            **widths,
            "vocab_size": len(tokenizer),
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "rope_scaling": rope,
        },
        vision_config={
            **widths,
            "depth": 2,
            "num_heads": 2,
            "patch_size": 16,
            "out_hidden_size": 32,
            "deepstack_visual_indexes": [0],
            "num_position_embeddings": 256,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return Qwen3VLForConditionalGeneration(config).eval()
