"""Every kind of LoRA changes weights as its own formula says, written here a second time in float64, and as LyCORIS does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine.adapters.lora_keys import sort_keys
from acetate.engine.adapters.lora_kinds import fits, kinds_of
from acetate.engine.adapters.lora_reading import Change
from acetate.engine.weights.lora_arithmetic import depends, difference
from numpy.typing import NDArray
from torch import Tensor, nn

from ..adapters.synthetic_loras import KINDS, RANK, Shapes

Array = NDArray[np.float64]
PARAMETERS = {"linear": (24, 16), "conv": (16, 8, 3, 3), "1x1": (16, 8, 1, 1)}
ALPHA = 1.5


def values(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = {key: torch.randn(shape, generator=generator) * 0.5 for key, shape in shapes.items()}
    tensors |= {key: torch.tensor(ALPHA) for key in tensors if key == "alpha"}
    tensors |= {key: torch.tensor(0) for key in tensors if key == "on_input"}
    tensors |= {key: 0.5 + tensors[key].abs() for key in tensors if key in ("dora_scale", "lora_magnitude_vector", "rescale")}
    return tensors


def ours(own: Tensor, tensors: Mapping[str, Tensor], scale: float | None = None) -> Tensor:
    """The difference that is made of a layer's tensors, by their endings."""
    parts = sort_keys([f"layer.{key}" for key in tensors]).layers["layer"]
    (kind,) = [kind for kind in kinds_of(parts.keys()) if kind.parameter == "weight"]
    taken = {part: tensors[key.removeprefix("layer.")] for part, key in parts.items() if part in kind.needs | kind.may_have}
    assert fits(kind, {part: tuple(tensor.shape) for part, tensor in taken.items()}, tuple(own.shape))
    return difference(kind.name, taken, own, scale)


def scale(t: Mapping[str, Array], rank: int = RANK) -> float:
    return float(t["alpha"]) / rank if "alpha" in t else 1.0


def low_rank(t: Mapping[str, Array], up: str, down: str) -> Array:
    return t[up].reshape(len(t[up]), -1) @ t[down].reshape(len(t[down]), -1)


def tucker(core: Array, outputs: Array, inputs: Array) -> Array:
    """`(o, i, k, k)` from `(r, s, k, k)`, `(r, o)` and `(s, i)`, in plain loops."""
    made = np.zeros((outputs.shape[1], inputs.shape[1], *core.shape[2:]))
    for r in range(core.shape[0]):
        for s in range(core.shape[1]):
            made += outputs[r][:, None, None, None] * inputs[s][None, :, None, None] * core[r, s]
    return made


def by_lora(t: Mapping[str, Array], own: Array) -> Array:
    up, down = next(pair for pair in PAIRS if pair[0] in t)
    if "lora_mid.weight" in t:
        ones = (t["lora_up.weight"][:, :, 0, 0].T, t["lora_down.weight"][:, :, 0, 0])
        return tucker(t["lora_mid.weight"], *ones) * scale(t)
    return low_rank(t, up, down).reshape(own.shape) * scale(t)


PAIRS = [
    (f"{a}.weight", f"{b}.weight")
    for a, b in (
        ("lora_up", "lora_down"),
        ("lora_B", "lora_A"),
        ("lora.up", "lora.down"),
        ("lora_linear_layer.up", "lora_linear_layer.down"),
    )
]


def by_loha(t: Mapping[str, Array], own: Array) -> Array:
    factors = [
        tucker(t[f"hada_t{n}"], t[f"hada_w{n}_a"], t[f"hada_w{n}_b"]) if f"hada_t{n}" in t
        else low_rank(t, f"hada_w{n}_a", f"hada_w{n}_b").reshape(own.shape)
        for n in "12"
    ]  # fmt: skip
    return factors[0] * factors[1] * scale(t)


