"""Compile the kernels before the first picture needs them, which would wait for it: on a new machine for up to half a minute.

Triton keeps what it compiled on disk, so that later starts find it. Knows which widths the published networks have; does not know
when there is time for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import torch
from torch import Tensor

from . import convolutions, group_norm, transformers

log = logging.getLogger(__name__)

SIDE = 64
"""Side of the compiled pictures: any multiple of 16 pixels is compiled alike."""
WIDTHS = (32, 64, 128)
"""Channels of pictures: what is wider is worked on in blocks of 128."""
COLOURS = 4
"""Channels of what comes out, latents and pictures; three are compiled alike."""
TOKEN_WIDTHS = (320, 640, 1280)
HEAD = 8
"""Numbers of the transparent decoder's heads."""


def in_background(device: torch.device, types: Iterable[torch.dtype]) -> threading.Thread:
    """Compile in a thread of its own; a failure is only logged, as the first picture will work without the kernels."""
    types = list(dict.fromkeys(types))

    def work() -> None:
        try:
            with torch.cuda.device(device):
                compile_all(types)
        except Exception as error:  # a compiler can raise anything
            log.info("kernels are not compiled ahead: %s", (str(error) or type(error).__name__).splitlines()[0])

    thread = threading.Thread(target=work, name="kernels", daemon=True)
    thread.start()
    return thread


def compile_all(types: Iterable[torch.dtype]) -> None:
    """Compile what networks of these types use: in float32 that is a VAE on an old card, which has no such tokens."""
    for dtype in types:
        for width in WIDTHS:
            _compile_pictures(_picture(width, dtype))
        few = _picture(COLOURS, dtype)
        convolutions.shift(few, _vector_of(few))
        if dtype.itemsize == 2:
            _compile_tokens(dtype)


def _compile_pictures(x: Tensor) -> None:
    vector, width = _vector_of(x), x.shape[1]
    for silu in (False, True):
        group_norm.group_norm([x], vector, vector, 4, 1e-5, None, silu=silu)
    convolutions.add(x, x, vector)
    convolutions.shift(x, vector)
    convolutions.double(x)
    if width < max(WIDTHS):
        convolutions.mixed([x, x], x.new_empty(width, 2 * width), x, vector)


def _compile_tokens(dtype: torch.dtype) -> None:
    for width in TOKEN_WIDTHS:
        x = torch.empty(2, SIDE, width, dtype=dtype, device="meta")
        transformers.add_norm(x, x, x[0, 0], x[0, 0], 1e-5)
        transformers.geglu(x.new_empty(2, SIDE, 8 * width))
    q = torch.empty(1, SIDE, 4, HEAD, dtype=dtype, device="meta").transpose(1, 2)
    transformers.attention(q, q, q, 1.0)


def _picture(width: int, dtype: torch.dtype) -> Tensor:
    return torch.empty(1, width, SIDE, SIDE, dtype=dtype, device="meta").contiguous(memory_format=torch.channels_last)


def _vector_of(x: Tensor) -> Tensor:
    return x.new_empty(x.shape[1])
