"""Networks that enlarge opaque pictures: found by name, opened through spandrel, run in tiles that fit any memory.

Knows colour only: what lies under transparency must be filled before, and alpha goes its own way (`upscale.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import pickle
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TypeVar

import numpy as np
import torch
from acetate.raster import RGB, lanczos
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..device.memory_budget import free_caches, is_out_of_memory
from ..files.library import Library
from ..pixels.tiles import windows
from ..values.errors import BadRequest, ModelBroken, NumericFailure, OutOfMemory
from .back_projection import held_to_source
from .upscaler_files import EXTRA, SpandrelMissing, check_file, file_of

log = logging.getLogger(__name__)

ReportT = TypeVar("ReportT")

SIDES = {"cuda": 512, "xpu": 256, "mps": 256, "cpu": 192}
"""Side of a tile in source pixels. An ESRGAN of 64 features keeps about 6 maps of the enlarged tile: 0.9 GB for 192 at 4x."""
SMALLEST_SIDE = 96
OVERLAP = 32
"""Source pixels that neighbouring tiles share, and over which they are blended."""
LARGEST = 2**28
"""Pixels of a network's own result: 16384 x 16384, 0.8 GB."""


class Upscalers:
    """The networks of a library; the one used last stays open."""

    def __init__(self, device: torch.device, library: Library) -> None:
        self.device = device
        self._library = library
        self._open: tuple[Path, Network] | None = None

    def names(self) -> list[str]:
        """The names that `open` takes."""
        return [one.name for one in self._library.installed("upscaler") if not one.kind.problem]

    def open(self, name: str) -> Network:
        """The network of a name, or of an absolute path. Raises `ModelMissing`, `ModelBroken` or `SpandrelMissing`."""
        path = file_of(name, self._library)
        if self._open is None or self._open[0] != path:
            self._open = None
            self._open = (path, open_network(path, self.device))
        return self._open[1]

    def close(self) -> None:
        """Free the open network."""
        self._open = None


