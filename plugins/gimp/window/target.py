"""What the window works on: an image, its layer, what is selected. It follows the person from image to image until told not to.

GIMP tells a running plug-in nothing about what a person does, so this looks. Knows no widget and no job.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass

from acetate.plugins.bridge.translations import _
from acetate.protocol import Box
from acetate.vocabulary.tasks import Task
from gi.repository import Gimp

from .. import canvas
from .image_titles import titled_image


@dataclass(frozen=True)
class Seen:
    """One look at an image: enough to tell whether the person has done anything there."""

    name: str
    canvas: Box
    selection: Box | None
    layers: tuple[int, ...]
    """The ids of the selected layers, the topmost first."""
    boxes: tuple[Box, ...]
    """The boxes of these layers."""
    names: tuple[str, ...]


class Target:
    """`look` now and then; read the rest."""

    def __init__(self, image: Gimp.Image | None, jobs: Collection[str]) -> None:
        """`jobs` are those whose results this window puts in."""
        self.image, self._jobs = image, jobs
        self.keeps = False
        """Whether to stay with this image whatever the person turns to."""
        self.layer: Gimp.Layer | None = None
        """The layer that is meant; `None` as well when several are selected and none of them was chosen."""
        self.seen: dict[int, Seen] = {}
        """All open images by their ids, the newest first."""
        self._inserted: tuple[int, ...] = ()
        """The layers that are selected because a result was inserted, and not by the person."""
        self._known: set[int] = set()
        """The layers that were selected so once: when they are again, the person has done it."""
        self._chosen: int | None = None
        self.look()

    @property
    def now(self) -> Seen | None:
        """The image as it was at the last look."""
        return self.seen.get(self.image.get_id()) if self.image is not None else None

    @property
    def candidates(self) -> list[Gimp.Layer]:
        """The selected layers of which one has to be chosen; empty when it is clear which one is meant."""
        now = self.now
        several = now is not None and len(now.layers) > 1 and now.layers != self._inserted
        return [Gimp.Layer.get_by_id(layer) for layer in now.layers] if several and now is not None else []

    @property
    def anchor(self) -> Gimp.Layer | None:
        """The layer that a result goes above: the topmost selected one, even when it is a result itself."""
        now = self.now
        return Gimp.Layer.get_by_id(now.layers[0]) if now is not None and now.layers else None

    def lack(self, task: Task) -> str:
        """What a person has to do here before this task can be asked for; empty when nothing."""
        if task.takes is None:
            return ""
        if self.image is None:
            return _("Open an image first")
        if self.layer is None:
            return _("Choose which layer is meant") if self.candidates else _("Select a layer first")
        if task.masked and self.now is not None and self.now.selection is None:
            return _("Select the part that may change")
        return ""

    def look(self) -> bool:
        """See which image is active and what is selected in it; returns whether anything is different from the last time."""
        before, image = self.seen, self.image
        self.seen = _look_at_all()
        if self.image is None or not self.image.is_valid() or not self.keeps:
            self.image = self._active(before)
        if self.image is not image:
            self._inserted, self._chosen, self.layer = (), None, None
        layer = self.layer
        self.layer = self._meant()
        return self.seen != before or self.image is not image or self.layer is not layer

    def keep_to(self, image: Gimp.Image) -> None:
        """Work on this image from now on, also when the person turns to another."""
        self.keeps = True
        self.turn_to(image)

    def turn_to(self, image: Gimp.Image) -> None:
        """Work on this image, until the person turns to another."""
        self.image = image
        self._inserted, self._chosen, self.layer = (), None, None
        self.seen = _look_at_all()
        self.layer = self._meant()

    def take_up(self, image: Gimp.Image) -> None:
        """A result has come into this image: where there was none, it is the one to go on with."""
        if self.image is None:
            self.turn_to(image)
        else:
            self.look()

    def choose(self, layer: Gimp.Layer) -> None:
        """Of several selected layers this one is meant."""
        self._chosen = layer.get_id()
        self.look()

    def _active(self, before: dict[int, Seen]) -> Gimp.Image | None:
        """The image whose window says so; where windows cannot be read, the one in which something was done since."""
        shown = titled_image(self.seen)
        if shown is None:
            changed = [one for one, seen in self.seen.items() if before and before.get(one) != seen]
            present = self.image.get_id() if self.image is not None and self.image.is_valid() else None
            shown = changed[0] if changed else present if present in self.seen else next(iter(self.seen), None)
        return Gimp.Image.get_by_id(shown) if shown is not None else None

    def _meant(self) -> Gimp.Layer | None:
        now = self.now
        if now is None or not now.layers:
            return None
        if now.layers == self._inserted or self._has_just_come(now.layers):
            self._inserted = now.layers
            if self.layer is not None and self.layer.is_valid():
                return self.layer
        else:
            self._inserted = ()
        if self._chosen not in now.layers:
            self._chosen = None
        found = now.layers[0] if len(now.layers) == 1 else self._chosen
        return Gimp.Layer.get_by_id(found) if found is not None else None

    def _has_just_come(self, layers: tuple[int, ...]) -> bool:
        """Whether a result of this window was put in, which GIMP then has selected: trying again is about the layer before."""
        if len(layers) != 1 or layers[0] in self._known:
            return False
        if canvas.attached(Gimp.Layer.get_by_id(layers[0])).get("job") not in self._jobs:
            return False
        self._known.add(layers[0])
        return True


def _look_at_all() -> dict[int, Seen]:
    """All images that are open; one that a person closes between two of the questions is none of them."""
    found = {}
    for image in Gimp.get_images():
        with contextlib.suppress(TypeError):  # GIMP answers nothing about an image that is gone
            found[image.get_id()] = _look_at(image)
    return {image: seen for image, seen in found.items() if Gimp.Image.id_is_valid(image)}


def _look_at(image: Gimp.Image) -> Seen:
    layers = list(image.get_selected_layers())
    return Seen(
        name=image.get_name(),
        canvas=canvas.canvas_box(image),
        selection=canvas.selection_box(image),
        layers=tuple(layer.get_id() for layer in layers),
        boxes=tuple(canvas.box_of(layer) for layer in layers),
        names=tuple(layer.get_name() for layer in layers),
    )
