"""The parameters of a base model's networks, by rule from their configurations: names and shapes, as diffusers has them.

Knows UNets and CLIP text encoders of the families; knows no torch, so that files can be compared
with a model before it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]
Parameters = Iterator[tuple[str, Shape]]


@dataclass(frozen=True, eq=False)
class Structure:
    """All that LoRAs and embeddings need to know of a base model."""

    networks: tuple[Mapping[str, Shape], ...]
    """The UNet, then the text encoders: parameter -> shape. Names in text encoders are without the leading `text_model.`."""

    @property
    def text_widths(self) -> tuple[int, ...]:
        """The width of each text encoder's tokens."""
        return tuple(encoder["embeddings.token_embedding.weight"][1] for encoder in self.networks[1:])


def structure(unet: Mapping[str, Any], text_encoders: Sequence[Mapping[str, Any]]) -> Structure:
    """The structure of networks with these configurations."""
    return Structure((dict(_unet(unet)), *(dict(_text_encoder(config)) for config in text_encoders)))


def _unet(config: Mapping[str, Any]) -> Parameters:
    widths = config.get("block_out_channels", (320, 640, 1280, 1280))
    count, first, last = len(widths), widths[0], widths[-1]
    embedding = 4 * first
    depth = config.get("transformer_layers_per_block", 1)
    depths = list(depth) if isinstance(depth, Sequence) else [depth] * count
    layers = config.get("layers_per_block", 2)
    yield from _layer("conv_in", (first, config.get("in_channels", 4), 3, 3))
    yield from _layer("time_embedding.linear_1", (embedding, first))
    yield from _layer("time_embedding.linear_2", (embedding, embedding))
    if config.get("addition_embed_type") == "text_time":
        yield from _layer("add_embedding.linear_1", (embedding, config["projection_class_embeddings_input_dim"]))
        yield from _layer("add_embedding.linear_2", (embedding, embedding))
    skips = [first]
    for block, (kind, width) in enumerate(zip(config.get("down_block_types", _DOWN), widths, strict=True)):
        name = f"down_blocks.{block}"
        for layer in range(layers):
            yield from _resnet(f"{name}.resnets.{layer}", skips[-1], width, embedding)
            if kind.startswith("CrossAttn"):
                yield from _transformer(f"{name}.attentions.{layer}", width, depths[block], config)
            skips.append(width)
        if block < count - 1:
            yield from _layer(f"{name}.downsamplers.0.conv", (width, width, 3, 3))
            skips.append(width)
    yield from _resnet("mid_block.resnets.0", last, last, embedding)
    yield from _transformer("mid_block.attentions.0", last, depths[-1], config)
    yield from _resnet("mid_block.resnets.1", last, last, embedding)
    current = last
    for block, (kind, width) in enumerate(zip(config.get("up_block_types", _UP), widths[::-1], strict=True)):
        name = f"up_blocks.{block}"
        for layer in range(layers + 1):
            yield from _resnet(f"{name}.resnets.{layer}", current + skips.pop(), width, embedding)
            current = width
            if kind.startswith("CrossAttn"):
                yield from _transformer(f"{name}.attentions.{layer}", width, depths[count - 1 - block], config)
        if block < count - 1:
            yield from _layer(f"{name}.upsamplers.0.conv", (width, width, 3, 3))
    yield from _layer("conv_norm_out", (first,))
    yield from _layer("conv_out", (config.get("out_channels", 4), first, 3, 3))


_DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
_UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3


def _layer(name: str, shape: Shape, *, bias: bool = True) -> Parameters:
    yield f"{name}.weight", shape
    if bias:
        yield f"{name}.bias", shape[:1]


def _resnet(name: str, inputs: int, outputs: int, embedding: int) -> Parameters:
    yield from _layer(f"{name}.norm1", (inputs,))
    yield from _layer(f"{name}.conv1", (outputs, inputs, 3, 3))
    yield from _layer(f"{name}.time_emb_proj", (outputs, embedding))
    yield from _layer(f"{name}.norm2", (outputs,))
    yield from _layer(f"{name}.conv2", (outputs, outputs, 3, 3))
    if inputs != outputs:
        yield from _layer(f"{name}.conv_shortcut", (outputs, inputs, 1, 1))


def _transformer(name: str, width: int, depth: int, config: Mapping[str, Any]) -> Parameters:
    projection = (width, width) if config.get("use_linear_projection") else (width, width, 1, 1)
    yield from _layer(f"{name}.norm", (width,))
    yield from _layer(f"{name}.proj_in", projection)
    for block in (f"{name}.transformer_blocks.{index}" for index in range(depth)):
        for attention, context in (("attn1", width), ("attn2", config.get("cross_attention_dim", 1280))):
            yield from _layer(f"{block}.{attention}.to_q", (width, width), bias=False)
            yield from _layer(f"{block}.{attention}.to_k", (width, context), bias=False)
            yield from _layer(f"{block}.{attention}.to_v", (width, context), bias=False)
            yield from _layer(f"{block}.{attention}.to_out.0", (width, width))
        for norm in ("norm1", "norm2", "norm3"):
            yield from _layer(f"{block}.{norm}", (width,))
        yield from _layer(f"{block}.ff.net.0.proj", (8 * width, width))
        yield from _layer(f"{block}.ff.net.2", (width, 4 * width))
    yield from _layer(f"{name}.proj_out", projection)


def _text_encoder(config: Mapping[str, Any]) -> Parameters:
    width, inner = config.get("hidden_size", 512), config.get("intermediate_size", 2048)  # transformers' own defaults
    yield "embeddings.token_embedding.weight", (config.get("vocab_size", 49408), width)
    yield "embeddings.position_embedding.weight", (config.get("max_position_embeddings", 77), width)
    for layer in (f"encoder.layers.{index}" for index in range(config.get("num_hidden_layers", 12))):
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from _layer(f"{layer}.self_attn.{projection}", (width, width))
        yield from _layer(f"{layer}.mlp.fc1", (inner, width))
        yield from _layer(f"{layer}.mlp.fc2", (width, inner))
        yield from _layer(f"{layer}.layer_norm1", (width,))
        yield from _layer(f"{layer}.layer_norm2", (width,))
    yield from _layer("final_layer_norm", (width,))
    if config.get("architectures") == ["CLIPTextModelWithProjection"]:
        yield from _layer("text_projection", (config.get("projection_dim", 512), width), bias=False)
