"""What a weight file is, from its header alone: family, role, and why it cannot be used where it cannot.

Knows names and shapes of tensors; knows no torch and reads no weight, so that listing hundreds of files is fast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..values.errors import ModelBroken
from .headers import Header, read_header
from .json_files import read_json

BaseFamily = Literal["sd15", "sdxl"]
FileRole = Literal["checkpoint", "vae", "lora", "layerdiffuse", "upscaler", "other"]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT_ENCODERS: Mapping[BaseFamily, tuple[str, ...]] = {
    "sd15": ("cond_stage_model.transformer.",),
    "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}
NAMES: Mapping[BaseFamily, str] = {"sd15": "SD 1.5", "sdxl": "SDXL"}


@dataclass(frozen=True)
class Kind:
    """What a file is."""

    role: FileRole
    family: BaseFamily | None
    """The base models that it is, or that it belongs to; `None` for others and where the header does not tell."""
    what: str
    """For a sentence: `an SDXL checkpoint`."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""
    caution: str = ""
    """What may disappoint."""
    has_vae: bool = False
    """A checkpoint with a VAE inside."""


def recognise(path: Path) -> Kind:
    """Read the header of `path` and say what the file is; raises `ModelBroken` for what is no intact safetensors file."""
    if path.suffix.lower() != ".safetensors":
        raise ModelBroken(
            f"{path.name} is not a .safetensors file; other checkpoints can run code when they are opened",
            "Convert it to safetensors, or download that version of it.",
        )
    return kind_of(read_header(path), path.stem)


def base_family(path: Path) -> BaseFamily:
    """The family of a checkpoint file that can be opened; raises `ModelBroken` saying what the file is otherwise."""
    kind = recognise(path)
    if kind.role != "checkpoint" or kind.problem or kind.family is None:
        reason = kind.problem or f"an SD 1.5 or SDXL checkpoint is needed, and it is {kind.what}"
        raise ModelBroken(f"{path.name} is {kind.what} and cannot be used as a base model: {reason}")
    return kind.family


def kind_of(header: Header, name: str = "") -> Kind:
    """As `recognise`, for a header that was read; `name` may tell what a header cannot (v-prediction, distilled models)."""
    keys = header.tensors.keys()
    if f"{UNET}input_blocks.0.0.weight" in keys:
        return _checkpoint(header, name)
    if any("::lora::" in key or "::diff::" in key for key in keys):
        return Kind("layerdiffuse", "sdxl", "LayerDiffuse weights for SDXL")
    if any(key.startswith("hookers.layers.") for key in keys):
        return Kind("layerdiffuse", "sd15", "LayerDiffuse attention-sharing weights for SD 1.5")
    if "latent_conv_in.weight" in keys:
        return Kind("layerdiffuse", None, "a LayerDiffuse transparent decoder")
    if "blocks.16.weight" in keys and header.shape("blocks.0.weight")[1:] == (4, 3, 3):
        return Kind("layerdiffuse", None, "a LayerDiffuse transparent encoder")
    if _LORA.search(" ".join(keys)):
        return _lora(header)
    if vae := _vae(header):
        return vae
    for start, what in _FOREIGN:
        if any(key.removeprefix(UNET).removeprefix("diffusion_model.").startswith(start) for key in keys):
            return Kind("other", None, what, f"{what} is not supported")
    if any(_UPSCALER.match(key) for key in keys):
        return Kind("upscaler", None, "an upscaler")
    return Kind("other", None, "a file of unknown kind", f"it has {len(keys)} tensors, among them {', '.join(sorted(keys)[:3])}")


_LORA = re.compile(r"lora_(?:unet|te\d?|A|B|down|up)\b|\blora_(?:unet|te\d?)_|\.lora[._]|\.hada_w|\.lokr_w|_lora\.(?:down|up)")
_UPSCALER = re.compile(
    r"model\.\d+\.(?:sub\.|weight)|conv_first\.|body\.\d+\.|RRDB_trunk\.|layers\.\d+\.residual_group|params_ema"
)
_DISTILLED = re.compile(r"turbo|lightning|lcm|hyper|dmd2?\b", re.IGNORECASE)
_V_PREDICTION = re.compile(r"v[-_ ]?pred", re.IGNORECASE)

