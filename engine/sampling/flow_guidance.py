"""A native-RGBA model with its prompt and guidance, as the one function that the flow's loop calls."""

from __future__ import annotations

from functools import partial
from typing import cast

from acetate.vocabulary.roles import Role
from torch import Tensor

from ..families import NativeFamily
from ..models.model import Model
from ..native_rgba.prefix import PrefixedTransformer
from ..native_rgba.qwen_text import QwenText
from ..native_rgba.references import References
from ..values.recipes import Recipe
from ..values.request import Request

EMPTY = " "
"""What guidance leads away from where no negative prompt is given: these encoders have nothing to read in an empty one."""
NONE = References()


class GuidedFlow:
    """Guidance with a transformer that keeps what comes before the picture; one call for each side, each with its own prefix."""

    def __init__(
        self, model: Model, recipe: Recipe, request: Request, guidance_scale: float, references: References = NONE
    ) -> None:
        self.model, self.guidance_scale = model, guidance_scale
        (role,) = recipe.frames
        assert isinstance(model.family, NativeFamily)
        prompts = [wrapped(model.family, recipe, request, role)]
        if guidance_scale != 1:
            prompts.append(request.negative_prompt or EMPTY)
        encode = partial(cast(QwenText, model.text).encode, pictures=references.pictures)
        texts = [model.memory.attempt("text", partial(encode, [words])) for words in prompts]
        self.sides = [PrefixedTransformer(model.unet, text, references.latents, model.device, model.dtype) for text in texts]

    def predict(self, sample: Tensor, sigma: float, index: int) -> Tensor:
        """The guided velocity for `(1, C, h, w)`."""
        return self.model.memory.attempt("denoise", lambda: self._guide(sample, sigma))

    def _guide(self, sample: Tensor, sigma: float) -> Tensor:
        towards, *away = [side.velocity(sample, sigma) for side in self.sides]
        return away[0] + self.guidance_scale * (towards - away[0]) if away else towards


def wrapped(family: NativeFamily, recipe: Recipe, request: Request, role: Role) -> str:
    """The prompt of a layer, in the words of its recipe and in those that ask for transparency, where these are wanted."""
    prompt = recipe.words.format(request.prompt_of(role) or recipe.unsaid)
    return family.asking.format(prompt.strip().rstrip(".")) if wants_transparency(request, recipe) else prompt


def wants_transparency(request: Request, recipe: Recipe) -> bool:
    """Whether the model is asked for a transparent layer: by itself for a new one and for a cut-out, and to change such a one."""
    if recipe.sees and not recipe.transparent:
        return False
    if request.wrap != "auto" or not recipe.transparent:
        return request.wrap == "on"
    source = request.source if recipe.sees and not recipe.cuts_out else None
    return source is None or int(source[..., 3].min()) < 255
