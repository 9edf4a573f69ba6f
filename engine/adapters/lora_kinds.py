"""The kinds of change that a LoRA makes to a layer, told by their parts, and the size of each; the arithmetic is `weights`'.

Knows parts and shapes; knows neither keys nor values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from math import prod

from ..families.structure import Shape

Shapes = Mapping[str, Shape]
"""Part of a change -> its shape."""
Size = tuple[int, int] | None
"""Rows (outputs) and columns (inputs times kernel) of a change; `None` where its parts do not belong together."""


@dataclass(frozen=True)
class LoraKind:
    """One way to change a parameter."""

    name: str
    """What artists and trainers call it."""
    needs: Set[str]
    """Parts that tell it."""
    may_have: Set[str]
    """Parts that it heeds besides."""
    size: Callable[[Shapes, Shape], Size]
    """The size of the change, from the shapes of its parts and of the parameter."""
    parameter: str = "weight"
    """Which of the layer's parameters."""


def kinds_of(parts: Set[str]) -> list[LoraKind]:
    """The kinds that a layer with these parts is changed by: one at most for each of its parameters."""
    found: dict[str, LoraKind] = {}
    for kind in KINDS:
        if kind.needs <= parts:
            found.setdefault(kind.parameter, kind)
    return list(found.values())


def fits(kind: LoraKind, shapes: Shapes, parameter: Shape) -> bool:
    """Whether the change has the parameter's size. A 1x1 convolution and a linear layer count as the same."""
    if is_empty(shapes) or kind.size(shapes, parameter) != rows_and_columns(parameter):
        return False
    sides = {"magnitude": parameter[:1], "dora_scale": parameter[:2]}
    return all(prod(shapes[part]) in sides[part] for part in DECOMPOSED & shapes.keys())


def is_empty(shapes: Shapes) -> bool:
    """Whether a tensor has no values: a LoRA of rank 0."""
    return any(0 in shape for shape in shapes.values())


def rows_and_columns(shape: Shape) -> tuple[int, int]:
    """A parameter as a matrix: outputs, and inputs times kernel; a vector is one column."""
    return shape[0], prod(shape[1:])


def _product(left: Shape, right: Shape) -> Size:
    """Of two matrices; convolutions of 1x1 count as matrices on the left."""
    if len(left) < 2 or len(right) < 2 or left[1] != right[0] or prod(left[2:]) != 1:
        return None
    return left[0], prod(right[1:])


def _lora(shapes: Shapes, parameter: Shape) -> Size:
    up, down, mid = shapes["up"], shapes["down"], shapes.get("mid")
    if mid is None:
        return _product(up, down)
    if len(mid) != 4 or len(up) < 2 or len(down) < 2 or (up[1], down[0]) != mid[:2]:
        return None
    return up[0], down[1] * prod(mid[2:])


def _tucker(core: Shape, outputs: Shape, inputs: Shape) -> Size:
    """A core `(r, s, k, k)` between `(r, outputs)` and `(s, inputs)`."""
    if len(core) != 4 or len(outputs) != 2 or len(inputs) != 2 or (outputs[0], inputs[0]) != core[:2]:
        return None
    return outputs[1], inputs[1] * prod(core[2:])


def _loha(shapes: Shapes, parameter: Shape) -> Size:
    factors = [_loha_factor(shapes, n) for n in "12"]
    return factors[0] if factors[0] == factors[1] else None


def _loha_factor(shapes: Shapes, n: str) -> Size:
    outputs, inputs, core = shapes[f"hada_w{n}_a"], shapes[f"hada_w{n}_b"], shapes.get(f"hada_t{n}")
    return _product(outputs, inputs) if core is None else _tucker(core, outputs, inputs)


def _lokr(shapes: Shapes, parameter: Shape) -> Size:
    first, second = _lokr_factor(shapes, "1"), _lokr_factor(shapes, "2")
    return None if first is None or second is None else (first[0] * second[0], first[1] * second[1])