_FOREIGN: tuple[tuple[str, str], ...] = (
    ("double_blocks.", "a Flux or Hunyuan model"),
    ("single_transformer_blocks.", "a Flux model"),
    ("distilled_guidance_layer.", "a Chroma model"),
    ("joint_blocks.", "a Stable Diffusion 3 model"),
    ("double_layers.", "an AuraFlow model"),
    ("cap_embedder.", "a Lumina or Z-Image model"),
    ("transformer_blocks.0.attn.add_q_proj", "a Qwen-Image or other transformer model"),
    ("txt_in.", "a Qwen-Image or Hunyuan model"),
    ("patchify_proj.", "an LTX-Video model"),
    ("head.modulation", "a Wan model"),
    ("t_embedder.", "a PixArt or other transformer model"),
    ("clip_txt_mapper.", "a Stable Cascade model"),
    ("control_model.", "a ControlNet"),
    ("controlnet_cond_embedding.", "a ControlNet"),
    ("input_hint_block.", "a ControlNet"),
    ("image_proj.", "an IP-Adapter"),
    ("ip_adapter.", "an IP-Adapter"),
    ("image_proj_model.", "an IP-Adapter"),
    ("adapter.body.", "a T2I-Adapter"),
    ("emb_params", "a textual inversion embedding"),
    ("clip_g", "a textual inversion embedding"),
    ("clip_l", "a textual inversion embedding"),
    ("input_blocks.", "a UNet without text encoders"),
    ("down_blocks.", "a UNet or another part of a diffusers folder"),
    ("text_model.", "a text encoder"),
    ("transformer.resblocks.", "a text encoder"),
    ("encoder.block.", "a T5 text encoder"),
    ("visual.", "an image encoder"),
    ("vision_model.", "an image encoder"),
    ("taesd_", "a tiny autoencoder"),
)
"""Beginning of a tensor's name -> what such a file is; the first that matches counts."""


def _checkpoint(header: Header, name: str) -> Kind:
    keys = header.tensors.keys()
    unet = {key.removeprefix(UNET) for key in keys if key.startswith(UNET)}
    family: BaseFamily = "sdxl" if "label_emb.0.0.weight" in unet else "sd15"
    what = f"an {NAMES[family]} checkpoint"
    other = _other_unet(header, unet)
    if other:
        return Kind("checkpoint", None, other, f"LayerDiffuse has no weights for {other}")
    if "v_pred" in keys or header.metadata.get("modelspec.prediction_type") == "v" or _V_PREDICTION.search(name):
        return Kind("checkpoint", family, f"{what} with v-prediction", "LayerDiffuse needs a model that predicts noise (epsilon)")
    if "edm_mean" in keys:
        return Kind(
            "checkpoint", family, "a Playground v2.5 checkpoint", "LayerDiffuse needs a model that predicts noise (epsilon)"
        )
    missing = [prefix for prefix in TEXT_ENCODERS[family] if not any(key.startswith(prefix) for key in keys)]
    if missing:
        return Kind("checkpoint", family, f"{what} without text encoder", f"it has no tensors under {' or '.join(missing)}")
    return Kind("checkpoint", family, what, caution=_caution(name), has_vae=any(key.startswith((VAE, "vae.")) for key in keys))


def _caution(name: str) -> str:
    distilled = _DISTILLED.search(name)
    return "distilled models (few steps) give poor transparency; an ordinary checkpoint is better" if distilled else ""


def _other_unet(header: Header, unet: set[str]) -> str:
    """What a UNet is that is neither SD 1.5's nor SDXL's for text to image; empty if it is one of these."""
    channels = header.shape(f"{UNET}input_blocks.0.0.weight")[1]
    if channels == 9:
        return "an inpainting checkpoint"
    if channels == 8:
        return "an InstructPix2Pix checkpoint"
    if channels == 5:
        return "a depth-conditioned SD 2 checkpoint"
    if "label_emb.weight" in unet or channels == 7:
        return "the SD 2 upscaler"
    if channels != 4:
        return f"a checkpoint with {channels} input channels"
    if "label_emb.0.0.weight" in unet:
        depths = {int(match[1]) for key in unet if (match := re.match(r"middle_block\.1\.transformer_blocks\.(\d+)\.", key))}
        if "input_blocks.10.1.proj_in.weight" in unet or depths == set(range(4)):
            return "the SDXL refiner"
        return "" if depths == set(range(10)) else "a reduced SDXL model such as SSD-1B"
    if any(key.startswith("cond_stage_model.model.") for key in header.tensors):
        return "an SD 2 checkpoint"
    context = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    if context not in header.tensors:
        return "a checkpoint of unknown structure"
    return "an SD 2 checkpoint" if header.shape(context)[1] == 1024 else ""


