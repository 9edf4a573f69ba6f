"""What a weight file is, from its header alone: family, role, and why it cannot be used where it cannot.

Knows names and shapes of tensors; knows no torch and reads no weight, so that listing hundreds of files is fast.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..adapters import verdicts
from ..adapters.trigger_words import trigger_words
from ..checkpoints.distillation import CAUTION, of_file, of_folder
from ..checkpoints.original_names import original_names
from ..checkpoints.prediction import Prediction, Predicts, doubt_of, of_checkpoint, of_scheduler
from ..checkpoints.stored_values import unreadable
from ..families import BASE_FAMILIES, NATIVE_FAMILIES, NEWEST_FIRST, ONE_OF_TITLES, TITLES, BaseFamily, FamilyName
from ..families.few_steps import DISTILLED
from ..families.ldm_checkpoints import UNET, VAE
from ..values.errors import ModelBroken
from .gguf_headers import SUFFIX as GGUF
from .gguf_headers import read_gguf_header
from .headers import Header, read_header
from .json_files import read_json, read_yaml
from .structures import structure_of

FileRole = Literal["checkpoint", "vae", "lora", "embedding", "text-encoder", "layerdiffuse", "upscaler", "other"]


@dataclass(frozen=True)
class Kind:
    """The kind of a file, and why it cannot be used."""

    role: FileRole
    family: FamilyName | None
    """The base models that it is, or that it belongs to; `None` for others and where the header does not tell."""
    what: str
    """Words for a sentence: `an SDXL checkpoint`."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""
    remark: str = ""
    """Why results may disappoint, besides what its fields tell."""
    doubt: str = ""
    """That its name, its metadata or the YAML beside it says of its prediction what cannot be taken for sure."""
    has_vae: bool = False
    """Whether a checkpoint has a VAE inside."""
    has_text: bool = True
    """Whether a checkpoint has its text encoders inside."""
    predicts: Predicts = "epsilon"
    """What a checkpoint's UNet predicts."""
    zero_snr: bool = False
    """Whether it was trained with zero terminal SNR."""
    triggers: Sequence[str] = ()
    """The words that a LoRA was trained to answer to."""
    distilled: str = ""
    """How a checkpoint or LoRA was distilled, in a word for `few_steps_of`; empty for an ordinary one."""

    @property
    def caution(self) -> str:
        """Why results may disappoint; empty where nothing is known."""
        distilled = CAUTION if self.distilled and self.role == "checkpoint" else ""
        of_epsilon = _OF_EPSILON if self.predicts != "epsilon" else ""
        return "; ".join(said for said in (distilled, of_epsilon, self.doubt, self.remark) if said)

    @property
    def prediction(self) -> Prediction:
        """How a checkpoint's UNet was trained."""
        return Prediction(self.predicts, self.zero_snr)

    def told(self, predicts: Predicts | None, distilled: bool | None) -> Kind:
        """The same checkpoint, of which a person says what it predicts and whether it is distilled; `None` is not said."""
        kind = self
        if predicts is not None:
            said = Prediction(predicts, self.zero_snr and predicts == "v")
            what = self.what.removesuffix(self.prediction.said) + said.said
            kind = replace(kind, predicts=predicts, zero_snr=said.zero_snr, what=what, doubt="")
        if distilled is not None:
            kind = replace(kind, distilled=(self.distilled or DISTILLED) if distilled else "")
        return kind


_NOTHING: Mapping[str, Any] = {}


