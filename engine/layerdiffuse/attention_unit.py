"""One attention-sharing unit: attention within each frame of a picture, then across its frames (layerdiffuse.md 4.3).

Knows one `attn1` or `attn2` of a diffusers UNet, for which it is the attention processor; `attention_sharing` makes and
installs one unit per attention layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn


class FrameLinear(nn.Module):
    """One linear layer per frame, `weight` `(F, out, in)`, in one product: `(b, F, d, in)` -> `(b, F, d, out)`."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    @classmethod
    def merged(cls, base: nn.Linear, name: str, weights: Mapping[str, Tensor], frames: int) -> FrameLinear:
        """`W + up @ down` for each frame, `(F, out, in)`, summed in fp32, in the base's dtype and on its device."""
        weight: Tensor = getattr(base, "computed", base.weight.detach)()  # of a layer that widens its weight
        merged = weight.new_empty((frames, *weight.shape))
        for frame in range(frames):
            up, down = (weights[f"{name}_lora.{frame}.{part}.weight"].to(weight.device, torch.float32) for part in ("up", "down"))
            merged[frame] = torch.addmm(weight.float(), up, down)
        return cls(merged, None if base.bias is None else base.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """`(b, F, d, in)` -> `(b, F, d, out)`."""
        y = torch.einsum("bfdi,foi->bfdo", x, self.weight)
        return y if self.bias is None else y + self.bias


class AttentionSharingUnit(nn.Module):
    """Attention processor for a batch whose element `image * frames + frame` is one frame of one picture.

    It returns what the transformer block adds to its residual: control features, attention, attention across frames.
    LoRA weights are merged into the base weights once, here; `weights` are one unit's tensors without their prefix.
    """

    control: Tensor | None

    def __init__(self, attention: Attention, weights: Mapping[str, Tensor], frames: int, *, controlled: bool) -> None:
        super().__init__()
        self.frames = frames
        self.heads = attention.heads
        self.controlled = controlled
        self.to_q, self.to_k, self.to_v, self.to_out = (
            FrameLinear.merged(layer, name, weights, frames) for name, layer in projections(attention).items()
        )
        self.temporal = _Temporal(weights, frames, self.heads, like=self.to_q.weight)
        self.register_buffer("control", None, persistent=False)

    def forward(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        **ignored: Any,
    ) -> Tensor:
        """Normalised `(image * F + frame, d, C)` -> the same shape, to be added to the residual stream.

        `attention_mask` is diffusers' additive `(B, 1, keys)`; `ignored` is what else diffusers passes. Raises `ValueError` for a
        batch that does not hold whole pictures.
        """
        if hidden_states.shape[0] % self.frames:
            raise ValueError(f"a batch of {hidden_states.shape[0]} does not hold whole pictures of {self.frames} frames")
        given = hidden_states.unflatten(0, (-1, self.frames))  # (b, F, d, C)
        control = self._control_tokens(given) if self.controlled else None
        frames = given if control is None else given + control
        source = frames if encoder_hidden_states is None else encoder_hidden_states.unflatten(0, (-1, self.frames))
        q, k, v = self._split(self.to_q(frames)), self._split(self.to_k(source)), self._split(self.to_v(source))
        mask = None if attention_mask is None else attention_mask.unsqueeze(1)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)  # (b F) d heads c
        added: Tensor = self.to_out(attended.flatten(2).unflatten(0, (-1, self.frames)))
        if control is not None:
            added = added + control
        change: Tensor = added + self.temporal(given + added)
        return change.flatten(0, 1)

    def _split(self, x: Tensor) -> Tensor:
        """`(b, F, d, C)` -> `(b F, heads, d, C / heads)`"""
        heads: Tensor = x.flatten(0, 1).unflatten(2, (self.heads, -1))
        return heads.transpose(1, 2)

    def _control_tokens(self, frames: Tensor) -> Tensor:
        if self.control is None:
            raise ValueError("these weights need a control image: call set_control() first")
        if self.control.shape[2] != frames.shape[2]:
            raise ValueError(
                f"the control image gives {self.control.shape[2]} tokens where the latents have {frames.shape[2]}; "
                "it must have the size of the picture that is generated"
            )
        return self.control.to(frames)


