"""The tables of docs/models.md that say which files work, from synthetic files with real key names.

`python -m tests.engine.adapters.tables` writes them into the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acetate.engine.adapters.verdicts import Verdict, of_embedding, of_lora
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.structure import Shape
from acetate.engine.files.headers import Header
from acetate.engine.files.structures import structure_of

from ...page_tables import MODELS as PAGE
from ...page_tables import filled as between_marks
from ...page_tables import table as _table
from .synthetic_loras import KINDS, SPELLINGS, synthetic_lora

STRUCTURES = {family.name: structure_of(family) for family in BASE_FAMILIES.values()}
Shapes = dict[str, Shape]

GROUPS = {
    "LoRA, LoCon; with alpha or without": ("LoRA and LoCon", "without alpha", "PEFT", "diffusers", "old diffusers"),
    "LoCon in Tucker form": ("LoCon, Tucker",),
    "LoHa, also in Tucker form": ("LoHa", "LoHa, Tucker"),
    "LoKr, whole, decomposed or in Tucker form": (
        "LoKr, whole", "LoKr, second decomposed", "LoKr, both decomposed", "LoKr, Tucker",
    ),
    "DoRA of rows or columns, kohya's, LyCORIS' and PEFT's": (
        "DoRA of rows", "DoRA of columns", "DoRA, PEFT", "LoHa with DoRA", "LoKr with DoRA",
    ),
    "OFT, BOFT": ("OFT", "OFT, rescaled", "OFT, older LyCORIS", "BOFT"),
    "GLoRA, IA3": ("GLoRA", "GLoRA, older", "IA3", "IA3 on inputs"),
    "full differences of weights, norms and biases": ("full difference", "full difference with biases", "whole weight"),
}  # fmt: skip
"""Row of the table -> synthetic kinds."""

LAYER = "lora_te_text_model_encoder_layers_0_mlp_fc1"


def pair(layer: str, outputs: int, inputs: int, rank: int = 4) -> Shapes:
    return {f"{layer}.lora_up.weight": (outputs, rank), f"{layer}.lora_down.weight": (rank, inputs)}


OTHERS: dict[str, Shapes] = {
    "of a text encoder alone": pair(LAYER, 3072, 768),
    "of the tokens' embedding": pair("lora_te_text_model_embeddings_token_embedding", 768, 49408),
    "with a layer that the model lacks": {**pair(LAYER, 3072, 768), **pair("lora_unet_nowhere", 3, 3)},
    "with an embedding (pivotal tuning)": {**pair(LAYER, 3072, 768), "bundle_emb.mychar.string_to_param.*": (4, 768)},
    "empty (rank 0)": pair(LAYER, 3072, 768, 0),
    "for SD 2": pair("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k", 320, 1024),
    "for Flux, in diffusers' names": pair("transformer.single_transformer_blocks.0.attn.to_q", 3072, 3072),
    "for Flux, in kohya's names without metadata": pair("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072),
    "for Stable Diffusion 3": pair("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536, 1536),
    "for Wan": pair("diffusion_model.blocks.0.self_attn.q", 5120, 5120),
    "for Stable Cascade": pair("lora_prior_unet_down_blocks_0_1_attention", 2048, 2048),
    "a Control-LoRA": {"lora_controlnet": (0,), "time_embed.0.lora_up.weight": (1, 1)},
}
EMBEDDINGS: dict[str, Shapes] = {
    "A1111's, `emb_params`": {"emb_params": (8, 768)},
    "diffusers', named as its token": {"<my-cat>": (768,)},
    "for two text encoders, `clip_l` and `clip_g`": {"clip_l": (8, 768), "clip_g": (8, 1280)},
    "for SD 2": {"emb_params": (8, 1024)},
}


def header(shapes: Shapes) -> Header:
    return Header({key: {"dtype": "F16", "shape": list(shape)} for key, shape in shapes.items()}, {}, 0)


def loras() -> str:
    """One line a kind of LoRA, then a spelling, then what is in no kind."""
    return _table(("a LoRA", "SD 1.5", "SDXL"), [*_by_kind(), *_by_spelling()]) + "\n" + _table(("a LoRA", "is"), _others())


def embeddings() -> str:
    """One line a layout."""
    return _table(("an embedding", "is"), ((name, _said(of_embedding(header(s), STRUCTURES))) for name, s in EMBEDDINGS.items()))


def filled(page: str) -> str:
    """The page with the tables between their marks."""
    return between_marks(page, {"loras": loras(), "embeddings": embeddings()})


def _by_kind() -> Iterator[tuple[str, ...]]:
    for name, kinds in GROUPS.items():
        yield (name, *(_works(family, kinds, ("kohya, ldm names", "kohya, diffusers names")) for family in BASE_FAMILIES))


def _by_spelling() -> Iterator[tuple[str, ...]]:
    for spelling in SPELLINGS:
        yield (f"named as {spelling}", *(_works(family, KINDS, (spelling,)) for family in BASE_FAMILIES))


def _works(family: str, kinds: Iterable[str], spellings: Iterable[str]) -> str:
    """`works` where every file does, whole; else what is said of the first that does not."""
    structure = STRUCTURES[BASE_FAMILIES[family].name]
    for kind in kinds:
        for spelling in spellings:
            verdict = of_lora(header(synthetic_lora(family, structure, kind, spelling).shapes), STRUCTURES)
            if verdict is None or verdict.family != family or verdict.problem or verdict.caution:
                return _said(verdict)
    return "works"


def _others() -> Iterator[tuple[str, str]]:
    for name, shapes in OTHERS.items():
        yield name, _said(of_lora(header(shapes), STRUCTURES))


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not recognised"
    state = f"cannot be used: {verdict.problem}" if verdict.problem else "works"
    return "; ".join(said for said in (f"{verdict.what}, {state}", verdict.caution) if said)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
