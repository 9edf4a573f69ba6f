"""The types of networks' arithmetic: which a device gets by itself, and which may be asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from acetate.vocabulary.engine_options import Dtype

from ..values.errors import BadRequest


@dataclass(frozen=True)
class Dtypes:
    """The type of each network's arithmetic."""

    unet: torch.dtype
    """Also of the text encoders."""
    vae: torch.dtype
    """Never float16: SDXL's VAE overflows in it (layerdiffuse.md 2.6)."""
    decoder: torch.dtype
    """Never bfloat16: 16.6 % of its 8-bit values would land on another level (performance.md 9)."""


def dtypes(device: torch.device, asked: Dtype = "auto") -> Dtypes:
    """`auto` is float32 on the CPU, and half precision on accelerators, where MPS and XPU are untried.

    Raises `BadRequest` for a type that the device does not compute in, or only slower than in float32.
    """
    if reason := _refusal(device, asked):
        raise BadRequest(f"dtype {asked!r} is not for {device}: {reason}", f"choose {_others(device, asked)}")
    if asked == "float32" or (asked == "auto" and device.type == "cpu"):
        return Dtypes(torch.float32, torch.float32, torch.float32)
    unet = torch.bfloat16 if asked == "bfloat16" else torch.float16
    vae = torch.bfloat16 if asked == "bfloat16" or _has_bfloat16(device) else torch.float32
    return Dtypes(unet, vae, torch.float32 if device.type == "cpu" else torch.float16)


def _refusal(device: torch.device, asked: Dtype) -> str:
    """Why a type cannot be had, as the end of a sentence; empty where it can."""
    if asked == "float16" and device.type == "cpu":
        return "a processor is slower in it than in float32"
    if asked == "bfloat16" and device.type == "cuda" and not _has_bfloat16(device):
        return "the card only imitates it, and is slower so than in float32"
    return ""


def _others(device: torch.device, asked: Dtype) -> str:
    able: list[Dtype] = [one for one in ("float32", "float16", "bfloat16") if one != asked and not _refusal(device, one)]
    return " or ".join(able)


def _has_bfloat16(device: torch.device) -> bool:
    """Whether a CUDA card computes in bfloat16 itself; elsewhere it is not relied on."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
