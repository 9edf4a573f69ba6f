"""How large a picture will be drawn, before it is asked for. Knows the form and what the server offers."""

from __future__ import annotations

from acetate.protocol import Box, Drawn
from acetate.vocabulary.working_sizes import Fit

from ..form import Form
from ..forms.offers import Offers
from ..tasks import BY_NAME

ENLARGING = next(name for name, task in BY_NAME.items() if task.enlarges)
"""The task that draws larger."""


def expected_size(offers: Offers, form: Form, box: Box) -> Drawn | None:
    """How large the form's picture will be drawn that fills `box`; `None` where nothing is drawn, where the part to be drawn
    depends on a selection's shape, or where the server does not say."""
    task, sizes = form.about, offers.model(form.model).sizes
    if sizes is None or task.enlarges or task.masked:
        return None
    fit: Fit = "cover" if task.from_nothing else "contain"
    return sizes.drawn(box.width, box.height, fit)


def can_sharpen(offers: Offers) -> bool:
    """Whether an enlarged picture can be drawn anew at its full size: by a model that redraws, or an upscaling network."""
    return bool(offers.upscalers) or any(model.family not in ("sketchpad", "fake") for model in offers.models.values())


def sharpening(offers: Offers, form: Form, prompt: str) -> Form:
    """The form that draws an enlarged layer anew at its full size, as well as this server can."""
    upscaler = next(iter(offers.upscalers), "")
    return Form(task=ENLARGING, prompt=prompt, model=form.model, scale=1.0, upscaler=upscaler, original=form.original)
