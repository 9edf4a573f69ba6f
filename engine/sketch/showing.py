"""What a model with a memory is shown of a request: its own drawing, or the layer that is to be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from acetate.raster import RGBA, to_u8, unpremultiply
from acetate.vocabulary.tasks import TASKS
from torch import Tensor

from ..families import SKETCHPAD
from ..prompt_language.emphasis import fragments
from ..prompt_language.schedules import at_step, split_composed
from ..values.request import Picture, Request
from .recall import Recall


@dataclass(frozen=True)
class Shown:
    """A reference, and what is said of it."""

    latents: Tensor | None = None
    """`(1, C, h, w)` in sampling space; none for a model without a memory."""
    names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def noted(self, picture: Picture) -> Picture:
        """The picture with the reference among its parameters, and the words that were not known among its warnings."""
        if not self.names and not self.remarks:
            return picture
        parameters = {**picture.parameters, **({"reference": ", ".join(self.names)} if self.names else {})}
        return replace(picture, parameters=parameters, warnings=(*self.remarks, *picture.warnings))


def shown(recall: Recall | None, request: Request, start: Tensor | None, encode: Callable[[RGBA], Tensor]) -> Shown:
    """What is shown of `request`: `start`, the latents `(1, C, h, w)` of the layer that is changed, or what `recall` finds.

    `encode` makes such latents of `(H, W, 4)` straight.
    """
    if recall is None:
        return Shown()
    if TASKS[request.task].keeps_size and start is not None:
        return Shown(start)
    found = recall.reference(plain(request.prompt_of("foreground")), request.seed)
    known = 1.0 if found.names else 0.0  # as in training, where a forgotten reference is zeros
    return Shown(
        encode(to_u8(unpremultiply(found.picture[0].permute(1, 2, 0).numpy()))) * known,
        found.names,
        remarks(recall, found.understood.unknown),
    )


def remarks(recall: Recall, unknown: Sequence[str]) -> tuple[str, ...]:
    """What a person should know of the words that mean nothing to a model."""
    if not unknown:
        return ()
    model = SKETCHPAD.name
    words, nearest = ", ".join(f"'{word}'" for word in unknown[:3]), ", ".join(recall.nearest(unknown[0]))
    if not nearest:
        return (f"{model} does not know {words}. For anything else choose or get a model.",)
    return (f"{model} does not know {words}; nearest: {nearest}. For anything else choose or get a model.",)


def plain(prompt: str) -> str:
    """The words of a prompt, as they stand at its end, without emphasis: of several that `AND` joins, all."""
    texts = (at_step(one.text, 1, 1) for one in split_composed(prompt))
    return ", ".join("".join(text for text, _ in fragments(text)) for text in texts)