class _Temporal(nn.Module):
    """Attention across the frames at each spatial token: `(b, F, d, C)` -> what is added to it.

    The published `temporal_i` feeds nothing but q, k and v, so it is multiplied into them; with one frame the softmax over
    it is 1, and i, v and o become a single layer.
    """

    def __init__(self, weights: Mapping[str, Tensor], frames: int, heads: int, *, like: Tensor) -> None:
        super().__init__()
        self.heads = heads
        layers = {name: _Affine.read(weights, f"temporal_{name}", like.device) for name in "iqkvo"}
        scale, shift = (weights[f"temporal_n.{part}"] for part in ("weight", "bias"))
        self.norm = nn.LayerNorm(scale.shape[0], eps=1e-6, device="meta").requires_grad_(False)
        self.norm.weight = nn.Parameter(scale.to(like), requires_grad=False)
        self.norm.bias = nn.Parameter(shift.to(like), requires_grad=False)
        value = layers["i"].then(layers["v"])
        self.alone: nn.Linear | None = value.then(layers["o"]).linear(like.dtype) if frames == 1 else None
        if self.alone is None:
            self.to_q = layers["i"].then(layers["q"]).linear(like.dtype)
            self.to_k = layers["i"].then(layers["k"]).linear(like.dtype)
            self.to_v = value.linear(like.dtype)
            self.to_out = layers["o"].linear(like.dtype)

    def forward(self, frames: Tensor) -> Tensor:
        x = self.norm(frames)
        if self.alone is not None:
            result: Tensor = self.alone(x)
            return result
        q, k, v = (layer(x).unflatten(3, (self.heads, -1)) for layer in (self.to_q, self.to_k, self.to_v))  # b F d heads c
        q = q * q.shape[4] ** -0.5
        # At most three frames: products beat a batch of b*d attentions of length 3 (fp32, 1 thread, 2x3x1024x320: 8.7 ms
        # against 13.5 ms of SDPA), and no kernel's limit of 65535 batch elements is met (layerdiffuse.md 4.6).
        mixed = [(self._weigh(q[:, f : f + 1], k) * v).sum(1) for f in range(frames.shape[1])]
        result = self.to_out(torch.stack(mixed, 1).flatten(3))
        return result

    @staticmethod
    def _weigh(query: Tensor, keys: Tensor) -> Tensor:
        """`(b, 1, d, heads, c)` and `(b, F, d, heads, c)` -> softmax over the frames, `(b, F, d, heads, 1)`"""
        return (query * keys).sum(4, keepdim=True, dtype=torch.float32).softmax(1).to(keys.dtype)


class _Affine:
    """`x @ weight.T + bias` in fp32, as a value that can be composed."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = weight
        self.bias = bias

    @classmethod
    def read(cls, weights: Mapping[str, Tensor], name: str, device: torch.device) -> _Affine:
        return cls(*(weights[f"{name}.{part}"].to(device, torch.float32) for part in ("weight", "bias")))

    def then(self, after: _Affine) -> _Affine:
        return _Affine(after.weight @ self.weight, after.weight @ self.bias + after.bias)

    def linear(self, dtype: torch.dtype) -> nn.Linear:
        outputs, inputs = self.weight.shape
        layer = nn.Linear(inputs, outputs, device="meta")
        layer.weight = nn.Parameter(self.weight.to(dtype), requires_grad=False)
        layer.bias = nn.Parameter(self.bias.to(dtype), requires_grad=False)
        return layer


def projections(attention: Attention) -> dict[str, nn.Linear]:
    """An attention layer's four linear layers by the names that LoRAs use."""
    names = {"to_q": "to_q", "to_k": "to_k", "to_v": "to_v", "to_out": "to_out.0"}
    return {name: cast(nn.Linear, attention.get_submodule(path)) for name, path in names.items()}
