"""Looks through values of weights for NaN, infinity and networks of zeros, which would show only in the picture.

Knows no use of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import isfinite
from pathlib import Path

from torch import Tensor, nn

from ..files.weight_files import WeightFile
from ..values.errors import ModelBroken, ValuesBroken


def check_finite(path: Path) -> None:
    """Look at every value of a file, once as long as it stays the same. Raises `ModelBroken` for NaN and infinity."""
    status = path.stat()
    if broken := _broken(path, status.st_size, status.st_mtime_ns):
        raise ModelBroken(f"{path.name} holds NaN or infinity in {broken}", "Download the file again, or choose another version.")


def check_network(network: nn.Module, what: str, path: Path, *, replaceable: bool = False) -> None:
    """Look at every value of an opened network, which `what` calls, of the file or folder `path`.

    Raises `ValuesBroken` for NaN, infinity, and matrices or kernels of zeros alone, as torn downloads and merges that failed
    leave them; `replaceable` says that another file could serve in its place.
    """
    bad: dict[str, list[str]] = {}
    for name, why in _damage(network.state_dict().items()):
        bad.setdefault(why, []).append(name)
    if not bad:
        return
    found = [f"{why} in {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}" for why, names in bad.items()]
    another = f"put a whole VAE next to it as {path.stem}.vae.safetensors" if replaceable else "choose another version"
    message = f"{what} holds {' and '.join(found)}"
    raise ValuesBroken(message, f"Download the file again, or {another}.", path, replaceable=replaceable)


@lru_cache(maxsize=256)
def _broken(path: Path, size: int, changed: int) -> str:
    """The first tensor that holds NaN or infinity; empty for none."""
    with WeightFile(path) as file:
        return next((name for name, why in _damage(file.items()) if why == _NOT_FINITE), "")


_NOT_FINITE = "NaN or infinity"


def _damage(tensors: Iterable[tuple[str, Tensor]]) -> Iterator[tuple[str, str]]:
    """Names of damaged tensors, and what each holds."""
    for name, tensor in tensors:
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        low, high = map(float, (tensor.float() if tensor.itemsize == 1 else tensor).aminmax())
        if not (isfinite(low) and isfinite(high)):
            yield name, _NOT_FINITE
        elif low == high == 0 and tensor.ndim > 1:
            yield name, "nothing but zeros"
