"""What a model's network predicts and at which noise levels it was trained, by evidence: keys, metadata, a YAML beside the file.

Knows headers and configurations; knows no file, no sampler. A file's name is no evidence, only worth a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..families.base import Header

Predicts = Literal["epsilon", "v", "edm"]
PREDICTIONS: tuple[Predicts, ...] = ("epsilon", "v", "edm")
"""What a person may say that a model predicts: noise, velocity, or velocity at EDM's levels (CosXL)."""

EDM_LEVELS = (0.002, 120.0)
"""CosXL's lowest and highest level, where its file states none."""
GUIDANCE_RESCALE = 0.7
"""How far guidance is brought back to the spread of the prompt's prediction, at zero terminal SNR (Lin et al. 2024, 3.4)."""

_VELOCITY = re.compile(r"v|v[-_ ]?pred(?:iction)?|velocity", re.IGNORECASE)
_NOISE = re.compile(r"eps(?:ilon)?", re.IGNORECASE)
_NAMED = re.compile(r"(?<![a-z])v[-_ ]?pred(?![a-z])|vpred(?![a-z])", re.IGNORECASE)
_NAMED_NOT = re.compile(r"\b(?:no|non|not|un)[-_ ]?v[-_ ]?pred|eps", re.IGNORECASE)


@dataclass(frozen=True)
class Prediction:
    """How a network was trained."""

    predicts: Predicts = "epsilon"
    zero_snr: bool = False
    """Its noisiest level has no signal left."""
    unusual: str = ""
    """Why no sampler here can run it; empty where one can."""
    doubt: str = ""
    """What is noted of it and means nothing here, as the beginning of a sentence; empty where all is understood."""

    @property
    def said(self) -> str:
        """Words after the model's name; empty for an ordinary one."""
        if self.predicts == "edm":
            return " with EDM v-prediction (CosXL)"
        if self.predicts == "v":
            return " with v-prediction" + (" and zero terminal SNR" if self.zero_snr else "")
        return ""


def of_checkpoint(header: Header, beside: Mapping[str, Any]) -> Prediction:
    """What a checkpoint's keys and metadata say, or else the YAML `beside` it."""
    keys, noted = header.tensors.keys(), header.metadata
    zero = "ztsnr" in keys or _true(noted.get("ss_zero_terminal_snr"))
    if "edm_mean" in keys:
        return Prediction(unusual="its latents are normalised in its own way, which neither VAE nor LayerDiffuse knows")
    if any(key.startswith("edm_vpred.") for key in keys):
        return Prediction("edm")
    if "v_pred" in keys:
        return Prediction("v", zero)
    told = str(noted.get("modelspec.prediction_type", "")).strip()
    if _VELOCITY.fullmatch(told) or _true(noted.get("ss_v_parameterization")):
        return Prediction("v", zero)
    if _NOISE.fullmatch(told):
        return Prediction()
    found = _of_yaml(beside, zero)
    if told and found.predicts == "epsilon":
        return replace(found, doubt=f"its metadata say that it predicts {told!r}, which means nothing here")
    return found


def of_scheduler(config: Mapping[str, Any]) -> Prediction:
    """What the scheduler's configuration in a diffusers folder says."""
    told, zero = config.get("prediction_type", "epsilon"), bool(config.get("rescale_betas_zero_snr"))
    if "sigma_data" in config:
        if config["sigma_data"] == 1 and told == "v_prediction":
            return Prediction("edm")
        return Prediction(unusual=f"it has EDM's preconditioning with sigma_data {config['sigma_data']} and predicts {told}")
    if told not in ("epsilon", "v_prediction"):
        return Prediction(unusual=f"it predicts {told}; what predicts epsilon or v_prediction can be run")
    return Prediction("v" if told == "v_prediction" else "epsilon", zero)


def doubt_of(name: str, prediction: Prediction) -> str:
    """What a person should look at where metadata say something unknown, or the name v-prediction and nothing in the file."""
    plain = name.replace("_", " ")
    by_name = prediction.predicts == "epsilon" and _NAMED.search(plain) and not _NAMED_NOT.search(plain)
    why = prediction.doubt or ("its name says v-prediction, but nothing in the file" if by_name else "")
    return f"{why}; if pictures are noise: acetate models set {name} --prediction v" if why else ""


def schedule(config: Mapping[str, Any], prediction: Prediction, levels: tuple[float, float] = EDM_LEVELS) -> dict[str, Any]:
    """The scheduler's configuration `config`, in diffusers' words, for a model that predicts so; `levels` are EDM's."""
    settings = dict(config)
    settings["prediction_type"] = "epsilon" if prediction.predicts == "epsilon" else "v_prediction"
    settings["rescale_betas_zero_snr"] = prediction.zero_snr
    if prediction.predicts == "edm":
        settings |= {"sigma_data": 1.0, "sigma_min": levels[0], "sigma_max": levels[1]}
    return settings


def guidance_rescale(config: Mapping[str, Any]) -> float:
    """The share of rescaled guidance for a model with this scheduler's configuration."""
    velocity = config.get("prediction_type") == "v_prediction"
    return GUIDANCE_RESCALE if velocity and config.get("rescale_betas_zero_snr") else 0.0


def _of_yaml(beside: Mapping[str, Any], zero: bool) -> Prediction:
    words = {(key, str(value)) for key, value in _leaves(beside) if value is not None}
    targets = " ".join(value for key, value in words if key == "target")
    zero = zero or "ZeroSNR" in targets or any(re.search("zero_?(?:terminal_)?snr|zsnr", k) and _true(v) for k, v in words)
    if "VScalingWithEDMcNoise" in targets:
        return Prediction("edm")
    told = next((value for key, value in words if key in ("parameterization", "prediction_type")), "")
    if _VELOCITY.fullmatch(told) or ".VScaling" in targets:
        return Prediction("v", zero)
    known = not told or _NOISE.fullmatch(told)
    return Prediction(doubt="" if known else f"the YAML beside it says that it predicts {told!r}, which means nothing here")


def _leaves(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and depth < 20:
        for name, inner in value.items():
            yield from _leaves(inner, str(name), depth + 1)
    elif not isinstance(value, (Mapping, list)):
        yield key, value


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "1", "yes")
