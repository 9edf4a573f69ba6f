"""One call of a procedure: what GIMP passed, as the windows and the runs without a window ask for it.

Does not know GIMP's return values, nor how a job is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import JobPlan, RefusedError
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.launch import remedy
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Failure
from gi.repository import Gimp

from . import canvas, jobs, pixels
from .commands import MenuCommand
from .host import StoppedError
from .values import form_of


@dataclass(frozen=True)
class ProcedureCall:
    """What GIMP passed to a procedure."""

    procedure: Gimp.Procedure
    command: MenuCommand
    run_mode: Gimp.RunMode
    image: Gimp.Image | None
    drawables: tuple[Gimp.Drawable, ...]
    config: Gimp.ProcedureConfig

    @property
    def interactive(self) -> bool:
        return bool(self.run_mode == Gimp.RunMode.INTERACTIVE)

    @property
    def from_script(self) -> bool:
        return bool(self.run_mode == Gimp.RunMode.NONINTERACTIVE)

    @property
    def layer(self) -> Gimp.Layer | None:
        """The layer that the call is about."""
        return canvas.active_layer(self.image, self.drawables) if self.image is not None else None

    def check(self) -> None:
        """Raise `RefusedError` when what was given does not fit together: no image, a layer of another one, several for one."""
        if self.image is None:
            if self.command.needs_layer:
                raise RefusedError(_("No image was given. Open one, select a layer and try again."))
            return
        for drawable in self.drawables:
            if drawable.get_image().get_id() != self.image.get_id():
                text = _("The layer {layer} belongs to {other}, not to {image}. Give a layer of the image that is given.")
                names = {"layer": drawable.get_name(), "other": drawable.get_image().get_name(), "image": self.image.get_name()}
                raise RefusedError(text.format(**names))
        given = canvas.layers_of_call(self.image, self.drawables)
        if self.command.needs_layer and len(given) > 1 and not (self.interactive and self.command.has_window):
            named = ", ".join(layer.get_name() for layer in given)
            text = _("{count} layers are selected: {layers}. “{command}” works on one: select that one alone.")
            raise RefusedError(text.format(count=len(given), layers=named, command=self.command.title))

    def value(self, name: str) -> Any:
        return self.config.get_property(name)

    def generate(
        self,
        editor_jobs: EditorJobs,
        image: Gimp.Image | None,
        layer: Gimp.Layer | None,
        above: Gimp.Layer | None,
        *,
        pictures: tuple[int, ...] | None = None,
        adapted: Callable[[Form], Form] = lambda form: form,
    ) -> PendingResult:
        """Start what a generating procedure generates, with the config's present values, on that image and layer.

        `adapted` may change what is asked for, as a style does.
        Of several candidates only those of the numbers `pictures` are put in; `None` puts in all of them, as a group.
        Raises `RefusedError`.
        """
        task = self.command.task
        assert task is not None
        form = form_of(self.config, self.command.names, task.name)
        if self.from_script:
            form = jobs.completed(form, canvas.attached(layer))
            jobs.check_size(form, image)
        form = adapted(form)
        plan = replace(jobs.generation(form, image, layer, above), pictures=pictures)
        return editor_jobs.generate(image, form, lambda: plan)


def from_history(
    job: str,
    task: str,
    image: Gimp.Image | None,
    above: Gimp.Layer | None,
    editor_jobs: EditorJobs,
    pictures: tuple[int, ...] | None = None,
    without: Sequence[int] = (),
) -> PendingResult:
    """Start inserting a finished job of the server's history above that layer: of several candidates those of the numbers
    `pictures`, for which its layers of the numbers `without` need not be sent. Raises `RefusedError`."""
    plan = JobPlan(format=pixels.wire_format(image), anchor=above, record={"task": task}, pictures=pictures)
    return editor_jobs.insert_again(job, image, lambda: plan, without=without)


def drawn_anew(layer: Gimp.Layer, form: Form, editor_jobs: EditorJobs) -> PendingResult:
    """Start making a new version of that layer, as the form says. Raises `RefusedError`."""
    image = layer.get_image()
    plan = jobs.generation(form, image, layer, layer)
    return editor_jobs.generate(image, form, lambda: plan)


def layers_of(result: PendingResult) -> list[Gimp.Layer]:
    """The new layers of a result that is over. Raises `StoppedError` if the person stopped it, else what went wrong."""
    if result.made is not None:
        return list(result.made)
    if result.error is not None:
        raise result.error
    if result.status.stopping:
        raise StoppedError
    failure = result.failure
    raise RefusedError(told(failure) if failure is not None else _("The server ended the job without saying why. Try again."))


def told(failure: Failure) -> str:
    """What happened and what to do, with the command of this installation where a server has to be started."""
    return explained(replace(failure, hint=remedy("gimp")) if failure.code == "no-server" else failure)
