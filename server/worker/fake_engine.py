"""An engine without networks, for tests and for trying the server: deterministic pixels in milliseconds, and faults on demand.

Knows the engine's contract; what it draws shows the prompt, the seed and the role, so that a mix-up becomes visible. Words of the
prompt that begin with `@` script it:

    @gate:NAME      wait, before the denoising steps, until the file NAME exists in the folder $ACETATE_FAKE
    @hold:STAGE     leave the file `held-SEED` in that folder and wait at that stage until `go-SEED` exists there
    @sleep:0.01     sleep before every step
    @exit:STAGE     end the process at that stage (once, when $ACETATE_FAKE lacks the file `exited-SEED`, with @exit-once:STAGE)
    @hang:STAGE     never return (the heartbeat goes on);  @freeze:STAGE  stop the whole process
    @lost:STAGE     raise what CUDA does after sleep (once with @lost-once:STAGE, as with @exit-once)
    @oom:STAGE, @bad:STAGE, @bug:STAGE, @nan:STAGE, @disk:STAGE   raise what would be raised there
    @empty          draw nothing;  @big:SIDE  draw an opaque square of this side, from memory after the first time
"""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from acetate.engine import RGBA, BadRequest, ModelMissing, NumericFailure, OutOfMemory, Picture, Progress, Request
from acetate.engine.builtin import NAME as MODEL
from acetate.engine.description import PREVIEWS, described_tasks
from acetate.raster import Deep
from acetate.vocabulary.parameters import SCHEDULERS, SPACINGS
from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import NativeSizes
from numpy.typing import NDArray

NATIVE = 64
SIZES = NativeSizes(NATIVE)
DEFAULTS: dict[str, Any] = {"steps": 4, "guidance_scale": 3.0, "scheduler": "euler", "alpha_passes": 1, "clip_skip": 1}


class FakeEngine:
    """Takes the place of `acetate.engine.Engine`."""

    def __init__(self, device: str | None = None, acceleration: str = "auto", dtype: str = "auto") -> None:
        """Raises `BadRequest` when the file `gone-DEVICE` lies in the folder of faults."""
        self.device = device or "fake"
        if (_folder() / f"gone-{self.device}").exists():
            raise BadRequest(f"device {self.device!r} is not available", hint="Is it plugged in?")
        self.loaded: set[str] = set()

    def describe(self) -> dict[str, Any]:
        return {
            "device": self.device,
            "models": [
                {
                    "name": name,
                    "family": "fake",
                    "width": NATIVE,
                    "height": NATIVE,
                    "sizes": asdict(SIZES),
                    "loaded": name in self.loaded,
                }
                for name in (MODEL, *sorted(path.stem for path in _folder().glob("models/*.safetensors")))
            ],
            "families": {"fake": {"title": "Fake", "defaults": DEFAULTS, "idle": {"foreground": ["layer_weight"]}}},
            "tasks": described_tasks(),
            "loras": [json.loads(path.read_text()) for path in sorted(_folder().glob("loras/*.json"))],
            PREVIEWS: {path.stem: str(path) for path in _folder().glob("loras/*.png")},
            "embeddings": [json.loads(path.read_text()) for path in sorted(_folder().glob("embeddings/*.json"))],
            "upscalers": sorted(path.stem for path in _folder().glob("upscalers/*.json")),
            "schedulers": list(SCHEDULERS),
            "spacings": list(SPACINGS),
            "pid": os.getpid(),
        }

    def open(self, name: str) -> None:
        """Load the only model that can draw. Raises `ModelMissing` for any other."""
        if name != MODEL:
            raise ModelMissing(f"the model is {name!r}; there is only {MODEL}", hint="acetate models")
        self.loaded.add(name)

    def opened(self) -> list[str]:
        return sorted(self.loaded)

    def unload(self) -> None:
        self.loaded.clear()

    def run(self, request: Request) -> Iterator[Progress | Picture]:
        """Yields a `Progress` per step of each stage, and the pictures. Raises `BadRequest` when a picture is missing."""
        self.open(request.model)
        for need in TASKS[request.task].conditions:
            if getattr(request, need) is None:
                raise BadRequest(f"task {request.task} needs a {need}")
        steps = request.steps or DEFAULTS["steps"]
        total = 2 + steps + request.count
        done = 0
        plan = [("load", 1), ("encode", 1), ("denoise", steps)]
        for stage, length in plan:
            for step in range(1, length + 1):
                _scripted(request, stage)
                done += 1
                yield Progress(stage=stage, step=step, steps=length, fraction=done / total, preview=lambda: _preview(request))
        for index in range(request.count):
            _scripted(request, "decode")
            done += 1
            yield Progress(stage="decode", step=index + 1, steps=request.count, fraction=done / total)
            yield from _pictures(request, index)


def _pictures(request: Request, index: int) -> Iterator[Picture]:
    seed = request.seed + index
    task = TASKS[request.task]
    for role in task.makes:
        yield Picture(
            rgba=draw(request, role, seed),
            role=role,
            index=index,
            seed=seed,
            parameters={"task": request.task, "prompt": request.prompt, "seed": seed, "model": request.model},
            quality={"coverage": 0.25},
            deep=_deep(request),
            hidden=task.hides(role),
            drawn=None if task.enlarges else SIZES.drawn(*_size(request), "cover"),
        )


