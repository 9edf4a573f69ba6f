"""Every kernel compiles for the cards of these years, and reads several numbers at once; no card is needed for that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

triton = pytest.importorskip("triton", reason="Triton is made for Linux")

from acetate.engine.acceleration.triton_kernels import convolutions, group_norm, transformers  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

CARDS = {"RTX 20": 75, "RTX 30": 86, "RTX 40": 89, "H200": 90, "RTX 50": 120}
"""Compute capabilities."""
KERNELS: dict[str, tuple[Any, dict[str, int]]] = {
    "moments": (group_norm._moments, {"ROWS": 64, "BLOCK": 128}),
    "factors": (group_norm._factors, {"SPLITS": 64, "WIDE": 32}),
    "scale": (group_norm._scale, {"SILU": True, "ROWS": 64, "BLOCK": 128}),
    "add": (convolutions._add, {"BLOCK": 2048}),
    "shift": (convolutions._shift, {"PIXELS": 64, "BLOCK": 128}),
    "mixed": (convolutions._mixed, {"ROWS": 128, "DEEP": 32, "WIDE": 32}),
    "double": (convolutions._double, {"PIXELS": 64, "BLOCK": 128}),
    "geglu": (transformers._geglu, {"BLOCK": 1024}),
    "add_norm": (transformers._add_norm, {"BLOCK": 2048}),
    "attention": (transformers._attention, {"WIDE": 8, "QUERIES": 128, "KEYS": 64}),
}
NUMBERS = ("scale", "eps")
WIDER = ("moments", "factors")
"""Tensors that hold float32 whatever the network's type is."""
TENSORS = ["x", "y", "q", "k", "v", "result", "weight", "bias", "shift", "first", "second", "residual", "by", "total", "normed"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


def compiled(kernel: Any, constants: dict[str, int], capability: int, dtype: str) -> str:
    """The PTX, for tensors and sizes that are multiples of 16, as pictures' are."""
    signature, aligned = {}, {}
    for place, name in enumerate(kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
        elif name in NUMBERS:
            signature[name] = "fp32"
        else:
            pointer = "*fp32" if name in WIDER else f"*{dtype}" if name in TENSORS else "i32"
            signature[name] = pointer
            if not kernel.params[place].do_not_specialize:
                aligned[(place,)] = [["tt.divisibility", 16]]
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=aligned)
    ptx: str = triton.compile(source, target=GPUTarget("cuda", capability, 32)).asm["ptx"]
    return ptx


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
@pytest.mark.parametrize("card", CARDS)
def test_all_kernels_compile(card: str, dtype: str) -> None:
    for kernel, constants in KERNELS.values():
        assert ".visible .entry" in compiled(kernel, constants, CARDS[card], dtype)


@pytest.mark.parametrize("name", sorted(KERNELS.keys() - {"factors"}))
def test_eight_numbers_are_read_and_written_at_once(name: str) -> None:
    """Whether they are follows from what the compiler knows of places in memory; one by one, attention took twice as long."""
    ptx = compiled(*KERNELS[name], 90, "fp16")
    wide = re.findall(r"(?:ld|st)\.global\.v4\.b32|cp\.async\.cg\.shared\.global", ptx)
    narrow = re.findall(r"(?:ld|st)\.global\.b16", ptx)
    assert wide and len(narrow) <= 2, (len(wide), len(narrow))
