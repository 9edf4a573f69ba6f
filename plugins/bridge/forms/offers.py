"""What the server's engine offers for an artist to choose: models with their own values, LoRAs, embeddings. Knows no widget.

A value that a form leaves out is the model's own. It is shown as such, and neither kept nor sent: another model has another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from acetate.protocol import Engine
from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import NativeSizes

from ..form import Form
from ..translations import _


@dataclass(frozen=True)
class Model:
    """A model of the server."""

    name: str
    title: str
    family: str = ""
    width: int = 0
    height: int = 0
    """The size that it draws by itself, in pixels; 0 where the server does not say."""
    tasks: frozenset[str] | None = None
    """What it can do; `None` where the server does not say, which counts as everything."""
    sizes: NativeSizes | None = None
    """The sizes that it draws well; `None` where the server does not say."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """The values of what a request leaves out, by the parameters' names."""
    idle: Mapping[str, Collection[str]] = field(default_factory=dict)
    """For each task, the parameters that would change nothing."""

    def can(self, task: str) -> bool:
        return self.tasks is None or task in self.tasks

    def heeds(self, task: str, parameter: str) -> bool:
        """Whether a parameter changes anything for a task that this model does."""
        return parameter in TASKS[task].parameters and parameter not in self.idle.get(task, ())


@dataclass(frozen=True)
class Addition:
    """A LoRA or an embedding of the server's library."""

    name: str
    family: str = ""
    """The base models that it is for; empty where the file does not tell."""
    what: str = ""
    """Words for a tool tip, such as `a LoRA for SDXL`."""
    problem: str = ""
    """Why it cannot be used; empty where it can."""
    caution: str = ""
    triggers: tuple[str, ...] = ()
    """Words that it was trained to answer to, as the file says."""
    preview: bool = False
    """Whether a picture lies beside the file."""

    def suits(self, model: Model) -> bool:
        return not self.problem and (not self.family or not model.family or self.family == model.family)


NOBODY = Model("", "")
"""A model of which nothing is known: it can do everything, and has no values of its own that could be shown."""


class Offers:
    """What an `Engine` message says; nothing at all before one has come."""

    def __init__(self, engine: Engine | None = None) -> None:
        found = engine if engine is not None else Engine("starting")
        families = _table(found.details.get("families"))
        self.models: Mapping[str, Model] = {
            one.name: one for one in (_model(said, families) for said in found.models) if one.name
        }
        self.default = _default_name(found.tasks) or next(iter(self.models), "")
        """The name of the model that draws when none is chosen."""
        self.loras, self.embeddings = (_additions(found.details.get(kind)) for kind in ("loras", "embeddings"))
        self.schedulers, self.spacings, self.upscalers = (
            tuple(map(str, found.details.get(kind) or ())) for kind in ("schedulers", "spacings", "upscalers")
        )

    def model(self, name: str) -> Model:
        """The model of that name, the default one for an empty name; one that can do everything where it is not known."""
        return self.models.get(name or self.default, NOBODY)

    @property
    def default_label(self) -> str:
        """What a list calls the choice of no model: which one that is."""
        title = self.model("").title
        return _("Default model ({name})").format(name=title) if title else _("Default model")

    def own_label(self, model: str, parameter: str) -> str:
        """What a field shows that is left to the model: `model's own (20)`."""
        value = self.model(model).own.get(parameter)
        return _("Model's own") if value is None else _("Model's own ({value})").format(value=shown(value))

    def chosen(self, made_with: Mapping[str, Any]) -> dict[str, Any]:
        """Of the parameters that made a layer, those that the model would not take by itself: the rest was nobody's choice."""
        model = self.model(str(made_with.get("model") or ""))
        chosen = {name: value for name, value in made_with.items() if value != model.own.get(name, _NOTHING)}
        if made_with.get("model") == self.default:
            del chosen["model"]
        return chosen

    def suited(self, form: Form) -> Form:
        """The form without what would change nothing with its model and task, which a server refuses."""
        model = self.model(form.model)
        idle = {name: PARAMETERS[name].default for name in model.idle.get(form.task, ()) if hasattr(form, name)}
        fitting = tuple(one for one in form.loras if self.lora_suits(one[0], form.model))
        return replace(form, **{"loras": fitting, **idle})

    def lora_suits(self, name: str, model: str) -> bool:
        """Whether a LoRA can be used with a model; one that the server does not list is left to the server's judgement."""
        known = self.loras.get(name)
        return known is None or known.suits(self.model(model))

    def of(self, additions: Mapping[str, Addition], model: str) -> list[Addition]:
        """The LoRAs or embeddings that can be used with a model."""
        return [one for one in additions.values() if one.suits(self.model(model))]


_NOTHING = object()


def shown(value: Any) -> str:
    """A value as a field writes it: `3` rather than `3.0`."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _model(said: Mapping[str, Any], families: Mapping[str, Any]) -> Model:
    name, family = str(said.get("name") or ""), str(said.get("family") or "")
    tasks, about = said.get("tasks"), _table(families.get(family))
    return Model(
        name=name,
        title=str(said.get("title") or name),
        family=family,
        width=_pixels(said.get("width")),
        height=_pixels(said.get("height")),
        tasks=frozenset(map(str, tasks)) if isinstance(tasks, Sequence) else None,
        sizes=_sizes(said.get("sizes")),
        own=_table(about.get("defaults")),
        idle={task: tuple(names) for task, names in _table(about.get("idle")).items() if isinstance(names, Sequence)},
    )


def _sizes(said: Any) -> NativeSizes | None:
    try:
        return NativeSizes(**said) if isinstance(said, Mapping) else None
    except TypeError:  # a newer server says more
        return None


def _additions(said: Any) -> dict[str, Addition]:
    rows = [row for row in said if isinstance(row, Mapping) and row.get("name")] if isinstance(said, Sequence) else []
    return {str(row["name"]): _addition(row) for row in rows}


def _addition(row: Mapping[str, Any]) -> Addition:
    texts = {name: str(row.get(name) or "") for name in ("name", "family", "what", "problem", "caution")}
    triggers = row.get("triggers")
    words = tuple(map(str, triggers)) if isinstance(triggers, Sequence) and not isinstance(triggers, str) else ()
    return Addition(**texts, triggers=words, preview=row.get("preview") is True)


def _default_name(tasks: Mapping[str, Any]) -> str:
    named = (_table(_table(task).get("parameters")).get("model") for task in tasks.values())
    return next((name for name in named if isinstance(name, str)), "")


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _pixels(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
