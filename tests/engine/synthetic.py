"""Networks with the two families' real block structure, and weights for them: narrow, random and made in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from acetate.engine.files import catalogue
from acetate.engine.layerdiffuse.attention_sharing import attention_layers
from acetate.engine.layerdiffuse.control_encoder import ControlEncoder
from acetate.engine.layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

from .tiny_models import TinyModel

Shapes = dict[str, tuple[int, ...]]
SHARING = {
    "transparent-attention": (1, False),
    "joint": (3, False),
    "foreground-to-background": (2, True),
    "background-to-foreground": (2, True),
}
CONCATENATED = {
    "foreground-to-blended": 8,
    "background-to-blended": 8,
    "foreground-blended-to-background": 12,
    "background-blended-to-foreground": 12,
}
RESIDUAL = re.compile(r"\.(in_layers|out_layers|emb_layers|skip_connection|op|conv)\.|diffusion_model\.out\.|blocks\.0\.0\.bias")
"""What the conditioned files change besides the first convolution's weight (layerdiffuse.md 1.4)."""
ATTENTION = (".to_q.weight", ".to_k.weight", ".to_v.weight", ".to_out.0.weight")


def narrow_unet() -> UNet2DConditionModel:
    """Two widths of transformer blocks, `(B, 4, h, w)` and prompts `(B, tokens, 24)`; a step takes milliseconds."""
    torch.manual_seed(0)
    network = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=24,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    return network.eval().requires_grad_(False)


def sd15_unet() -> UNet2DConditionModel:
    """SD 1.5's blocks and keys at a twentieth of its width, with four heads."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=2,
        cross_attention_dim=24,
        attention_head_dim=4,
        norm_num_groups=8,
    ).eval()


def sdxl_unet() -> UNet2DConditionModel:
    """SDXL's blocks, transformer depths and keys at a fortieth of its width."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(8, 16, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        cross_attention_dim=24,
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(2, 2, 4),
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=64,
        use_linear_projection=True,
        norm_num_groups=8,
    ).eval()