def _lokr_factor(shapes: Shapes, n: str) -> Size:
    if whole := shapes.get(f"lokr_w{n}"):
        return rows_and_columns(whole)
    outputs, inputs = shapes.get(f"lokr_w{n}_a"), shapes.get(f"lokr_w{n}_b")
    if outputs is None or inputs is None:
        return None
    core = shapes.get("lokr_t2") if n == "2" else None
    return _product(outputs, inputs) if core is None else _tucker(core, outputs, inputs)


def _glora(shapes: Shapes, parameter: Shape) -> Size:
    """`W a1 a2 + b1 b2`, in older files `W a2 a1 + b2 b1`."""
    order = glora_order(shapes, parameter)
    return None if order is None else _product(shapes[order[2]], shapes[order[3]])


def glora_order(shapes: Shapes, parameter: Shape) -> tuple[str, str, str, str] | None:
    """The parts in the order of multiplication, `W (0 1) + 2 3`; `None` where they do not belong together."""
    if len(parameter) < 2:
        return None
    for order in (("a1", "a2", "b1", "b2"), ("a2", "a1", "b2", "b1")):
        inputs = _product(shapes[order[0]], shapes[order[1]])
        added = _product(shapes[order[2]], shapes[order[3]])
        if inputs == (parameter[1], parameter[1]) and added == rows_and_columns(parameter):
            return order
    return None


def _oft(shapes: Shapes, parameter: Shape) -> Size:
    """Rotations of blocks of outputs, `(blocks, n, n)`, with BOFT `(stages, blocks, n, n)`."""
    blocks = shapes.get("oft_blocks") or shapes.get("oft_diag") or ()
    rescale = shapes.get("rescale", parameter[:1])
    if len(blocks) not in (3, 4) or blocks[-1] != blocks[-2] or prod(rescale) != parameter[0]:
        return None
    return (blocks[-3] * blocks[-1], prod(parameter[1:])) if blocks[-1] else None


def _ia3(shapes: Shapes, parameter: Shape) -> Size:
    return rows_and_columns(parameter) if prod(shapes["scales"]) in parameter[:2] else None


def _whole(part: str) -> Callable[[Shapes, Shape], Size]:
    return lambda shapes, parameter: rows_and_columns(shapes[part]) if shapes[part] else None


DECOMPOSED = frozenset({"dora_scale", "magnitude"})
"""Magnitudes of the changed weight's rows or columns (DoRA); `magnitude`, PEFT's name, always of rows."""
_MORE = DECOMPOSED | {"alpha"}

LORA = LoraKind("LoRA", {"up", "down"}, _MORE | {"mid"}, _lora)
LOHA = LoraKind("LoHa", {f"hada_w{n}_{ab}" for n in "12" for ab in "ab"}, _MORE | {"hada_t1", "hada_t2"}, _loha)
_LOKR_PARTS = {"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"}
GLORA = LoraKind("GLoRA", {"a1", "a2", "b1", "b2"}, _MORE, _glora)
IA3 = LoraKind("IA3", {"scales", "on_input"}, set(), _ia3)
FULL = LoraKind("full difference", {"diff"}, DECOMPOSED, _whole("diff"))
SET = LoraKind("whole weight", {"set_weight"}, set(), _whole("set_weight"))
KINDS = (
    LORA,
    LOHA,
    *(
        LoraKind("LoKr", {*first, *second}, _MORE | _LOKR_PARTS, _lokr)
        for first in (("lokr_w1",), ("lokr_w1_a", "lokr_w1_b"))
        for second in (("lokr_w2",), ("lokr_w2_a", "lokr_w2_b"))
    ),
    GLORA,
    LoraKind("OFT", {"oft_blocks"}, {"alpha", "rescale"}, _oft),
    LoraKind("OFT", {"oft_diag"}, {"alpha", "rescale"}, _oft),
    IA3,
    FULL,
    SET,
    LoraKind("bias difference", {"diff_b"}, set(), _whole("diff_b"), "bias"),
    LoraKind("LoRA with biases", {"up_bias", "down"}, {"alpha"}, _whole("up_bias"), "bias"),
)
"""The first that a layer's parts tell counts."""