def by_lokr(t: Mapping[str, Array], own: Array) -> Array:
    first = t["lokr_w1"] if "lokr_w1" in t else t["lokr_w1_a"] @ t["lokr_w1_b"]
    rank = t["lokr_w2_b"].shape[0] if "lokr_w2_b" in t else None
    if "lokr_t2" in t:
        second = tucker(t["lokr_t2"], t["lokr_w2_a"], t["lokr_w2_b"])
    else:
        second = t["lokr_w2"] if "lokr_w2" in t else t["lokr_w2_a"] @ t["lokr_w2_b"]
    rows, columns = own.shape[0] // len(first), own.shape[1] // first.shape[1]
    second = second.reshape(rows, columns, *own.shape[2:])
    made = np.zeros(own.shape)
    for a in range(first.shape[0]):
        for b in range(first.shape[1]):
            made[a * rows : (a + 1) * rows, b * columns : (b + 1) * columns] = first[a, b] * second
    return made * (scale(t, rank) if rank else 1.0)


def by_glora(t: Mapping[str, Array], own: Array) -> Array:
    older = t["a1.weight"].shape[0] == RANK
    a, b = (low_rank(t, "a2.weight", "a1.weight"), low_rank(t, "b2.weight", "b1.weight")) if older else (
        low_rank(t, "a1.weight", "a2.weight"), low_rank(t, "b1.weight", "b2.weight"))  # fmt: skip
    return (np.einsum("oi...,ij->oj...", own, a) + b.reshape(own.shape)) * scale(t)


def by_oft(t: Mapping[str, Array], own: Array) -> Array:
    """Every block's rotation by itself, of the rows as they are; `x R` of the layer's outputs is `R.T W`."""
    blocks = t.get("oft_diag", t.get("oft_blocks"))
    assert blocks is not None
    if "oft_blocks" in t:
        skew = blocks - np.swapaxes(blocks, -1, -2)
        length, most = np.sqrt((skew**2).sum()), scale(t, 1) * len(own)
        skew = skew * min(1.0, most / length)
        identity = np.eye(blocks.shape[-1])
        blocks = np.array([(identity + q) @ np.linalg.inv(identity - q) for q in skew.reshape(-1, *skew.shape[-2:])])
    size = blocks.shape[-1]
    made = own.copy()
    for index, rotation in enumerate(blocks):
        rows = slice(index * size, (index + 1) * size)
        made[rows] = np.tensordot(rotation.T, own[rows], 1)
    return made * t.get("rescale", np.ones(1)).reshape(-1, *[1] * (own.ndim - 1)) - own