def draw(request: Request, role: Role, seed: int) -> RGBA:
    """A soft disc on nothing, its colour and place from prompt, role and seed; colour goes on under alpha 0."""
    if TASKS[request.task].enlarges and request.source is not None:
        return _enlarged(request)
    if "@big:" in request.prompt:
        return _square(int(_argument(request, "@big:")), seed)
    width, height = _size(request)
    random = np.random.default_rng([seed, zlib.crc32(f"{request.prompt} {role}".encode())])
    colour = random.integers(30, 226, 3).astype(np.uint8)
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = colour
    rgba[..., :2] ^= np.add.outer(np.arange(height), np.arange(width)).astype(np.uint8)[..., None] & 15
    if "@empty" in request.prompt:
        rgba[..., 3] = 0
    elif role == "foreground":
        x, y = np.arange(width) - width * random.uniform(0.4, 0.6), np.arange(height) - height * random.uniform(0.4, 0.6)
        distance = np.hypot.outer(y / height, x / width)
        rgba[..., 3] = np.clip((0.35 - distance) * 20 * 255, 0, 255)
    else:
        rgba[..., 3] = 255
    if request.source is not None:
        return _over_source(request, rgba)
    return rgba


@lru_cache(maxsize=2)
def _square(side: int, seed: int) -> RGBA:
    """Texture that neither compresses to nothing nor is noise. Costs nothing the second time, so that measuring is possible."""
    ramp = np.arange(side, dtype=np.uint32)
    words: NDArray[np.uint32] = np.multiply.outer(ramp * 2654435761 >> 20, ramp + seed) >> 9 | np.uint32(0xFF000000)
    rgba: RGBA = words.view(np.uint8).reshape(side, side, 4)
    return rgba


def _over_source(request: Request, rgba: RGBA) -> RGBA:
    source = request.source
    assert source is not None
    if request.lock_alpha:
        rgba[..., 3] = source[..., 3]
    if request.mask is not None:
        rgba = np.where(request.mask[..., None] > 0, rgba, source)
    return rgba


def _enlarged(request: Request) -> RGBA:
    assert request.source is not None
    return np.ascontiguousarray(request.source[_places(request)])


def _deep(request: Request) -> Deep | None:
    """The enlarged source in its own depth."""
    deep = request.deep_source
    if deep is None:
        return None
    return cast(Deep, np.ascontiguousarray(deep[_places(request)]))


def _places(request: Request) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each row and column of the enlargement the one of the source that it repeats."""
    assert request.source is not None
    height, width = request.source.shape[:2]
    new_width, new_height = request.width or round(width * request.scale), request.height or round(height * request.scale)
    return np.ix_(np.arange(new_height) * height // new_height, np.arange(new_width) * width // new_width)


def _size(request: Request) -> tuple[int, int]:
    for picture in (request.source, request.foreground, request.background, request.blended):
        if picture is not None and request.width is None:
            return picture.shape[1], picture.shape[0]
    return request.width or NATIVE, request.height or NATIVE


def _preview(request: Request) -> RGBA:
    height, width = NATIVE // 8, NATIVE // 8
    return np.full((height, width, 4), (request.seed % 256, 90, 120, 200), np.uint8)


def _argument(request: Request, directive: str) -> str:
    return next((word[len(directive) :] for word in request.prompt.split() if word.startswith(directive)), "")


def _scripted(request: Request, stage: str) -> None:
    """What the prompt's directives ask for at this stage."""
    if "@" not in request.prompt:
        return
    if delay := _argument(request, "@sleep:"):
        time.sleep(float(delay))
    if (gate := _argument(request, "@gate:")) and stage == "denoise":
        _wait_for(gate)
    for word in request.prompt.split():
        directive, _, at = word.partition(":")
        if at == stage and directive in _FAULTS:
            _FAULTS[directive](request)


def _folder() -> Path:
    return Path(os.environ.get("ACETATE_FAKE", "no such folder"))


def _wait_for(name: str) -> None:
    while not (_folder() / name).exists():
        time.sleep(0.005)


def _hold(request: Request) -> None:
    (_folder() / f"held-{request.seed}").touch()
    _wait_for(f"go-{request.seed}")


def _once(request: Request) -> bool:
    """Whether a fault that comes once is still to come."""
    marker = _folder() / f"exited-{request.seed}"
    if marker.exists():
        return False
    marker.touch()
    return True


def _exit_once(request: Request) -> None:
    if _once(request):
        os._exit(9)


def _lose(request: Request) -> None:
    raise RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported")


def _raise(error: Exception) -> None:
    raise error


_FAULTS: dict[str, Any] = {
    "@hold": _hold,
    "@exit": lambda request: os._exit(9),
    "@exit-once": _exit_once,
    "@lost": _lose,
    "@lost-once": lambda request: _lose(request) if _once(request) else None,
    "@kill": lambda request: os.kill(os.getpid(), signal.SIGKILL),
    "@hang": lambda request: threading.Event().wait(),
    "@freeze": lambda request: os.kill(os.getpid(), signal.SIGSTOP),
    "@oom": lambda request: _raise(OutOfMemory("8.1 GB are needed, 2.0 GB are free", hint="Try a smaller size.")),
    "@bad": lambda request: _raise(BadRequest("the prompt is not to the fake engine's liking")),
    "@bug": lambda request: _raise(ZeroDivisionError("an error, for the sake of the test")),
    "@nan": lambda request: _raise(NumericFailure("the latents hold NaN")),
    "@disk": lambda request: _raise(OSError(errno.ENOSPC, "No space left on device")),
}
