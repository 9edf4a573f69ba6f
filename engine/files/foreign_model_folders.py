"""Where programs keep their models: ComfyUI, A1111 and Forge by their subfolders' names, anything else by looking everywhere.

Knows names of folders and endings of files; reads no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

KNOWN = {
    "checkpoints": ".safetensors .gguf .ckpt",
    "diffusers": "",
    "loras": ".safetensors .pt .bin",
    "vae": ".safetensors",
    "upscale_models": ".safetensors .pth",
    "layer_model": ".safetensors",
    "unet": ".safetensors .gguf",
    "diffusion_models": ".safetensors .gguf",
    "embeddings": ".safetensors .pt .bin",
    "stable-diffusion": ".safetensors .gguf .ckpt",
    "lora": ".safetensors .pt .bin",
    "lycoris": ".safetensors .pt .bin",
    "esrgan": ".safetensors .pth",
    "realesrgan": ".safetensors .pth",
    "swinir": ".safetensors .pth",
    "dat": ".safetensors .pth",
}
"""Subfolder of a models folder, in lower case, and what is looked for in it: first ComfyUI's names, then A1111's and Forge's."""

UPSCALERS = ("upscale_models", "esrgan", "realesrgan", "swinir", "dat")

PICKLED = (".pt", ".bin")
"""What else lies in folders of LoRAs and embeddings; it is named, and never opened."""

DEPTH = 8
"""Folders below a root that are entered."""


def model_files(root: Path) -> Iterator[Path]:
    """Model files and diffusers folders at `root` or below it, in a stable order; links are followed, but never in circles."""
    if root.is_file() or (root / "model_index.json").is_file():
        yield root
    elif (subfolders := [*_known_subfolders(root), *_known_subfolders(root / "models")]) and _of_a_program(subfolders):
        for folder in subfolders:
            yield from _walk(folder, tuple(KNOWN[folder.name.lower()].split()), DEPTH, frozenset())
    elif root.is_dir():
        endings = KNOWN.get(root.name.lower(), ".safetensors .gguf .ckpt .pth").split()
        yield from _walk(root, tuple(endings), DEPTH, frozenset())


def place_and_name(path: Path) -> tuple[str, str]:
    """What a model file or folder is called, and what stands before that where the name is taken: the folder that it lies in.

    In the hub's cache a folder is called after its commit; its repository's name is what a person knows.
    """
    repository = path.parent.parent.name
    if path.is_dir() and path.parent.name == "snapshots" and repository.startswith("models--"):
        owner, _, name = repository.removeprefix("models--").rpartition("--")
        return owner, name
    return path.parent.name, path.name if path.is_dir() else path.stem


def vae_beside(path: Path) -> Path:
    """The file whose VAE is used instead of that of the checkpoint `path`, if it is there, as in A1111."""
    return path.with_suffix(".vae.safetensors")


def is_upscaler(path: Path) -> bool:
    """Whether a `.pth` file lies where upscalers lie; what is in it is for its loader to see."""
    return any(part.lower() in UPSCALERS for part in path.parts[:-1])


def _of_a_program(subfolders: list[Path]) -> bool:
    """Whether these make a program's folder: embeddings alone lie beside anything, and A1111's beside its models folder."""
    return any(folder.name.lower() != "embeddings" for folder in subfolders)


def _known_subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.name.lower() in KNOWN and entry.is_dir())
    except OSError:
        return []


def _walk(folder: Path, endings: tuple[str, ...], depth: int, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return
    if (status.st_dev, status.st_ino) in above:
        return
    above |= {(status.st_dev, status.st_ino)}
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if (path / "model_index.json").is_file():
                yield path
            elif depth:
                yield from _walk(path, endings, depth - 1, above)
        elif (ending := path.suffix.lower()) in endings and (ending != ".pth" or is_upscaler(path)):
            yield path