def by_boft(t: Mapping[str, Array], own: Array) -> Array:
    """Stage 0 of the butterfly: halves of two blocks are not mixed yet, but the two halves of one are interleaved."""
    blocks = t["oft_blocks"][0]
    skew = blocks - np.swapaxes(blocks, -1, -2)
    skew *= min(1.0, float(t["alpha"]) * len(own) / np.sqrt((skew**2).sum()))
    size = blocks.shape[-1]
    made = np.zeros_like(own)
    order = np.arange(len(own)).reshape(-1, 2, size // 2).transpose(0, 2, 1).reshape(-1)
    mixed = own[order]
    for index, q in enumerate(skew):
        rotation = (np.eye(size) + q) @ np.linalg.inv(np.eye(size) - q)
        made[order[index * size : (index + 1) * size]] = np.tensordot(rotation, mixed[index * size : (index + 1) * size], 1)
    return made - own


def by_ia3(t: Mapping[str, Array], own: Array) -> Array:
    axis = 1 if t["on_input"] else 0
    return own * t["weight"].reshape([-1 if n == axis else 1 for n in range(own.ndim)])


def with_dora(plain: Callable[[Mapping[str, Array], Array], Array]) -> Callable[[Mapping[str, Array], Array], Array]:
    def by_dora(t: Mapping[str, Array], own: Array) -> Array:
        changed = own + plain(t, own)
        magnitude = t.get("dora_scale", t.get("lora_magnitude_vector"))
        assert magnitude is not None
        rows = "lora_magnitude_vector" in t or magnitude.shape[0] == len(own)
        made = np.zeros_like(own)
        for index, length in enumerate(magnitude.reshape(-1)):
            place: Any = (index,) if rows else (slice(None), index)
            made[place] = changed[place] * length / np.sqrt((changed[place] ** 2).sum())
        return made - own

    return by_dora


FORMULAS = {
    "LoHa": by_loha, "LoKr": by_lokr, "GLoRA": by_glora, "OFT": by_oft, "BOFT": by_boft, "IA3": by_ia3,
    "full": lambda t, own: t["diff"], "whole": lambda t, own: t["set_weight"] - own,
    "DoRA": with_dora(by_lora), "LoHa with DoRA": with_dora(by_loha), "LoKr with DoRA": with_dora(by_lokr),
}  # fmt: skip


def formula(kind: str) -> Callable[[Mapping[str, Array], Array], Array]:
    return FORMULAS.get(kind, FORMULAS.get(kind.split(",")[0].split(" ")[0], by_lora))


def shapes_of(kind: str, parameter: tuple[int, ...]) -> Shapes:
    shapes = KINDS[kind](parameter)
    return {key: shape for key, shape in shapes.items() if key != "diff_b"}


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_changes_a_weight_as_its_formula_says(kind: str, parameter: str) -> None:
    own = torch.randn(PARAMETERS[parameter], generator=torch.Generator().manual_seed(1))
    tensors = values(shapes_of(kind, PARAMETERS[parameter]))
    if kind == "IA3 on inputs":
        tensors["on_input"] = torch.tensor(1)
    found = ours(own, tensors)
    expected = formula(kind)({key: tensor.double().numpy() for key, tensor in tensors.items()}, own.double().numpy())
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found.double().numpy(), expected, atol=2e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_depends_on_the_weight_is_known(kind: str) -> None:
    """Else a change would be worked out against a weight that another one has changed already."""
    own, tensors = torch.ones(24, 16), values(shapes_of(kind, (24, 16)))
    keys = {part: key for part, key in sort_keys([f"layer.{key}" for key in tensors]).layers["layer"].items()}
    (kind_of_layer,) = [one for one in kinds_of(keys.keys()) if one.parameter == "weight"]
    change = Change((0, "layer"), kind_of_layer, keys, {}, (24, 16))
    differs = not torch.allclose(ours(own, tensors), ours(own + torch.randn(24, 16), tensors))
    assert depends(change) == differs


def test_a_rotation_is_held_back_by_its_constraint() -> None:
    own = torch.randn(24, 16)
    tensors = values(shapes_of("OFT", (24, 16))) | {"alpha": torch.tensor(0.001)}
    expected = by_oft({key: tensor.double().numpy() for key, tensor in tensors.items()}, own.double().numpy())
    np.testing.assert_allclose(ours(own, tensors).double().numpy(), expected, atol=2e-6)
    assert np.abs(expected).max() < 0.1 * float(ours(own, tensors | {"alpha": torch.tensor(0.0)}).abs().max())


def test_a_magnitude_that_only_fits_rows_is_of_rows_however_it_lies() -> None:
    own, tensors = torch.randn(24, 16), values(shapes_of("DoRA of rows", (24, 16)))
    lying = {**tensors, "dora_scale": tensors["dora_scale"].reshape(1, 24)}
    assert torch.equal(ours(own, lying), ours(own, tensors))


def test_tucker_is_three_convolutions_one_after_another() -> None:
    own, tensors = torch.zeros(16, 8, 3, 3), values(KINDS["LoCon, Tucker"]((16, 8, 3, 3)))
    picture = torch.randn(1, 8, 9, 7)
    merged = nn.functional.conv2d(picture, ours(own, tensors), padding=1)
    middle = nn.functional.conv2d(
        nn.functional.conv2d(picture, tensors["lora_down.weight"]), tensors["lora_mid.weight"], padding=1
    )
    expected = nn.functional.conv2d(middle, tensors["lora_up.weight"]) * (ALPHA / RANK)
    torch.testing.assert_close(merged, expected, atol=2e-6, rtol=1e-5)


LYCORIS = {
    "LoRA and LoCon": "locon.LoConModule", "LoCon, Tucker": "locon.LoConModule", "DoRA of rows": "locon.LoConModule",
    "OFT": "diag_oft.DiagOFTModule", "OFT, rescaled": "diag_oft.DiagOFTModule", "BOFT": "boft.ButterflyOFTModule",
    "GLoRA": "glora.GLoRAModule", "full difference": "full.FullModule",
}  # fmt: skip
"""Kinds whose modules merge as they are trained; LoHa and LoKr are scaled twice there, so their functions are asked."""


@pytest.mark.parametrize("parameter", ["linear", "conv"])
@pytest.mark.parametrize("kind", LYCORIS)
def test_lycoris_makes_the_same_weight_of_a_file(kind: str, parameter: str) -> None:
    pytest.importorskip("lycoris", reason="needs lycoris-lora beside")
    import importlib

    module_name, class_name = LYCORIS[kind].split(".")
    made = getattr(importlib.import_module(f"lycoris.modules.{module_name}"), class_name)
    shape = PARAMETERS[parameter] if kind != "BOFT" else (16, *PARAMETERS[parameter][1:])
    layer = nn.Linear(shape[1], shape[0]) if len(shape) == 2 else nn.Conv2d(shape[1], shape[0], 3, padding=1)
    tensors = values(shapes_of(kind, shape))
    if kind == "BOFT":
        tensors["oft_blocks"] = torch.randn(3, 4, 4, 4) * 0.2
    own = layer.weight.detach().clone()
    parts = [tensors.get(name) for name in made.weight_list]
    with torch.no_grad():
        module = made.make_module_from_state_dict("layer", layer, *parts)
        merged = module.get_merged_weight(multiplier=1, shape=layer.weight.shape)[0]
    torch.testing.assert_close(own + ours(own, tensors), merged, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("parameter", ["linear", "conv"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith(("LoHa", "LoKr")) and "DoRA" not in kind])
def test_lycoris_multiplies_factors_alike(kind: str, parameter: str) -> None:
    pytest.importorskip("lycoris", reason="needs lycoris-lora beside")
    from lycoris.functional import loha, lokr

    own, tensors = torch.zeros(PARAMETERS[parameter]), values(shapes_of(kind, PARAMETERS[parameter]))
    if kind.startswith("LoHa"):
        names = ("hada_w1_b", "hada_w1_a", "hada_w2_b", "hada_w2_a", "hada_t1", "hada_t2")
        expected = loha.diff_weight(*map(tensors.get, names), gamma=ALPHA / RANK)
    else:
        names = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")
        rank = tensors["lokr_w2_a"].shape[1] if "lokr_t2" in tensors else RANK  # what it divides by, in Tucker's form by mistake
        expected = lokr.diff_weight(*map(tensors.get, names), gamma=ALPHA * rank / RANK)
    torch.testing.assert_close(ours(own, tensors), expected.reshape(own.shape), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("layer", ["linear", "conv"])
@pytest.mark.parametrize("kind", ["LoRA", "DoRA", "LoHa", "LoKr"])
def test_peft_merges_the_file_that_it_writes_to_the_same_weight(kind: str, layer: str) -> None:
    import peft

    torch.manual_seed(4)
    base = nn.Sequential(nn.Linear(16, 24) if layer == "linear" else nn.Conv2d(8, 16, 3, padding=1))
    own = base[0].weight.detach().clone()
    configs = {
        "LoRA": lambda: peft.LoraConfig(r=4, lora_alpha=6, target_modules=["0"]),
        "DoRA": lambda: peft.LoraConfig(r=4, lora_alpha=6, target_modules=["0"], use_dora=True),
        "LoHa": lambda: peft.LoHaConfig(r=4, alpha=6, target_modules=["0"], use_effective_conv2d=True),
        "LoKr": lambda: peft.LoKrConfig(r=4, alpha=6, target_modules=["0"], use_effective_conv2d=True),
    }
    model = peft.get_peft_model(base, configs[kind]())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_magnitude_vector" in name:
                parameter.mul_(1.3)
            elif any(mark in name for mark in ("lora_", "hada_", "lokr_")):
                parameter.copy_(torch.randn_like(parameter) * 0.5)
    tensors = {key.removeprefix("base_model.model.0."): t.clone() for key, t in peft.get_peft_model_state_dict(model).items()}
    merged = model.merge_and_unload()[0].weight.detach()
    torch.testing.assert_close(own + ours(own, tensors, 6 / 4), merged, atol=5e-6, rtol=1e-5)
