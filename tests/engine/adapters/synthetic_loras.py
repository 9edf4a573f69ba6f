"""LoRA files of every kind in circulation, as shapes under real key names; a test fills them with values where it needs any.

A kind says how a layer's change is written, a spelling how its layer is; a file has some of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from acetate.engine.families.ldm_names import ldm_paths
from acetate.engine.families.structure import Shape, Structure

Shapes = dict[str, Shape]
RANK = 4


def lora(shape: Shape, up: str = "lora_up.weight", down: str = "lora_down.weight") -> Shapes:
    return {up: (shape[0], RANK, *[1] * len(shape[2:])), down: (RANK, *shape[1:])}


def with_alpha(shapes: Shapes) -> Shapes:
    return {**shapes, "alpha": ()}


def flat(shape: Shape) -> tuple[int, int]:
    size = 1
    for n in shape[1:]:
        size *= n
    return shape[0], size


def loha(shape: Shape) -> Shapes:
    rows, columns = flat(shape)
    return with_alpha({f"hada_w{n}_{ab}": (rows, RANK) if ab == "a" else (RANK, columns) for n in "12" for ab in "ab"})


def loha_tucker(shape: Shape) -> Shapes:
    if len(shape) < 4:
        return loha(shape)
    sides = {f"hada_w{n}_{ab}": (RANK, shape["ab".index(ab)]) for n in "12" for ab in "ab"}
    return with_alpha({**sides, **{f"hada_t{n}": (RANK, RANK, *shape[2:]) for n in "12"}})


def lokr(*, first: bool = False, second: bool = False, tucker: bool = False) -> Callable[[Shape], Shapes]:
    """Whole factors, or decomposed ones."""

    def make(shape: Shape) -> Shapes:
        a, b = (2, 4) if shape[1] % 4 == 0 else (2, 1)
        rows, columns = shape[0] // a, shape[1] // b
        kernel = shape[2:]
        found: Shapes = {"lokr_w1_a": (a, RANK), "lokr_w1_b": (RANK, b)} if first else {"lokr_w1": (a, b)}
        if tucker and kernel:
            found |= {"lokr_t2": (RANK, RANK, *kernel), "lokr_w2_a": (RANK, rows), "lokr_w2_b": (RANK, columns)}
        elif second:
            found |= {"lokr_w2_a": (rows, RANK), "lokr_w2_b": (RANK, flat((rows, columns, *kernel))[1])}
        else:
            found["lokr_w2"] = (rows, columns, *kernel)
        return with_alpha(found)

    return make


def locon_tucker(shape: Shape) -> Shapes:
    if len(shape) < 4:
        return with_alpha(lora(shape))
    return {"lora_up.weight": (shape[0], RANK, 1, 1), "lora_mid.weight": (RANK, RANK, *shape[2:]),
            "lora_down.weight": (RANK, shape[1], 1, 1), "alpha": ()}  # fmt: skip


def glora(shape: Shape) -> Shapes:
    ones = tuple(1 for _ in shape[2:])
    return with_alpha(
        {"a1.weight": (shape[1], RANK, *ones), "a2.weight": (RANK, shape[1], *ones),
         "b1.weight": (shape[0], RANK, *ones), "b2.weight": (RANK, *shape[1:])}
    )  # fmt: skip


def old_glora(shape: Shape) -> Shapes:
    return with_alpha(
        {"a1.weight": (RANK, shape[1]), "a2.weight": (shape[1], RANK),
         "b1.weight": (RANK, flat(shape)[1]), "b2.weight": (shape[0], RANK)}
    )  # fmt: skip


def beside(extra: Callable[[Shape], Shapes], kind: Callable[[Shape], Shapes] = lora) -> Callable[[Shape], Shapes]:
    return lambda shape: {**kind(shape), **extra(shape)}


def of_rows(shape: Shape) -> Shapes:
    return {"dora_scale": (shape[0], *[1] * len(shape[1:])), "alpha": ()}


def of_columns(shape: Shape) -> Shapes:
    return {"dora_scale": (1, shape[1], *[1] * len(shape[2:])), "alpha": ()}


def peft(shape: Shape) -> Shapes:
    return lora(shape, "lora_B.weight", "lora_A.weight")


def ia3(shape: Shape) -> Shapes:
    return {"weight": (shape[0],) if len(shape) < 4 else (1, shape[0], 1, 1), "on_input": ()}


def oft(shape: Shape) -> Shapes:
    return {"oft_blocks": (shape[0] // 4, 4, 4), "alpha": ()}


KINDS: Mapping[str, Callable[[Shape], Shapes]] = {
    "LoRA and LoCon": lambda shape: with_alpha(lora(shape)),
    "without alpha": lora,
    "PEFT": peft,
    "diffusers": lambda shape: lora(shape, "lora.up.weight", "lora.down.weight"),
    "old diffusers": lambda shape: lora(shape, "lora_linear_layer.up.weight", "lora_linear_layer.down.weight"),
    "LoCon, Tucker": locon_tucker,
    "LoHa": loha,
    "LoHa, Tucker": loha_tucker,
    "LoKr, whole": lokr(),
    "LoKr, second decomposed": lokr(second=True),
    "LoKr, both decomposed": lokr(first=True, second=True),
    "LoKr, Tucker": lokr(tucker=True),
    "DoRA of rows": beside(of_rows),
    "DoRA of columns": beside(of_columns),
    "DoRA, PEFT": beside(lambda shape: {"lora_magnitude_vector": shape[:1] if len(shape) < 4 else (1, shape[0], 1, 1)}, peft),
    "LoHa with DoRA": beside(of_rows, loha),
    "LoKr with DoRA": beside(of_columns, lokr()),
    "OFT": oft,
    "OFT, rescaled": beside(lambda shape: {"rescale": (shape[0], *[1] * len(shape[1:]))}, oft),
    "OFT, older LyCORIS": lambda shape: {"oft_diag": (shape[0] // 4, 4, 4)},
    "BOFT": lambda shape: {"oft_blocks": (1, shape[0] // 4, 4, 4), "alpha": ()},
    "GLoRA": glora,
    "GLoRA, older": old_glora,
    "IA3": ia3,
    "IA3 on inputs": lambda shape: {"weight": (shape[1],), "on_input": ()},
    "full difference": lambda shape: {"diff": shape},
    "full difference with biases": lambda shape: {"diff": shape, "diff_b": shape[:1]},
    "whole weight": lambda shape: {"set_weight": shape},
}


def unet_flat(family: str, path: str) -> str:
    return "lora_unet_" + (path if family == "sd15" else ldm_paths(path)[0]).replace(".", "_")


def text_flat(family: str, encoder: int, path: str) -> str:
    inner = path if path.startswith("text_projection") else f"text_model.{path}"
    return f"lora_te{'' if family == 'sd15' else encoder}_{inner.replace('.', '_')}"


def clip(encoder: int) -> str:
    return "clip_g" if encoder == 2 else "clip_l"


def second(encoder: int) -> str:
    return "_2" if encoder == 2 else ""


@dataclass(frozen=True)
class Spelling:
    """How a program spells a layer."""

    unet: Callable[[str, str], str]
    """Family, path -> spelled."""
    text: Callable[[str, int, str], str] | None = None
    """Family, which encoder (1 or 2), path -> spelled; `None` where it has no LoRAs of them."""


SPELLINGS: Mapping[str, Spelling] = {
    "kohya, ldm names": Spelling(lambda f, p: "lora_unet_" + ldm_paths(p)[0].replace(".", "_"), text_flat),
    "kohya, diffusers names": Spelling(lambda f, p: "lora_unet_" + p.replace(".", "_"), text_flat),
    "diffusers": Spelling(lambda f, p: f"unet.{p}", lambda f, n, p: f"text_encoder{second(n)}.text_model.{p}"),
    "diffusers, of compiled networks": Spelling(
        lambda f, p: f"unet._orig_mod.{p}", lambda f, n, p: f"text_encoder{second(n)}._orig_mod.text_model.{p}"
    ),
    "kohya, of compiled networks": Spelling(lambda f, p: "lora_unet__orig_mod_" + p.replace(".", "_")),
    "bare names": Spelling(lambda f, p: p),
    "raw PEFT `base_model.model.`": Spelling(lambda f, p: f"base_model.model.{p}"),
    "ComfyUI `diffusion_model.`, `text_encoders.`": Spelling(
        lambda f, p: f"diffusion_model.{ldm_paths(p)[0]}",
        lambda f, n, p: f"text_encoders.{clip(n)}.transformer.text_model.{p}",
    ),
    "SimpleTuner `lycoris_`": Spelling(lambda f, p: "lycoris_" + p.replace(".", "_")),
    "OneTrainer `unet.` with ldm names": Spelling(lambda f, p: f"unet.{ldm_paths(p)[0]}"),
    "OMI `unet.`, `clip_l.`": Spelling(lambda f, p: f"unet.{ldm_paths(p)[0]}", lambda f, n, p: f"{clip(n)}.text_model.{p}"),
}

UNET_LAYERS = (
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.1.attentions.1.transformer_blocks.0.ff.net.0.proj",
    "up_blocks.1.attentions.1.proj_in",
    "down_blocks.0.resnets.0.conv1",
    "down_blocks.0.downsamplers.0.conv",
    "up_blocks.0.resnets.0.conv_shortcut",
    "time_embedding.linear_1",
)
TEXT_LAYERS = ("encoder.layers.1.self_attn.q_proj", "encoder.layers.1.mlp.fc1")


@dataclass(frozen=True)
class SyntheticLora:
    """Shapes by key, and by which change of which parameter they are."""

    shapes: Shapes = field(default_factory=dict)
    layers: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    """Network and path -> ending -> key."""


def synthetic_lora(
    family: str,
    structure: Structure,
    kind: str = "LoRA and LoCon",
    spelling: str = "kohya, ldm names",
    unet: Iterable[str] = UNET_LAYERS,
    text: Iterable[str] = TEXT_LAYERS,
) -> SyntheticLora:
    """A file of one kind in one spelling, over layers of the UNet and of every text encoder that the spelling knows."""
    spelled, made = SPELLINGS[spelling], SyntheticLora()
    for network, parameters in enumerate(structure.networks):
        if network and spelled.text is None:
            break
        for path in text if network else unet:
            name = spelled.text(family, network, path) if network and spelled.text else spelled.unet(family, path)
            for ending, shape in KINDS[kind](parameters[f"{path}.weight"]).items():
                if ending == "diff_b" and f"{path}.bias" not in parameters:
                    continue
                made.shapes[f"{name}.{ending}"] = shape
                made.layers.setdefault((network, path), {})[ending] = f"{name}.{ending}"
    return made