def fill(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The reference's synthetic weights for shapes by key (layerdiffuse.md 10.1)."""
    weights = {key: _fill_one(key, shapes[key], seed) for seed, key in enumerate(sorted(shapes), start=1)}
    if "conv_out.weight" in weights and "conv_out.bias" in weights:
        weights["conv_out.weight"] *= 0.25
        weights["conv_out.bias"] += 0.5
    return weights


def _fill_one(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    count = int(np.prod(shape))
    h = (np.arange(count, dtype=np.uint64) + (seed * 0x9E3779B9) % 2**32) % 2**32
    for factor, shift in ((2654435761, 16), (2246822519, 13), (3266489917, 16)):
        h = h * np.uint64(factor) % 2**32
        h ^= h >> np.uint64(shift)
    value = h.astype(np.float64) / 2**31 - 1
    if len(shape) >= 2:
        value *= np.sqrt(3 * shape[0] / count)
    elif key.endswith("weight"):
        value = 1 + 0.1 * value
    else:
        value *= 0.05
    return torch.from_numpy(value.reshape(shape)).float()


def unit_shapes(unet: UNet2DConditionModel, frames: int, *, controlled: bool = False, rank: int = 4) -> Shapes:
    """The shapes by key of an attention-sharing file for a UNet (layerdiffuse.md 4.2)."""
    shapes: Shapes = {}
    for index, layer in enumerate(attention_layers(unet)):
        width, context, prefix = layer.module.to_q.out_features, layer.module.to_k.in_features, f"hookers.layers.{index}."
        for name in "inqkvo":
            shapes[f"{prefix}temporal_{name}.weight"] = (width,) if name == "n" else (width, width)
            shapes[f"{prefix}temporal_{name}.bias"] = (width,)
        for frame in range(frames):
            for name, inputs in (("q", width), ("k", context), ("v", context), ("out", width)):
                shapes[f"{prefix}to_{name}_lora.{frame}.down.weight"] = (rank, inputs)
                shapes[f"{prefix}to_{name}_lora.{frame}.up.weight"] = (width, rank)
            if controlled:
                shapes[f"{prefix}control_convs.{frame}.0.weight"] = (16, 16, 3, 3)
                shapes[f"{prefix}control_convs.{frame}.0.bias"] = (16,)
                shapes[f"{prefix}control_convs.{frame}.2.weight"] = (width, 16, 1, 1)
                shapes[f"{prefix}control_convs.{frame}.2.bias"] = (width,)
    if controlled:
        encoder = ControlEncoder((4, 4, 8, 16))
        shapes |= {f"kwargs_encoder.{key}": tuple(tensor.shape) for key, tensor in encoder.state_dict().items()}
    return shapes


def esrgan(
    layout: str = "old", width: int = 8, blocks: int = 2, doublings: int = 2, noise: float = 0.0, sharpen: float = 0.0
) -> dict[str, Tensor]:
    """An ESRGAN's state dict in one of its three published key layouts, by default one that repeats every pixel exactly.

    `noise` scales random weights of the residual blocks, whose growth is always 32 channels.

    `sharpen` makes a network that does what real ones do in the mean: smooth enlargement of a picture whose edges were raised.
    """
    generator = torch.Generator().manual_seed(0)
    identity = torch.zeros(width, width, 3, 3)
    identity[range(width), range(width), 1, 1] = 1
    state = {"first": identity[:, :3], "trunk": torch.zeros(width, width, 3, 3), "last": identity[:3]}
    state |= {name: identity.clone() for name in ["hr", *(f"up{i}" for i in range(1, doublings + 1))]}
    for block, dense, conv in ((b, d, c) for b in range(blocks) for d in (1, 2, 3) for c in range(1, 6)):
        shape = (width if conv == 5 else 32, width + 32 * (conv - 1), 3, 3)
        state[f"{block}.{dense}.{conv}"] = noise * torch.randn(shape, generator=generator) / (9 * shape[1]) ** 0.5
    if sharpen:
        state["trunk"] = sharpen * (identity - identity.amax((2, 3), keepdim=True) / 9)
        tent = torch.tensor([1.0, 2.0, 1.0])
        state |= {name: identity.amax((2, 3), keepdim=True) * tent.outer(tent) / 16 for name in state if name[:2] == "up"}
    if noise:
        state["trunk"] = 0.2 * torch.randn(width, width, 3, 3, generator=generator)
    named = {}
    for key, weight in state.items():
        name = _esrgan_key(layout, key, blocks, doublings)
        named |= {f"{name}.weight": weight.contiguous(), f"{name}.bias": torch.zeros(len(weight))}
    return named


def _esrgan_key(layout: str, key: str, blocks: int, doublings: int) -> str:
    if key[0].isdigit():
        block, dense, conv = key.split(".")
        return {
            "old": f"model.1.sub.{block}.RDB{dense}.conv{conv}.0",
            "new": f"body.{block}.rdb{dense}.conv{conv}",
            "bsrgan": f"RRDB_trunk.{block}.RDB{dense}.conv{conv}",
        }[layout]
    if layout == "old":
        after = 3 * doublings
        numbers = {"first": "0", "trunk": f"1.sub.{blocks}", "hr": str(after + 2), "last": str(after + 4)}
        return f"model.{numbers[key] if key in numbers else 3 * int(key[2:])}"
    names = {"first": "conv_first", "trunk": "conv_body", "hr": "conv_hr", "last": "conv_last", "up": "conv_up"}
    if layout == "bsrgan":
        names |= {"trunk": "trunk_conv", "hr": "HRconv", "up": "upconv"}
    return names[key] if key in names else f"{names['up']}{key[2:]}"


def random_weights(shapes: Shapes, scale: float = 0.05) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(shape, generator=generator) * scale for key, shape in shapes.items()}


def sdxl_weights(tiny: TinyModel, role: str) -> dict[str, Tensor]:
    """A patch file with ldm keys for the tiny SDXL UNet."""
    prefix = "model.diffusion_model."
    unet = {k.removeprefix("model."): tuple(v.shape) for k, v in tiny.ldm_tensors().items() if k.startswith(prefix)}
    shapes: Shapes = {}
    for key, shape in unet.items():
        embedding = "_emb" in key.split(".")[1]
        attention = key.endswith(ATTENTION) and ".attn" in key
        if role == "transparent-attention" and attention:
            shapes |= {f"{key}::lora::0": (shape[0], 4), f"{key}::lora::1": (4, shape[1])}
        plain = role == "transparent-convolution" and not key.endswith(ATTENTION[:3]) and not embedding
        if plain or (role in CONCATENATED and RESIDUAL.search(key)):
            shapes[f"{key}::diff::0"] = shape
    if role in CONCATENATED:
        width = unet["diffusion_model.input_blocks.0.0.weight"][0]
        shapes["diffusion_model.input_blocks.0.0.weight::diff::0"] = (width, CONCATENATED[role], 3, 3)
    return random_weights(shapes)


def write_models(folder: Path, tiny: TinyModel) -> None:
    """A models folder as ComfyUI keeps it: one checkpoint, and every LayerDiffuse file of the family under its published name."""
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "layer_model").mkdir()
    tiny.write_file(folder / "checkpoints" / "tiny.safetensors")
    roles = {row.role for row in catalogue.ROWS if row.family == tiny.family and row.folder == "layer_model"}
    torch.manual_seed(len(tiny.unet.config.block_out_channels))  # the families' decoders differ
    for role in sorted(roles):
        if role == "transparent-decoder":
            weights = TransparentDecoder(4, (8, 8, 8, 16), attention_levels=1).state_dict()
        elif role == "transparent-encoder":
            weights = TransparentEncoder(4, (8, 8, 8, 8)).state_dict()
        elif tiny.family == "sd15":
            frames, controlled = SHARING[role]
            weights = random_weights(unit_shapes(tiny.unet, frames, controlled=controlled))
        else:
            weights = sdxl_weights(tiny, role)
        save_file(
            {k: v.contiguous() for k, v in weights.items()},
            folder / "layer_model" / catalogue.candidates(tiny.family, role)[0].file,
        )
