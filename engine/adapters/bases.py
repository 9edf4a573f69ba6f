"""Which base model an artist's addition was made for, where its keys or metadata tell: other architectures, lines of SDXL.

Knows names that trainers write; the families of this program are told by structure (`verdicts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..families.base import Header

_BY_KEY: tuple[tuple[str, str], ...] = (
    (r"lora_prior_|(?:^|_)prior_(?:unet|te)", "Stable Cascade"),
    (r"distilled_guidance_layer", "Chroma"),
    (r"single_transformer_blocks[._]|double_blocks\.\d+\.(?:img|txt)_(?:attn|mlp)\.", "Flux"),
    (r"(?:double_blocks|single_blocks)[._]", "Flux or Hunyuan Video"),
    (r"joint_blocks[._]", "Stable Diffusion 3"),
    (r"transformer_blocks[._]\d+[._](?:attn[._]add_[qkv]_proj|img_mlp|txt_mlp)", "Stable Diffusion 3 or Qwen-Image"),
    (r"lora_te3_|t5xxl", "Stable Diffusion 3 or Flux"),
    (r"(?:^|[._])blocks[._]\d+[._](?:self_attn|cross_attn|ffn)[._]", "Wan"),
    (r"double_layers[._]", "AuraFlow"),
    (r"adaln_single|caption_projection", "PixArt or LTX-Video"),
    (r"(?:^|[._])layers[._]\d+[._](?:attention|feed_forward)[._]", "Lumina or Z-Image"),
    (r"(?:down|up)_blocks[._]\d+[._]motion_modules", "AnimateDiff"),
)
"""Part of a key -> what such a LoRA is for; the first that matches counts."""

_BY_METADATA: tuple[tuple[str, str], ...] = (
    (r"flux", "Flux"),
    (r"stable-diffusion-3|\bsd_?3", "Stable Diffusion 3"),
    (r"stable-diffusion-v2|\bsd_?v?2|sd_v2", "SD 2"),
    (r"cascade", "Stable Cascade"),
    (r"qwen", "Qwen-Image"),
    (r"\bwan", "Wan"),
    (r"hunyuan", "Hunyuan"),
    (r"chroma", "Chroma"),
    (r"lumina|z-?image", "Lumina or Z-Image"),
    (r"auraflow", "AuraFlow"),
    (r"pixart", "PixArt"),
    (r"ltx", "LTX-Video"),
)
_ARCHITECTURE = ("modelspec.architecture", "ss_base_model_version")

_LINES: tuple[tuple[str, str], ...] = (
    (r"pony|pdxl", "Pony"),
    (r"noob", "NoobAI"),
    (r"illustrious|ilxl", "Illustrious"),
    (r"animagine", "Animagine"),
    (r"kolors", "Kolors"),
)
"""Lines of retrained SDXL models, which understand other words than SDXL does."""
_TRAINED_ON = ("ss_base_model_version", "ss_sd_model_name", "modelspec.architecture", "modelspec.title", "ss_sd_model_hash_name")


def other_base(header: Header) -> str:
    """The base model of another architecture that the file is for, by its metadata or its keys; empty for none that is known."""
    noted = _first(_BY_METADATA, [header.metadata.get(name, "") for name in _ARCHITECTURE])
    return noted or _first(_BY_KEY, header.tensors)


def line(header: Header) -> str:
    """The line of retrained models that the file was made with, by its metadata; empty where it does not say."""
    return _first(_LINES, [header.metadata.get(name, "") for name in _TRAINED_ON])


def line_of_checkpoint(name: str) -> str:
    """The line of retrained models that a checkpoint belongs to, by its name; empty where that does not say."""
    return _first(_LINES, [name])


def noted(header: Header, pattern: re.Pattern[str]) -> bool:
    """Whether the trainer noted a base model that matches."""
    return any(pattern.search(header.metadata.get(name, "")) for name in _ARCHITECTURE)


def _first(patterns: Iterable[tuple[str, str]], texts: Iterable[str]) -> str:
    texts = list(texts)
    return next((name for pattern, name in patterns if any(re.search(pattern, text, re.IGNORECASE) for text in texts)), "")
