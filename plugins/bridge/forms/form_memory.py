"""Which form belongs to which document and task, and what in it was filled in by the program. Knows no widget and no document.

Every document has a form for each of its tasks. The first time that one is shown it begins with what is there, so that nothing
typed is lost; from then on it has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from acetate.vocabulary.tasks import TASKS

from ..form import WORDS, Form, with_words_of

_TYPED = ("prompt", "negative_prompt")
_UNSET = Form()


def _begun(form: Form, task: str) -> Form:
    """The form of another task, with its own strength where nobody has chosen one."""
    own = TASKS[task].strength if form.strength == TASKS[form.task].strength else form.strength
    return replace(form, task=task, strength=own)


@dataclass
class _Kept:
    form: Form
    given: dict[str, Any] = field(default_factory=dict)
    """By field: what a layer has brought, or what was used. An artist who sees another value there has chosen it."""


class FormMemory:
    """The forms of all documents, by any key that tells documents apart."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, _Kept]] = {}
        self._last: dict[str, str] = {}
        """The task that a document showed last."""

    def knows(self, document: str) -> bool:
        return document in self._last

    def learn(self, document: str, forms: Iterable[Form]) -> None:
        """Take in the forms that a document brings from an earlier time, the last one being what it shows."""
        for form in forms:
            self.keep(document, form)
            self.used(document, form)

    def keep(self, document: str, form: Form) -> None:
        """Keep what is in the fields now."""
        self._entry(document, form).form = form
        self._last[document] = form.task

    def form(self, document: str, present: Form, task: str = "") -> Form:
        """What the document shows for the task, or for the one that it showed last.

        One that has none yet begins with `present`, which is shown now, and with its task unless another is named.
        """
        task = task or self._last.get(document, present.task)
        found = self._kept.get(document, {}).get(task)
        if found is None:
            given = self._kept.get(document, {}).get(self._last.get(document, ""), _Kept(present)).given
            found = self._kept.setdefault(document, {})[task] = _Kept(_begun(present, task), dict(given))
        self._last[document] = task
        return found.form

    def used(self, document: str, form: Form) -> None:
        """The form was used: its words are kept in the history, and those of a layer may take their place."""
        self._entry(document, form).given |= {name: getattr(form, name) for name in _TYPED}

    def following(self, document: str, form: Form, made_with: Mapping[str, Any]) -> Form:
        """The form with what made another layer, in the fields where the artist has chosen nothing else since."""
        kept, wanted = self._entry(document, form), with_words_of(made_with, form)
        free = [name for name in WORDS if self._is_free(form, kept.given, name)]
        kept.given |= {name: getattr(wanted, name) for name in free}
        return replace(form, **{name: getattr(wanted, name) for name in free})

    def chosen(self, document: str, form: Form) -> Form:
        """The form without the settings that a layer brought: what may be kept for other documents."""
        given = self._entry(document, form).given
        brought = [name for name in WORDS if name not in _TYPED and name in given and getattr(form, name) == given[name]]
        return replace(form, **{name: getattr(_UNSET, name) for name in brought})

    def _entry(self, document: str, form: Form) -> _Kept:
        return self._kept.setdefault(document, {}).setdefault(form.task, _Kept(form))

    @staticmethod
    def _is_free(form: Form, given: Mapping[str, Any], name: str) -> bool:
        value = getattr(form, name)
        blank = not value.strip() if isinstance(value, str) else value == getattr(_UNSET, name)
        return blank or (name in given and value == given[name])
