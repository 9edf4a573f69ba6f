"""Tiny base models of the two families: real block structure and real keys, as a single file or a diffusers folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

KEYS = Path(__file__).parents[1] / "golden" / "keys"

UNETS: dict[str, dict[str, Any]] = {
    "sd15": {
        "block_out_channels": (16, 16, 32, 32),
        "cross_attention_dim": 24,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    },
    "sdxl": {
        "block_out_channels": (8, 16, 32),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 40,
        "transformer_layers_per_block": (1, 2, 10),
        "attention_head_dim": (2, 2, 4),
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 72,
        "use_linear_projection": True,
        "norm_num_groups": 8,
    },
}


class TinyModel:
    """A base model of one family with narrow networks and random weights."""

    def __init__(self, family: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.family = family
        self.unet = UNet2DConditionModel(sample_size=8, **UNETS[family])
        self.vae = AutoencoderKL(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            norm_num_groups=4,
            sample_size=64,
            scaling_factor=0.13025 if family == "sdxl" else 0.18215,
        )
        width = 16 if family == "sdxl" else 24
        self.text_encoders: list[Any] = [_text_encoder(CLIPTextModel, width)]
        if family == "sdxl":
            self.text_encoders.append(_text_encoder(CLIPTextModelWithProjection, 24))
        self.scheduler = {
            "_class_name": "EulerDiscreteScheduler",
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "num_train_timesteps": 1000,
            "prediction_type": "epsilon",
        }

    def ldm_tensors(self, *, vae: bool = True, text: bool = True) -> dict[str, Tensor]:
        """Every tensor under the name that it has in a checkpoint file."""
        rows = [line.split("\t") for line in (KEYS / f"{self.family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
        names = {diffusers: ldm for ldm, diffusers, _ in rows}
        tensors = {f"model.diffusion_model.{names[key]}": tensor for key, tensor in self.unet.state_dict().items()}
        if vae:
            tensors |= {f"first_stage_model.{key}": tensor for key, tensor in self.vae_tensors().items()}
        if text:
            first = "conditioner.embedders.0" if self.family == "sdxl" else "cond_stage_model"
            for key, tensor in self.text_encoders[0].state_dict().items():
                tensors[f"{first}.transformer.text_model.{key}"] = tensor
            tensors[f"{first}.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
            for encoder in self.text_encoders[1:]:
                tensors |= {f"conditioner.embedders.1.model.{key}": t for key, t in _open_clip(encoder.state_dict()).items()}
        return tensors

    def vae_tensors(self) -> dict[str, Tensor]:
        """The VAE's tensors under ldm names, attention as 1x1 convolutions."""
        tensors = {}
        for key, tensor in self.vae.state_dict().items():
            name = re.sub(r"decoder\.up_blocks\.(\d)", lambda match: f"decoder.up.{3 - int(match[1])}", key)
            name = re.sub(r"encoder\.down_blocks\.(\d)", r"encoder.down.\1", name)
            name = re.sub(r"\.mid_block\.resnets\.(\d)", lambda match: f".mid.block_{int(match[1]) + 1}", name)
            for part, old in (
                (r"\.resnets\.", ".block."),
                (r"(down|up)samplers\.0", r"\1sample"),
                (r"\.mid_block\.attentions\.0", ".mid.attn_1"),
                (r"\.group_norm\.", ".norm."),
                (r"\.to_([qkv])\.", r".\1."),
                (r"\.to_out\.0\.", ".proj_out."),
                (r"conv_shortcut", "nin_shortcut"),
                (r"conv_norm_out", "norm_out"),
            ):
                name = re.sub(part, old, name)
            tensors[name] = tensor[:, :, None, None] if ".attn_1." in name and tensor.ndim == 2 else tensor
        return tensors

    def write_file(self, path: Path, dtype: torch.dtype = torch.float32, **parts: bool) -> Path:
        """A single file as on Civitai."""
        tensors = self.ldm_tensors(**parts)
        save_file({k: (t.to(dtype) if t.is_floating_point() else t).contiguous() for k, t in tensors.items()}, path)
        return path

    def write_configs(self, folder: Path) -> Path:
        """The configurations alone: what `open_components` needs beside a single file of these sizes."""
        self.unet.save_config(folder / "unet")
        self.vae.save_config(folder / "vae")
        for name, encoder in zip(("text_encoder", "text_encoder_2"), self.text_encoders, strict=False):
            encoder.config.architectures = [type(encoder).__name__]
            encoder.config.save_pretrained(folder / name)
        (folder / "scheduler").mkdir()
        (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(self.scheduler))
        return folder

    def write_folder(self, folder: Path, variant: str | None = None) -> Path:
        """A diffusers folder."""
        from acetate.engine.models.clip_tokenizer import clip_tokenizer

        self.write_configs(folder)
        self.unet.save_pretrained(folder / "unet", variant=variant)
        self.vae.save_pretrained(folder / "vae", variant=variant)
        for suffix, encoder, pad in zip(("", "_2"), self.text_encoders, ("<|endoftext|>", "!"), strict=False):
            encoder.save_pretrained(folder / f"text_encoder{suffix}", variant=variant)
            clip_tokenizer(pad).save_pretrained(folder / f"tokenizer{suffix}")
        name = "StableDiffusionXLPipeline" if self.family == "sdxl" else "StableDiffusionPipeline"
        (folder / "model_index.json").write_text(json.dumps({"_class_name": name}))
        return folder


def _text_encoder(kind: Any, width: int) -> Any:
    return kind(
        CLIPTextConfig(
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            projection_dim=width,
            bos_token_id=0,
            eos_token_id=2,
            pad_token_id=1,
        )
    )


def _open_clip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A transformers text encoder under OpenCLIP's names: joint q, k, v and a transposed projection."""
    tensors = {"logit_scale": torch.tensor(4.6), "text_projection": state["text_projection.weight"].T}
    for key, tensor in state.items():
        name = key.removeprefix("text_model.")
        if match := re.match(r"encoder\.layers\.(\d+)\.(.+)", name):
            block, inner = f"transformer.resblocks.{match[1]}.", match[2]
            if joint := re.fullmatch(r"self_attn\.q_proj\.(weight|bias)", inner):
                parts = [state[key.replace("q_proj", f"{p}_proj")] for p in "qkv"]
                tensors[f"{block}attn.in_proj_{joint[1]}"] = torch.cat(parts)
            elif not re.match(r"self_attn\.[kv]_proj", inner):
                for new, old in (("self_attn.", "attn."), ("layer_norm", "ln_"), ("fc1", "c_fc"), ("fc2", "c_proj")):
                    inner = inner.replace(new, old)
                tensors[block + inner] = tensor
        elif "embedding" in name:
            tensors["positional_embedding" if "position" in name else "token_embedding.weight"] = tensor
        elif "final_layer_norm" in name:
            tensors[name.replace("final_layer_norm", "ln_final")] = tensor
    return tensors
