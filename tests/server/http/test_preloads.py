"""A model of `--preload` that is not there is said on the terminal, once, as soon as an engine says what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.server.http.preloads import Preloads

DESCRIPTION = {"models": [{"name": "sketchpad"}, {"name": "painter"}]}


def test_a_model_that_is_not_there_is_named_with_those_that_are(caplog: pytest.LogCaptureFixture) -> None:
    preloads = Preloads(["sketchpad", "nope"])
    preloads.check(DESCRIPTION)
    preloads.check(DESCRIPTION)  # another device's engine, or the same again
    (said,) = caplog.records
    assert said.levelname == "WARNING" and vars(said)["reason"] == "--preload nope: no such model; there are painter, sketchpad"


def test_a_file_is_left_to_the_engine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "my.safetensors").touch()
    Preloads([str(tmp_path / "my.safetensors")]).check(DESCRIPTION)
    assert not caplog.records


def test_without_models_there_are_none(caplog: pytest.LogCaptureFixture) -> None:
    Preloads(["nope"]).check({})
    assert "there are none" in vars(caplog.records[0])["reason"]
