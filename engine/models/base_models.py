"""Open a checkpoint together with LayerDiffuse's networks for its family. Knows the library's files; knows no request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..device import devices, glibc_malloc
from ..device.dtypes import Dtypes
from ..device.memory_plans import GIB
from ..families import BASE_FAMILIES, BaseFamily
from ..files.companions import companions
from ..files.gguf_headers import SUFFIX as GGUF
from ..files.gguf_headers import read_gguf_header
from ..files.installed import Installed
from ..files.library import Library
from ..files.weight_files import WeightFile, shapes_of
from ..layerdiffuse import upsample_conv
from ..layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from ..pixels.working_canvas import WorkingSizes
from ..values.errors import ModelBroken, ModelMissing, ValuesBroken
from ..weights.stored_weights import channels_last
from .checkpoints import open_components
from .codec import LatentOffsetCodec
from .components import Components, fill
from .model import Model
from .runtime import Runtime

MULTIPLE = 64
"""Every mode with a transparent decode or a control picture needs it (layerdiffuse.md 6.4)."""


def open_base_model(installed: Installed, library: Library, runtime: Runtime) -> Model:
    """Open the checkpoint `installed`, with those of LayerDiffuse's networks whose files are installed (`Model.lacks`).

    Its networks are in host memory: `Placement` brings each to the device when it is needed.
    """
    assert installed.kind.family is not None
    family = BASE_FAMILIES[installed.kind.family]
    kinds = runtime.dtypes
    files = {role: _installed(library, family, role) for role in ("transparent-decoder", "transparent-encoder")}
    decoder, encoder = files["transparent-decoder"], files["transparent-encoder"]
    others = companions(installed, library.installed())
    narrow = stays_narrow(size_in_memory(installed.path, kinds), runtime)
    if narrow and runtime.device.type == "cpu":
        glibc_malloc.as_usual()  # memory is short: what a stage frees is not kept for the next one
    try:
        with ThreadPoolExecutor(1) as beside:
            changed = beside.submit(library.first_use.look, _files(installed.path, *others.files))
            components = open_components(
                installed.path,
                family,
                kinds.unet,
                vae=others.vae,
                text=others.text,
                vae_dtype=kinds.vae,
                kind=installed.kind,
                narrow=narrow,
            )
    except ValuesBroken as error:
        library.first_use.condemn(error)
        raise
    for network in (components.unet, components.vae):
        channels_last(network)
    upsample_conv.double_in(components.vae)
    codec = LatentOffsetCodec(
        components.vae,
        None if encoder is None else open_encoder(encoder.path).to(kinds.decoder),
        None if decoder is None else open_decoder(decoder.path).to(kinds.decoder),
        offset_factor=1.0 if encoder is None or encoder.row is None else encoder.row.offset_factor,
    )
    lacks = tuple(role for role, found in files.items() if found is None)
    more = {
        "caution": installed.kind.caution,
        "noted": others.noted,
        "notes": (*changed.result(), *components.notes),
        "predicts": installed.kind.predicts,
    }
    return assemble(installed.name, components, codec, runtime, lacks=lacks, **more)


def assemble(name: str, components: Components, codec: LatentOffsetCodec, runtime: Runtime, **more: Any) -> Model:
    """A model of these networks, with what its family says of sizes, defaults and previews; `more` as `Model` takes it."""
    family = components.family
    return Model(
        name=name,
        family=family,
        unet=components.unet,
        text=components.prompt_encoder(),
        codec=codec,
        scheduler_config=components.scheduler_config,
        sizes=WorkingSizes(family.native, multiple_of=max(MULTIPLE, codec.multiple_of)),
        defaults=family.defaults,
        runtime=runtime,
        preview_matrix=_preview_matrix(family),
        **more,
    )


def size_in_memory(path: Path, kinds: Dtypes) -> int:
    """About how many bytes of host memory opening takes: half precision in the file may become more."""
    if path.suffix.lower() == GGUF:  # its blocks of a few bits are worked out
        return read_gguf_header(path).parameters() * kinds.unet.itemsize
    return sum(file.stat().st_size for file in _files(path)) * kinds.unet.itemsize // 2


def _files(*paths: Path) -> list[Path]:
    """The files of weights: of a folder all in it."""
    return [file for path in paths for file in (sorted(path.rglob("*.safetensors")) if path.is_dir() else [path])]


HOST_WORK = 4 * GIB
"""What a picture of a megapixel takes on a CPU besides the weights, in float32."""


def stays_narrow(size: int, runtime: Runtime) -> bool:
    """Whether weights stay as narrow as their file has them although the arithmetic is in float32, `size` bytes of them wide.

    On a CPU only where they would not fit, as widening them again and again takes time; on a card always, where memory is dearer.
    """
    if runtime.dtypes.unet != torch.float32:
        return False
    return runtime.device.type != "cpu" or devices.memory("cpu")[0] < size + HOST_WORK


def open_decoder(path: Path) -> TransparentDecoder:
    """Open a decoder file of the published or another width. Raises `ModelBroken` unless all keys fit."""
    with WeightFile(path) as file:
        shapes = shapes_of(file)
        depth = len({key.split(".")[1] for key in shapes if key.startswith("down_blocks.")})
        channels = [shapes[f"down_blocks.{level}.resnets.0.conv1.weight"][0] for level in range(depth)]
        attentive = {key.split(".")[1] for key in shapes if key.startswith("down_blocks.") and ".attentions." in key}
        network = TransparentDecoder(shapes["latent_conv_in.weight"][1], channels, len(attentive))
        return fill(network, _whole(file), torch.float32, path.name, exact=True)


def open_encoder(path: Path) -> TransparentEncoder:
    """Open an encoder file of the published or another width. Raises `ModelBroken` unless all keys fit."""
    with WeightFile(path) as file:
        shapes = shapes_of(file)
        last = max(int(key.split(".")[1]) for key in shapes)
        channels = [shapes["blocks.0.weight"][0], *(shapes[f"blocks.{i}.weight"][0] for i in range(4, last, 4))]
        network = TransparentEncoder(shapes[f"blocks.{last}.weight"][0], channels)
        return fill(network, _whole(file), torch.float32, path.name, exact=True)


def _whole(file: WeightFile) -> dict[str, Tensor]:
    """Every tensor. Raises `ModelBroken` for NaN and infinity, which would show only in the picture."""
    tensors = dict(file.items())
    broken = [key for key, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelBroken(f"{file.path.name} holds NaN or infinity in {broken[0]}", "Download the file again.")
    return tensors


def _installed(library: Library, family: BaseFamily, role: str) -> Installed | None:
    """The installed file of a role, `None` where there is none: redrawing opaque colour takes neither network."""
    try:
        return library.weights(family.name, role)
    except ModelMissing:
        return None


def _preview_matrix(family: BaseFamily) -> Tensor:
    """The colour fit in [0, 1]; a matrix of three columns leaves alpha to `Model.preview`."""
    fit = torch.tensor(family.latent_colours) * 0.5
    fit[-1] += 0.5
    return fit
