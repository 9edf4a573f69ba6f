"""Where programs keep their models: all folders are looked through, and a folder's name says which endings its files may have.

Knows names of folders and endings of files; reads nothing but ComfyUI's list of further folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..values.errors import ModelBroken
from . import extra_model_paths

UPSCALERS = (
    *("upscale_models", "upscalers", "esrgan", "realesrgan", "bsrgan", "swinir", "scunet", "dat", "hat", "atd"),
    "spandrel_image_to_image",
)
"""Names of folders of upscalers, in lower case, of all programs; InvokeAI's comes last."""
_LORAS = ("loras", "lora", "lycoris", "locon")
_EMBEDDINGS = ("embeddings", "embedding", "textualinversion", "textual_inversion")

PICKLED = (".pt", ".bin")
"""What else lies in folders of LoRAs, embeddings and VAEs; it is named, and never opened."""
ANY = ".safetensors .gguf .ckpt"
KNOWN = {
    **dict.fromkeys((*_LORAS, *_EMBEDDINGS), ".safetensors .pt .bin"),
    "vae": ".safetensors .ckpt .pt",
    **dict.fromkeys(UPSCALERS, ".safetensors .pth"),
}
"""Name of a folder, in lower case, and the endings of what is looked for in it and below; elsewhere it is `ANY`."""

NO_MODELS = ("venv", "site-packages", "node_modules", "__pycache__", "custom_nodes", "python_embeded", "python_embedded")
"""Folders of code, which are never entered; a program has tens of thousands of files there."""
OF_A_PROGRAM = (*("input", "output", "outputs", "temp", "tmp", "extensions", "repositories"), *("html", "docs", "tests", "web"))
"""Folders that are not entered beside a program's `models`: pictures and code. Elsewhere a person may keep models in them."""

DEPTH = 8
"""Folders below a root that are entered."""

_NAMELESS = ("pytorch_lora_weights", "adapter_model", "learned_embeds", "diffusion_pytorch_model")
"""Names that programs give every file of a kind: such a file is called after its folder."""


def model_files(root: Path) -> Iterator[Path]:
    """Model files and diffusers folders at `root` or below it, in a stable order; links are followed, but never in circles.

    A `root` that is ComfyUI's list of folders stands for those; in any folder that is entered, such a list adds what it names.
    """
    if root.name in extra_model_paths.NAMES and root.is_file():
        yield from _elsewhere(root)
    elif root.is_file() or (root / "model_index.json").is_file():
        yield root
    elif root.is_dir():
        yield from _walk(root, KNOWN.get(root.name.lower(), ANY), DEPTH, frozenset(), lists=True)


def place_and_name(path: Path) -> tuple[tuple[str, ...], str]:
    """What a model file or folder is called, and the folders that it lies in, the nearest last, to tell it from others.

    In the hub's cache a folder is called after its commit; its repository's name is what a person knows.
    """
    repository = path.parent.parent.name
    if path.is_dir() and path.parent.name == "snapshots" and repository.startswith("models--"):
        owner, _, name = repository.removeprefix("models--").rpartition("--")
        return (*path.parts[1:-3], owner), name
    if path.stem.lower() in _NAMELESS and path.parent.name.lower() not in (*KNOWN, ""):
        return path.parts[1:-2], path.parent.name
    return path.parts[1:-1], path.name if path.is_dir() else path.stem


def names_of(path: Path) -> Iterator[str]:
    """What a model may be called, the shortest first: its name, and that with more and more of its folders in front."""
    place, name = place_and_name(path)
    yield from ("/".join((*place[len(place) - count :], name)) for count in range(len(place) + 1))
    yield str(path)


def vae_beside(path: Path) -> Path:
    """The file whose VAE is used instead of that of the checkpoint `path`, if it is there, as in A1111."""
    return path.with_suffix(".vae.safetensors")


def is_upscaler(path: Path) -> bool:
    """Whether a `.pth` file lies where upscalers lie; what is in it is for its loader to see."""
    return any(part.lower() in UPSCALERS for part in path.parts[:-1])


def _elsewhere(path: Path) -> Iterator[Path]:
    """The models of the folders that a list names, by the kind that it names them for."""
    try:
        folders = extra_model_paths.named_folders(path)
    except ModelBroken:  # said when the folder is added; what lies beside it is found all the same
        return
    for kind, folder in folders:
        endings = KNOWN.get(kind.lower()) or KNOWN.get(folder.name.lower(), ANY)
        yield from _walk(folder, endings, DEPTH, frozenset())


def _walk(folder: Path, endings: str, depth: int, above: frozenset[tuple[int, int]], *, lists: bool = False) -> Iterator[Path]:
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    if (status.st_dev, status.st_ino) in above:
        return
    above |= {(status.st_dev, status.st_ino)}
    skipped = (*NO_MODELS, *OF_A_PROGRAM) if any(_is_models(entry) for entry in entries) else NO_MODELS
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name.lower() in skipped:
            continue
        if entry.is_dir():
            if (path / "model_index.json").is_file():
                yield path
            elif depth:
                yield from _walk(path, KNOWN.get(entry.name.lower(), endings), depth - 1, above, lists=lists)
        elif lists and entry.name in extra_model_paths.NAMES:
            yield from _elsewhere(path)
        elif (ending := path.suffix.lower()) in endings.split() or (ending == ".pth" and is_upscaler(path)):
            yield path


def _is_models(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower() == "models" and entry.is_dir()
