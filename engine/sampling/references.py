"""What a model with a memory is shown of a request: its own drawing, or the layer that is to be changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from acetate.vocabulary.tasks import TASKS
from torch import Tensor

from ..models.model import Model
from ..models.patch_codec import PatchCodec
from ..prompt_language.emphasis import fragments
from ..prompt_language.schedules import at_step, split_composed
from ..values.request import Picture, Request


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


def shown(model: Model, request: Request, start: Tensor | None) -> Shown:
    """What `model` is shown of `request`; `start` are the latents of the layer that is changed, where one is."""
    if model.recall is None or not isinstance(model.codec, PatchCodec):
        return Shown()
    if TASKS[request.task].keeps_size and start is not None:
        return Shown(start)
    found = model.recall.reference(plain(request.prompt_of("foreground")), request.seed)
    latents = model.codec.encode_premultiplied(found.picture.to(model.device))
    known = 1.0 if found.names else 0.0  # as in training, where a forgotten reference is zeros
    return Shown(latents * known, found.names, model.recall.remarks(found.understood))


def plain(prompt: str) -> str:
    """The words of a prompt, as they stand at its end, without emphasis: of several that `AND` joins, all."""
    texts = (at_step(one.text, 1, 1) for one in split_composed(prompt))
    return ", ".join("".join(text for text, _ in fragments(text)) for text in texts)
