"""The naming rule against the two families' full tables (layerdiffuse.md 1.5, 10.5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine.families.ldm_names import diffusers_name, ldm_paths


@pytest.mark.parametrize(("family", "rows"), [("sdxl", 1680), ("sd15", 686)])
def test_every_row_of_the_table_follows_the_rule(golden: Path, family: str, rows: int) -> None:
    table = [line.split("\t") for line in (golden / f"keys/{family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
    assert len(table) == rows
    assert {ldm: diffusers_name(ldm) for ldm, *_ in table} == {ldm: name for ldm, name, _ in table}


@pytest.mark.parametrize("family", ["sdxl", "sd15"])
def test_the_rule_can_be_turned_round(golden: Path, family: str) -> None:
    table = [line.split("\t") for line in (golden / f"keys/{family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
    for ldm, name, _ in table:
        paths = ldm_paths(name.rpartition(".")[0])
        assert ldm.rpartition(".")[0] in paths
        assert len(paths) == (2 if "upsamplers" in name else 1)
    assert ldm_paths("nothing.of.this") == ()


@pytest.mark.parametrize(
    ("ldm", "name"),
    [
        ("input_blocks.7.1.transformer_blocks.0.attn1.to_q", "down_blocks.2.attentions.0.transformer_blocks.0.attn1.to_q"),
        ("input_blocks.8.1.transformer_blocks.0.attn1.to_q", "down_blocks.2.attentions.1.transformer_blocks.0.attn1.to_q"),
        ("output_blocks.2.2.conv", "up_blocks.0.upsamplers.0.conv"),
        ("output_blocks.2.1.conv", "up_blocks.0.upsamplers.0.conv"),
        ("input_blocks.3.0.op", "down_blocks.0.downsamplers.0.conv"),
    ],
)
def test_easily_confused_names(ldm: str, name: str) -> None:
    assert diffusers_name(f"{ldm}.weight") == f"{name}.weight"


@pytest.mark.parametrize("name", ["", "weight", "out.1.weight", "input_blocks.1.0.in_layers.1.weight", "middle_block.3.x.bias"])
def test_foreign_names_have_no_counterpart(name: str) -> None:
    assert diffusers_name(name) is None
