"""A tiny model's checkpoint as programs save it: the same weights under their names and in their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import torch
from torch import Tensor

from .gguf_files import finished

Tensors = dict[str, Tensor]
UNET, VAE = "model.diffusion_model.", "first_stage_model."
SCALE = 1 / 64
"""Of weights in 8 bit: a power of two, so that what fits into 8 bit comes back exactly."""


def unet(tiny: Any) -> Tensors:
    tensors: Tensors = tiny.ldm_tensors(vae=False, text=False)
    return tensors


def rest(tiny: Any) -> Tensors:
    return {key: tensor for key, tensor in tiny.ldm_tensors().items() if not key.startswith(UNET)}


def averaged(tiny: Any) -> Tensors:
    return {f"model_ema.{key.removeprefix('model.').replace('.', '')}": t for key, t in unet(tiny).items()}


def renamed(tiny: Any, *pairs: tuple[str, str]) -> Tensors:
    found = {}
    for key, tensor in tiny.ldm_tensors().items():
        name = key
        for old, new in pairs:
            name = new + name.removeprefix(old) if name.startswith(old) else name
        found[name] = tensor
    return found


def hugging_face_names(tiny: Any) -> Tensors:
    """SDXL's second text encoder as transformers has it."""
    second = "conditioner.embedders.1."
    kept = {key: tensor for key, tensor in tiny.ldm_tensors().items() if not key.startswith(second)}
    encoders = tiny.text_encoders[1:]
    return kept | {
        f"{second}transformer.{key if key.startswith('text_') else f'text_model.{key}'}": tensor
        for encoder in encoders
        for key, tensor in encoder.state_dict().items()
    }


def diffusers_save(tiny: Any) -> Tensors:
    """All networks in one file under diffusers' names."""
    found = {f"unet.{key}": tensor for key, tensor in tiny.unet.state_dict().items()}
    found |= {f"vae.{key}": tensor for key, tensor in tiny.vae.state_dict().items()}
    for suffix, encoder in zip(("", "_2"), tiny.text_encoders, strict=False):
        found |= {
            f"text_encoder{suffix}.text_model.{key.removeprefix('text_model.')}": t
            for key, t in encoder.state_dict().items()
            if not key.startswith("text_projection")
        }
        found |= {
            f"text_encoder{suffix}.{key}": t for key, t in encoder.state_dict().items() if key.startswith("text_projection")
        }
    return found  # fmt: skip


WHOLE: Mapping[str, Callable[[Any], Tensors]] = {
    "original names": lambda tiny: tiny.ldm_tensors(),
    "with its average (EMA) besides": lambda tiny: tiny.ldm_tensors() | averaged(tiny) | {"model_ema.decay": torch.ones(())},
    "the UNet's average (EMA) alone": lambda tiny: averaged(tiny) | rest(tiny),
    "below `state_dict.`": lambda tiny: renamed(tiny, ("", "state_dict.")),
    "below `model.`": lambda tiny: renamed(tiny, ("", "model.")),
    "ComfyUI: `diffusion_model.`, `vae.`": lambda tiny: renamed(tiny, (UNET, "diffusion_model."), (VAE, "vae.")),
    "ComfyUI: `text_encoders.clip_l`, `clip_g`": lambda tiny: renamed(
        tiny,
        ("conditioner.embedders.0.", "text_encoders.clip_l."),
        ("cond_stage_model.", "text_encoders.clip_l."),
        ("conditioner.embedders.1.model.", "text_encoders.clip_g."),
    ),
    "ComfyUI, older: `cond_stage_model.clip_l`": lambda tiny: renamed(
        tiny,
        ("conditioner.embedders.0.", "cond_stage_model.clip_l."),
        ("cond_stage_model.transformer.", "cond_stage_model.clip_l.transformer."),
        ("conditioner.embedders.1.", "cond_stage_model.clip_g."),
    ),
    "text encoders without `transformer.`, `model.`": lambda tiny: renamed(
        tiny,
        ("conditioner.embedders.0.transformer.", "conditioner.embedders.0."),
        ("conditioner.embedders.1.model.", "conditioner.embedders.1."),
    ),
    "second text encoder in transformers' names": hugging_face_names,
    "diffusers' names in one file": diffusers_save,
    "compiled when it was saved, `_orig_mod.`": lambda tiny: renamed(
        tiny, (UNET, f"{UNET}_orig_mod."), (VAE, f"{VAE}_orig_mod.")
    ),
}
"""Name -> the tensors of a whole checkpoint."""

UNET_ALONE: Mapping[str, Callable[[Any], Tensors]] = {
    "UNet alone, bare names": lambda tiny: {key.removeprefix(UNET): t for key, t in unet(tiny).items()},
    "UNet alone, `model.diffusion_model.`": unet,
    "UNet alone, `diffusion_model.`": lambda tiny: {key.removeprefix("model."): t for key, t in unet(tiny).items()},
    "UNet alone, diffusers' names": lambda tiny: dict(tiny.unet.state_dict()),
    "UNet alone, diffusers' names, `_orig_mod.`": lambda tiny: {f"_orig_mod.{k}": t for k, t in tiny.unet.state_dict().items()},
    "UNet alone, its average (EMA)": averaged,
}
"""Name -> the tensors of a UNet, whose text encoders and VAE are another file's."""


def in_8_bit(tensors: Tensors, spelling: str = ".scale_weight", only: str = "") -> Tensors:
    """Matrices in fp8 with a scale beside them, as ComfyUI saves them; `only` those whose names begin so."""
    found = dict(tensors)
    for key, tensor in tensors.items():
        if key.endswith(".weight") and tensor.ndim == 2 and key.startswith(only):
            found[key] = (tensor / SCALE).to(torch.float8_e4m3fn)
            found[key.removesuffix(".weight") + spelling] = torch.tensor(SCALE)
            found[key.removesuffix(".weight") + ".scale_input"] = torch.ones(())
    return found | {f"{UNET}scaled_fp8": torch.zeros(0, dtype=torch.float8_e4m3fn)}


def write_gguf(tensors: Tensors, path: Path, kind: str = "Q8_0", architecture: str = "sdxl") -> Path:
    """A GGUF file as ComfyUI's converter writes it: matrices and kernels in blocks of `kind`, in rows of 256 values where a
    row of their own is no whole number of blocks, all else in float32."""
    writer = gguf.GGUFWriter(path, architecture)
    stored = gguf.GGMLQuantizationType[kind]
    for key, tensor in tensors.items():
        values = tensor.float().contiguous().numpy()
        if tensor.ndim < 2 or tensor.numel() % 256:
            writer.add_tensor(key, values)
            continue
        if tensor.shape[-1] % gguf.GGML_QUANT_SIZES[stored][0]:
            writer.add_array(f"comfy.gguf.orig_shape.{key}", tuple(tensor.shape))
            values = values.reshape(-1, 256)
        writer.add_tensor(key, gguf.quants.quantize(values, stored), raw_dtype=stored)
    return finished(writer, path)