def _vae(header: Header) -> Kind | None:
    """A VAE alone, in ldm's or diffusers' names; SD 1.5's and SDXL's differ in values only, so the family stays open."""
    names = {key.removeprefix(VAE).removeprefix("vae."): key for key in header.tensors}
    if not {"encoder.conv_in.weight", "decoder.conv_in.weight"} <= names.keys():
        return None
    known = {"encoder.down.0.block.0.conv1.weight", "encoder.down_blocks.0.resnets.0.conv1.weight"} & names.keys()
    last = names.get("encoder.conv_out.weight")  # mean and variance of each channel: 8 here, 32 in Flux's
    if known and (last is None or header.shape(last)[0] == 8):
        return Kind("vae", None, "a VAE")
    return Kind("other", None, "an autoencoder of another model", "an autoencoder of another model is not supported")


def _lora(header: Header) -> Kind:
    family = _lora_family(header)
    if family is not None:
        return Kind("lora", family, f"a LoRA for {NAMES[family]}")
    return Kind("lora", None, "a LoRA for another kind of model", "only LoRAs for SD 1.5 and SDXL can be used")


def _lora_family(header: Header) -> BaseFamily | None:
    """By the width of the text that it reads, else by blocks that only one of the families has."""
    keys = header.tensors.keys()
    for key in keys:
        if re.search(r"attn2[._](?:processor\.)?to_[kv]", key) and re.search(r"down\.weight|lora_A(?:\.default)?\.weight", key):
            width = header.shape(key)[1]
            if width in (768, 2048):
                return "sd15" if width == 768 else "sdxl"
            if width == 1024:
                return None
    if any(
        re.match(r"lora_te2_|text_encoder_2\.|lora_unet_(?:in|out)put_blocks_[45]_1_transformer_blocks_1", key) for key in keys
    ):
        return "sdxl"
    sd15 = r"lora_te_text|(?:lora_)?unet[._](?:down_blocks[._][0-2][._]attentions|up_blocks[._][1-3][._]attentions)"
    sdxl = r"(?:lora_)?unet[._](?:down|up)_blocks[._]\d[._]attentions[._]\d[._]transformer_blocks[._][1-9]"
    if any(re.match(sdxl, key) for key in keys):
        return "sdxl"
    return "sd15" if any(re.match(sd15, key) for key in keys) else None


def folder_family(folder: Path) -> BaseFamily:
    """As `base_family`, for a diffusers folder."""
    kind = recognise_folder(folder)
    if kind.problem or kind.family is None:
        raise ModelBroken(f"{folder.name} is {kind.what} and cannot be used as a base model: {kind.problem}")
    return kind.family


def recognise_folder(folder: Path) -> Kind:
    """Read the configurations of a diffusers folder and say what it is; raises `ModelBroken` where there are none."""
    pipeline = str(read_json(folder / "model_index.json").get("_class_name"))
    if not pipeline.startswith("StableDiffusion") or "StableDiffusion3" in pipeline:
        what = f"a model for diffusers' {pipeline}"
        return Kind("checkpoint", None, what, f"only {' and '.join(NAMES.values())} models can be opened")
    unet = read_json(folder / "unet" / "config.json")
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    family: BaseFamily = "sdxl" if unet.get("addition_embed_type") == "text_time" else "sd15"
    what = f"an {NAMES[family]} model"
    if unet.get("in_channels", 4) != 4:
        what = "an inpainting model" if unet["in_channels"] == 9 else f"a model with {unet['in_channels']} input channels"
        return Kind("checkpoint", None, what, f"LayerDiffuse has no weights for {what}")
    if family == "sdxl" and not (folder / "text_encoder").is_dir():
        return Kind("checkpoint", None, "the SDXL refiner", "LayerDiffuse has no weights for the SDXL refiner")
    if family == "sd15" and unet.get("cross_attention_dim") == 1024:
        return Kind("checkpoint", None, "an SD 2 model", "LayerDiffuse has no weights for an SD 2 model")
    prediction = scheduler.get("prediction_type", "epsilon")
    if prediction != "epsilon" or scheduler.get("rescale_betas_zero_snr"):
        reason = f"LayerDiffuse needs a model that predicts noise (epsilon), and it predicts {prediction}"
        return Kind("checkpoint", family, f"{what} with {prediction}", reason)
    return Kind("checkpoint", family, what, caution=_caution(folder.name), has_vae=True)
