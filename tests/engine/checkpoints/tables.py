"""The table of docs/models.md that says which checkpoints work, from synthetic files with real key names.

`python -m tests.engine.checkpoints.tables` writes it into the page. `tests/engine/models/test_saved_layouts.py` opens the layouts
that work, and compares every tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from acetate.engine.checkpoints.distillation import CAUTION
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files.headers import Header
from acetate.engine.files.recognition import Kind, kind_of

from ...page_tables import MODELS as PAGE
from ...page_tables import filled as between_marks
from ...page_tables import table
from ..tiny_models import TinyModel
from .saved_layouts import UNET, UNET_ALONE, VAE, WHOLE, Tensors, in_8_bit

Make = Callable[[Any], Tensors]
_STORED = {torch.float32: "F32", torch.float8_e4m3fn: "F8_E4M3", torch.int64: "I64", torch.uint8: "U8", torch.int8: "I8"}


@dataclass(frozen=True)
class Case:
    """A file that programs save."""

    make: Make
    stored: str = ""
    """The type of its matrices, where that is none of torch's."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)
    """The YAML next to it."""


def with_keys(**keys: torch.Tensor) -> Make:
    return lambda tiny: tiny.ldm_tensors() | {key.replace("__", "."): tensor for key, tensor in keys.items()}


def without(*beginnings: str) -> Make:
    return lambda tiny: {key: tensor for key, tensor in tiny.ldm_tensors().items() if not key.startswith(beginnings)}


def wide(channels: int) -> Make:
    return lambda tiny: tiny.ldm_tensors() | {f"{UNET}input_blocks.0.0.weight": torch.zeros(8, channels, 3, 3)}


def in_blocks(tiny: Any) -> Tensors:
    return UNET_ALONE["UNet alone, bare names"](tiny)


ONE = torch.ones(1)
LAYOUTS: Mapping[str, Case] = {
    **{name: Case(make) for name, make in {**WHOLE, **UNET_ALONE}.items()},
    "fp8 with scales, ComfyUI's `.scale_weight`": Case(lambda tiny: in_8_bit(tiny.ldm_tensors())),
    "fp8 with scales, `.weight_scale`": Case(lambda tiny: in_8_bit(tiny.ldm_tensors(), ".weight_scale")),
    "fp8 with scales in a text encoder alone": Case(lambda tiny: in_8_bit(tiny.ldm_tensors(), only="cond")),
    "GGUF, UNet alone: Q2_K to Q8_0, IQ4, fp16, bf16": Case(in_blocks, "Q4_K"),
    "GGUF in other blocks, such as IQ2_XS": Case(in_blocks, "GGML IQ2_XS"),
    "without a VAE": Case(without(VAE)),
    "without text encoders": Case(without("cond_stage_model.", "conditioner.")),
    "with a VAE that only decodes": Case(without(f"{VAE}encoder.", f"{VAE}quant_conv.")),
    "with tensors of a stranger": Case(with_keys(safety_checker__concept_embeds=ONE)),
    "velocity, by the key `v_pred`": Case(with_keys(v_pred=ONE)),
    "velocity with zero terminal SNR, by `v_pred` and `ztsnr`": Case(with_keys(v_pred=ONE, ztsnr=ONE)),
    "velocity, by the metadata `modelspec.prediction_type`": Case(
        with_keys(), metadata={"modelspec.prediction_type": "v_prediction"}
    ),
    "velocity, by a YAML beside it": Case(with_keys(), beside={"model": {"params": {"parameterization": "v"}}}),
    "CosXL, by `edm_vpred.sigma_max`": Case(with_keys(edm_vpred__sigma_max=ONE)),
    "a consistency model, by its layer for guidance": Case(with_keys(**{f"{UNET}time_embed.cond_proj.weight": ONE})),
    "Playground v2.5, by `edm_mean`": Case(with_keys(edm_mean=torch.zeros(4))),
    "inpainting": Case(wide(9)),
    "InstructPix2Pix": Case(wide(8)),
    "quantised with bitsandbytes": Case(with_keys(**{f"{UNET}out.2.weight.absmax": ONE})),
    "quantised with SVDQuant or GPTQ": Case(with_keys(**{f"{UNET}middle_block.1.proj_in.qweight": ONE})),
    "quantised to NVFP4": Case(with_keys(**{f"{UNET}middle_block.1.proj_in.weight_scale_2": ONE})),
    "quantised to 8-bit integers": Case(
        lambda tiny: tiny.ldm_tensors() | {f"{UNET}time_embed.0.weight": torch.zeros(4, 4, dtype=torch.int8)}
    ),
}
"""Name -> a file of either family."""

OTHERS: Mapping[str, str] = {
    "Flux": "double_blocks.0.img_attn.qkv.weight",
    "Stable Diffusion 3": "joint_blocks.0.x_block.attn.qkv.weight",
    "Chroma": "distilled_guidance_layer.in_proj.weight",
    "Qwen-Image": "transformer_blocks.0.attn.add_q_proj.weight",
    "Lumina, Z-Image": "cap_embedder.0.weight",
    "Wan": "head.modulation",
    "a ControlNet": "control_model.input_hint_block.0.weight",
}
"""Name -> a tensor that tells it."""


def kind(case: Case, tiny: Any) -> Kind:
    """What the program says of the file."""
    entries = {
        key: {"dtype": case.stored if case.stored and t.ndim > 1 else _STORED[t.dtype], "shape": list(t.shape)}
        for key, t in case.make(tiny).items()
    }
    return kind_of(Header(entries, case.metadata, 0), "model", case.beside)


def said(found: Kind) -> str:
    """Whether it works and with what; what all velocity models are warned of stands above the table."""
    if found.problem:
        return f"cannot be used: {found.problem}"
    lacks = [part for part, there in (("the text encoders", found.has_text), ("the VAE", found.has_vae)) if not there]
    borrowed = f", with {' and '.join(lacks)} of another file" if lacks else ""
    cautions = (CAUTION if found.distilled else "", found.remark)
    return "; ".join(part for part in (f"works{found.prediction.said}{borrowed}", *cautions) if part)


@cache
def checkpoints() -> str:
    """One line a layout, then what is of no family."""
    tinies = [TinyModel(family) for family in BASE_FAMILIES]
    title = " and ".join(family.title for family in BASE_FAMILIES.values())
    rows = ((name, "; ".join(dict.fromkeys(said(kind(case, tiny)) for tiny in tinies))) for name, case in LAYOUTS.items())
    others = ((name, _of_key(key)) for name, key in OTHERS.items())
    return table(("a checkpoint", title), rows) + "\n" + table(("a file of", "is"), others)


def _of_key(key: str) -> str:
    found = kind_of(Header({key: {"dtype": "F16", "shape": [4, 4]}}, {}, 0))
    return f"{found.what}, cannot be used: {found.problem}"


def filled(page: str) -> str:
    """The page with the table between its marks."""
    return between_marks(page, {"checkpoints": checkpoints()})


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