def recognise(path: Path) -> Kind:
    """What the safetensors or GGUF file or diffusers folder at `path` is, by its header or its configurations.

    Raises `ModelBroken` for a file that is not intact or of another format, and for a folder without configurations.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() == GGUF:
        return _gguf(read_gguf_header(path), path)
    if path.suffix.lower() != ".safetensors":
        raise ModelBroken(
            f"{path.name} is not a .safetensors file; other checkpoints can run code when they are opened",
            "Convert it to safetensors, or download that version of it.",
        )
    return _beside_yaml(read_header(path), path)


def _beside_yaml(header: Header, path: Path) -> Kind:
    """As `kind_of`, by the YAML next to the file; one that cannot be read says nothing but that."""
    beside, unread = _NOTHING, ""
    try:
        beside = read_yaml(path.with_suffix(".yaml"))
    except ModelBroken as error:
        unread = f"what it predicts was not read from the file beside it: {error}"
    kind = kind_of(header, path.stem, beside)
    return replace(kind, doubt=kind.doubt or unread) if kind.role == "checkpoint" and not kind.problem else kind


def _gguf(header: Header, path: Path) -> Kind:
    """What a GGUF file is; one whose names tell nothing by the architecture that it notes."""
    kind = _beside_yaml(header, path)
    if kind.role in ("checkpoint", "vae", "text-encoder") or (kind.role == "other" and kind.what != _UNKNOWN):
        return kind
    noted = header.metadata.get("general.architecture")
    what = f"a GGUF file of the architecture {noted!r}" if noted else "a GGUF file of an architecture that it does not note"
    return Kind("other", None, what, f"of GGUF files only networks of {TITLES} can be used")


def base_family(path: Path, kind: Kind | None = None) -> BaseFamily:
    """The family of a checkpoint or folder that can be opened. Raises `ModelBroken`, saying what it is, for any other."""
    kind = kind or recognise(path)
    if kind.role != "checkpoint" or kind.problem or kind.family is None:
        reason = kind.problem or f"{ONE_OF_TITLES} checkpoint is needed, and it is {kind.what}"
        raise ModelBroken(f"{path.name} is {kind.what} and cannot be used as a base model: {reason}")
    return BASE_FAMILIES[kind.family]


def kind_of(header: Header, name: str = "", beside: Mapping[str, Any] = _NOTHING) -> Kind:
    """What the file with this header is; `beside` is the YAML next to it, and `name` a hint worth a remark."""
    if names := original_names(header.tensors.keys(), NEWEST_FIRST):
        header = replace(header, tensors={original: header.tensors[inside] for original, inside in names.items()})
    keys = header.tensors.keys()
    for family in NEWEST_FIRST:
        if family.is_checkpoint(header):
            return _checkpoint(family, header, name, beside)
    for family in NEWEST_FIRST:
        if any(family.layerdiffuse_key.search(key) for key in keys):
            return Kind("layerdiffuse", family.name, f"{family.layerdiffuse_weights} for {family.title}")
    if "latent_conv_in.weight" in keys:
        return Kind("layerdiffuse", None, "a LayerDiffuse transparent decoder")
    if "blocks.16.weight" in keys and header.shape("blocks.0.weight")[1:] == (4, 3, 3):
        return Kind("layerdiffuse", None, "a LayerDiffuse transparent encoder")
    structures = {family.name: structure_of(family) for family in BASE_FAMILIES.values()}
    if lora := verdicts.of_lora(header, structures):
        triggers = trigger_words(header.metadata)
        distilled = of_file(header, name)
        return Kind("lora", lora.family, lora.what, lora.problem, lora.caution, triggers=triggers, distilled=distilled)
    if embedding := verdicts.of_embedding(header, structures):
        return Kind("embedding", embedding.family, embedding.what, embedding.problem)
    if vae := _vae(header):
        return vae
    if encoder := _text_encoder(keys, header):
        return encoder
    for start, what in _FOREIGN:
        if any(key.removeprefix(UNET).removeprefix("diffusion_model.").startswith(start) for key in keys):
            return Kind("other", None, what, f"{what} is not supported")
    if any(_UPSCALER.match(key) for key in keys):
        return Kind("upscaler", None, "an upscaler")
    return Kind("other", None, _UNKNOWN, f"it has {len(keys)} tensors, among them {', '.join(sorted(keys)[:3])}")


_UNKNOWN = "a file of unknown kind"
_UPSCALER = re.compile(
    r"model\.\d+\.(?:sub\.|weight)|conv_first\.|body\.\d+\.|RRDB_trunk\.|layers\.\d+\.residual_group|params_ema"
)
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


def _checkpoint(family: BaseFamily, header: Header, name: str, beside: Mapping[str, Any]) -> Kind:
    keys = header.tensors.keys()
    what = f"{family.article} {family.title} checkpoint"
    if other := family.unsuitable(header):
        return Kind("checkpoint", None, other, f"LayerDiffuse has no weights for {other}")
    if problem := unreadable(header):
        return Kind("checkpoint", family.name, f"a quantised {family.title} checkpoint", problem)
    found = of_checkpoint(header, beside)
    if found.unusual:
        return Kind("checkpoint", family.name, "a Playground v2.5 checkpoint", found.unusual)
    prefixes = [encoder.prefix for encoder in family.text_encoders]
    has_text = all(any(key.startswith(prefix) for key in keys) for prefix in prefixes)
    has_vae = any(key.startswith(f"{VAE}decoder.") for key in keys) or any(key.startswith(f"{VAE}encoder.") for key in keys)
    decodes_only = has_vae and not any(key.startswith(f"{VAE}encoder.") for key in keys)
    return Kind(
        "checkpoint",
        family.name,
        f"{what}{'' if has_text else ' without text encoders'}{found.said}",
        remark=DECODES_ONLY if decodes_only else "",
        doubt=doubt_of(name, found),
        has_vae=has_vae,
        has_text=has_text,
        predicts=found.predicts,
        zero_snr=found.zero_snr,
        distilled=of_file(header, name),
    )


_OF_EPSILON = (
    "LayerDiffuse's weights were made for models that predict noise (epsilon): layers of this one may be less transparent, "
    "opaque pictures are as good as ever"
)
DECODES_ONLY = "its VAE has no encoder: it draws, but cannot work on a layer or picture"


def _vae(header: Header) -> Kind | None:
    """A VAE alone, in ldm's or diffusers' names; families differ only in values, so its family stays open."""
    names = {key.removeprefix(VAE).removeprefix("vae."): key for key in header.tensors}
    decoders = {"decoder.up.0.block.0.conv1.weight", "decoder.up_blocks.0.resnets.0.conv1.weight"}
    first = names.get("decoder.conv_in.weight")
    if first is None or not decoders & names.keys() and "encoder.conv_in.weight" not in names:
        return None
    known = {"encoder.down.0.block.0.conv1.weight", "encoder.down_blocks.0.resnets.0.conv1.weight", *decoders} & names.keys()
    last = names.get("encoder.conv_out.weight")  # mean and variance of each channel: 8 here, 32 in Flux's
    shape = header.shape(first)
    if known and (header.shape(last)[0] == 8 if last is not None else len(shape) != 4 or shape[1] == 4):
        return Kind("vae", None, "a VAE", remark="" if "encoder.conv_in.weight" in names else DECODES_ONLY)
    return Kind("other", None, "an autoencoder of another model", "an autoencoder of another model is not supported")


TEXT_ENCODERS = {768: "CLIP L", 1280: "CLIP G"}
"""Width -> the name of the text encoder, first and second of the families."""
_FIRST_LAYER = re.compile(r"(?:encoder\.layers\.0\.mlp\.fc1|transformer\.resblocks\.0\.mlp\.c_fc)\.weight$")


def _text_encoder(keys: Iterable[str], header: Header) -> Kind | None:
    """A text encoder alone; also one with the image encoder that it was trained with."""
    first = next((key for key in keys if _FIRST_LAYER.search(key) and not re.search("vision_model|visual", key)), None)
    name = TEXT_ENCODERS.get(header.shape(first)[-1]) if first else None
    return Kind("text-encoder", None, f"the text encoder {name}") if name else None


def _folder(folder: Path) -> Kind:
    index = read_json(folder / "model_index.json")
    pipeline = str(index.get("_class_name"))
    for native in NATIVE_FAMILIES.values():
        if native.pipelines.fullmatch(pipeline):
            return Kind("checkpoint", native.name, f"{native.article} {native.title} model ({native.licence})", has_vae=True)
    if not any(family.pipelines.match(pipeline) for family in NEWEST_FIRST):
        what = f"a model for diffusers' {pipeline}"
        return Kind("checkpoint", None, what, f"only {TITLES} models can be opened")
    unet = read_json(folder / "unet" / "config.json")
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    family = next(family for family in NEWEST_FIRST if family.pipelines.match(pipeline) and family.is_folder(unet))
    if other := family.unsuitable_folder(folder, unet):
        return Kind("checkpoint", None, other, f"LayerDiffuse has no weights for {other}")
    what = f"{family.article} {family.title} model"
    found = of_scheduler(scheduler)
    if found.unusual:
        return Kind("checkpoint", family.name, what, found.unusual)
    return Kind(
        "checkpoint",
        family.name,
        f"{what}{found.said}",
        has_vae=True,
        predicts=found.predicts,
        zero_snr=found.zero_snr,
        distilled=of_folder(scheduler, unet, found, folder.name),
    )
