"""Names of UNet parameters in original (ldm) checkpoints, by rule, as diffusers names them (layerdiffuse.md 1.5).

Knows names only: whether a UNet has such a parameter is for the caller to see.
"""

from __future__ import annotations

import re

RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
TOP = {
    "input_blocks.0.0": "conv_in",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


def diffusers_name(ldm_name: str, layers_per_block: int = 2) -> str | None:
    """`input_blocks.7.1.proj_in.weight` -> `down_blocks.2.attentions.0.proj_in.weight`; `None` for what follows no rule."""
    path, _, kind = ldm_name.rpartition(".")  # kind: weight or bias
    if path in TOP:
        return f"{TOP[path]}.{kind}"
    if match := re.fullmatch(r"middle_block\.([012])\.(.+)", path):
        inner = _inside("mid_block", match[2], 0 if match[1] == "1" else int(match[1]) // 2, attention=match[1] == "1")
    elif match := re.fullmatch(r"input_blocks\.(\d+)\.([01])\.(.+)", path):
        block, layer = divmod(int(match[1]) - 1, layers_per_block + 1)
        if match[3] == "op":
            inner = f"down_blocks.{block}.downsamplers.0.conv"
        else:
            inner = _inside(f"down_blocks.{block}", match[3], layer, attention=match[2] == "1")
    elif match := re.fullmatch(r"output_blocks\.(\d+)\.([012])\.(.+)", path):
        block, layer = divmod(int(match[1]), layers_per_block + 1)
        if match[3] == "conv":  # place 2, or 1 in a block without attention
            inner = f"up_blocks.{block}.upsamplers.0.conv"
        else:
            inner = _inside(f"up_blocks.{block}", match[3], layer, attention=match[2] == "1")
    else:
        return None
    return inner and f"{inner}.{kind}"


def ldm_paths(path: str, layers_per_block: int = 2) -> tuple[str, ...]:
    """The other way round, for the path of a module: `down_blocks.2.attentions.0.proj_in` -> `input_blocks.7.1.proj_in`.

    An upsampler has two possible places, after the attention or where it would be.
    """
    whole = {new: old for old, new in TOP.items()}
    if path in whole:
        return (whole[path],)
    width = layers_per_block + 1
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.+)", path):
        place = 1 if match[1] == "attentions" else 2 * int(match[2])
        return tuple(f"middle_block.{place}.{inner}" for inner in _original(match[1], match[3]))
    if match := re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv", path):
        return (f"input_blocks.{(int(match[1]) + 1) * width}.0.op",)
    if match := re.fullmatch(r"up_blocks\.(\d+)\.upsamplers\.0\.conv", path):
        last = int(match[1]) * width + layers_per_block
        return f"output_blocks.{last}.2.conv", f"output_blocks.{last}.1.conv"
    if match := re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", path):
        place = int(match[2]) * width + int(match[4]) + (match[1] == "down")
        block = f"{'input' if match[1] == 'down' else 'output'}_blocks.{place}.{int(match[3] == 'attentions')}"
        return tuple(f"{block}.{inner}" for inner in _original(match[3], match[5]))
    return ()


def _original(kind: str, inner: str) -> list[str]:
    return [inner] if kind == "attentions" else [old for old, new in RESNET.items() if new == inner]


def _inside(block: str, rest: str, layer: int, *, attention: bool) -> str | None:
    """A transformer's inner names are the same in both worlds; a resnet's are not."""
    if attention:
        return f"{block}.attentions.{layer}.{rest}"
    return f"{block}.resnets.{layer}.{RESNET[rest]}" if rest in RESNET else None
