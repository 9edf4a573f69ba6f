"""Whether a model or LoRA was distilled to few steps, by evidence: keys, a schedule, metadata, and only then the file's name.

Knows headers and configurations; knows no sampler: what is found is a word that `families.few_steps` understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..families.base import Header
from ..families.few_steps import few_steps_of
from .prediction import Prediction

CAUTION = "distilled models (few steps) give poor transparency; an ordinary checkpoint is better"

_GUIDANCE = ("time_embed.cond_proj.weight", "time_embedding.cond_proj.weight")
"""Ends of the name of a layer that only consistency models have: guidance is an input of theirs."""
_SCHEDULERS = {"LCMScheduler": "LCM", "TCDScheduler": "TCD"}
"""diffusers' classes that sample distilled models alone."""
_TITLES = ("modelspec.title", "ss_output_name")
"""Where metadata name the model, which a renamed file keeps."""


def of_file(header: Header, name: str) -> str:
    """How the checkpoint or LoRA with this header was distilled; empty for an ordinary one."""
    if any(key.endswith(_GUIDANCE) for key in header.tensors):
        return "LCM"
    return _first(*(str(header.metadata.get(title, "")) for title in _TITLES), name)


def of_folder(scheduler: Mapping[str, Any], unet: Mapping[str, Any], prediction: Prediction, name: str) -> str:
    """As `of_file`, for the configurations of a diffusers folder."""
    sampler = scheduler.get("_class_name")
    if unet.get("time_cond_proj_dim"):
        return "LCM"
    if sampler in _SCHEDULERS:
        return _SCHEDULERS[sampler]
    trailing = scheduler.get("timestep_spacing") == "trailing" and prediction.predicts == "epsilon"
    if trailing and sampler == "EulerAncestralDiscreteScheduler":
        return "Turbo"
    return _first(name)


def _first(*names: str) -> str:
    return next(filter(few_steps_of, names), "")