class Network:
    """An open network that enlarges opaque pictures."""

    def __init__(self, name: str, descriptor: Any, device: torch.device) -> None:
        self.name = name
        self.scale: int = descriptor.scale
        self.device = device
        self._descriptor = descriptor.to(device).eval()
        self._descriptor.model.requires_grad_(False)
        if device.type != "cpu":
            self._shorten()

    def enlarge(
        self, picture: RGB, shown: NDArray[np.bool_], report: Callable[[int, int], ReportT], *, raw: bool = False
    ) -> Generator[ReportT, None, RGB]:
        """`(H, W, 3)` uint8 -> `(scale·H, scale·W, 3)`; yields `report(tile, tiles)` after each tile and returns the result.

        Its low frequencies are the picture's own, unless `raw` takes what the network answers.

        A tile without any pixel `shown`, `(H, W)`, is interpolated instead: it will not be seen. Out of memory, the tiles are
        made smaller. Raises `BadRequest` for too large a picture, `OutOfMemory` where the smallest tile does not fit.
        """
        height, width = picture.shape[:2]
        if height * width * self.scale**2 > LARGEST:
            most = int((LARGEST / (height * width)) ** 0.5)
            raise BadRequest(f"{width} x {height} pixels are too large for a {self.scale}x network", f"at most {most}x fits here")
        side = SIDES.get(self.device.type, SMALLEST_SIDE)
        while True:
            try:
                return (yield from self._enlarge(picture, shown, side, report, raw))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if side <= SMALLEST_SIDE:
                    raise OutOfMemory(
                        f"upscaler {self.name} does not fit, also in tiles of {side} pixels", "close other programs"
                    ) from error
                side = max(side // 2, SMALLEST_SIDE)
                free_caches(self.device)
                log.warning("out of memory: upscaler %s goes on in tiles of %d pixels", self.name, side)

    def _enlarge(
        self, picture: RGB, shown: NDArray[np.bool_], side: int, report: Callable[[int, int], ReportT], raw: bool
    ) -> Generator[ReportT, None, RGB]:
        height, width = picture.shape[:2]
        canvas = lanczos(picture, (width * self.scale, height * self.scale)).copy()
        parts = [part for part in windows((width, height), side, OVERLAP) if shown[part.box.slices].any()]
        for index, part in enumerate(parts, start=1):
            source = picture[part.box.slices]
            made = self._run(source) if raw else held_to_source(self._run(source), source)
            target = part.scaled(self.scale)
            below = canvas[target.box.slices]
            share = target.share()[: below.shape[0], : below.shape[1]]
            below[:] = (below + share * (np.clip(made, 0, 255) - below) + 0.5).astype(np.uint8)
            yield report(index, len(parts))
        return canvas

    def _run(self, picture: RGB) -> NDArray[np.float32]:
        """One tile, `(h, w, 3)` uint8 -> `(scale·h, scale·w, 3)` in [0, 255]."""
        weight = next(self._descriptor.model.parameters())
        tile = torch.from_numpy(np.ascontiguousarray(picture)).to(weight.device).permute(2, 0, 1)[None].to(weight.dtype) / 255
        made = self._descriptor(tile)
        wanted = (1, 3, picture.shape[0] * self.scale, picture.shape[1] * self.scale)
        if made.shape != wanted:
            raise ModelBroken(f"upscaler {self.name} returned a picture of shape {tuple(made.shape)} instead of {wanted}")
        if not bool(torch.isfinite(made).all()):
            if weight.dtype != torch.float32:
                self._descriptor.float()
                return self._run(picture)
            raise NumericFailure(f"upscaler {self.name} returned NaN or infinity", "try another one")
        values: NDArray[np.float32] = made[0].float().mul(255).permute(1, 2, 0).cpu().numpy()
        return values

    def _shorten(self) -> None:
        """Half precision where the architecture bears it; what turns out not to is run in float32 again."""
        if self._descriptor.supports_half:
            self._descriptor.half()
        elif self._descriptor.supports_bfloat16:
            self._descriptor.bfloat16()


def open_network(path: Path, device: torch.device) -> Network:
    """Open a file. Raises `ModelMissing`, `SpandrelMissing`, or `ModelBroken` for what does not enlarge or could run code."""
    check_file(path)
    spandrel = import_spandrel()
    state = _state_dict(path)
    try:
        descriptor = spandrel.ModelLoader().load_from_state_dict(spandrel.canonicalize_state_dict(state))
    except Exception as error:  # spandrel's detectors may raise anything at unknown tensors
        raise ModelBroken(f"{path.name} holds no upscaler that spandrel knows: {_first_line(error)}") from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor) or descriptor.purpose == "FaceSR":
        raise ModelBroken(
            f"{path.name} is a {descriptor.architecture.name} for {descriptor.purpose}, which does not enlarge pictures"
        )
    if (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        channels = f"{descriptor.input_channels} channels to {descriptor.output_channels}"
        raise ModelBroken(f"{path.name} takes {channels}; networks from RGB to RGB can be used")
    return Network(path.stem, descriptor, device)


def _state_dict(path: Path) -> dict[str, Any]:
    """Tensors by name. A `.pth` is a pickle: torch's restricted unpickler knows tensors and plain containers, nothing else."""
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelBroken(f"{path.name} holds more than tensors and could run code: it is not opened") from error
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as error:
        raise ModelBroken(f"{path.name} is truncated or corrupt: {_first_line(error)}") from error
    if not isinstance(state, dict):
        raise ModelBroken(f"{path.name} holds a {type(state).__name__} instead of named tensors")
    return state


def import_spandrel() -> ModuleType:
    """The library. Raises `SpandrelMissing`, naming the extra that installs it."""
    try:
        with _torchvision_for_import():
            return importlib.import_module("spandrel")
    except ImportError as error:
        raise SpandrelMissing(f"upscaler networks need spandrel: {error}", EXTRA) from error


@contextmanager
def _torchvision_for_import() -> Iterator[None]:
    """Let spandrel be imported where torchvision is absent.

    spandrel 0.4 imports torchvision for three names of two architectures that we refuse anyway: inpainting (LaMa: `rotate`,
    `InterpolationMode`) and face restoration (RestoreFormer: `normalize`). torchvision would weigh as much as all of our other
    dependencies without torch, and a build that does not match torch's breaks transformers. So for the duration of the import,
    and only if there is no torchvision, modules with just these names stand in; they are removed again afterwards.
    """
    if "spandrel" in sys.modules or importlib.util.find_spec("torchvision") is not None:
        yield
        return
    functional = ModuleType("torchvision.transforms.functional")
    for name in ("rotate", "normalize", "InterpolationMode"):
        setattr(functional, name, _absent)
    modules = {
        "torchvision": ModuleType("torchvision"),
        "torchvision.transforms": ModuleType("torchvision.transforms"),
        functional.__name__: functional,
    }
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


def _absent(*_: object, **__: object) -> NoReturn:
    raise ModuleNotFoundError("this architecture needs torchvision", name="torchvision")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
