"""Check a request before anything is loaded: every refusal names the value and says what would be right.

What can be told without pixels is the vocabulary's verdict, as on the wire; the pictures themselves are checked here.
"""

from __future__ import annotations

from acetate.raster import RGBA
from acetate.vocabulary.parameters import LARGEST_SIDE, values_of
from acetate.vocabulary.roles import GIVEN, MOST_REFERENCES, PICTURES
from acetate.vocabulary.verdict import complaint, given_among

from .values.errors import BadRequest
from .values.request import Request


def check(request: Request) -> None:
    """Raise `BadRequest` for the first mistake in `request`."""
    given = given_among({name: getattr(request, name) for name in GIVEN})
    if wrong := complaint(request.task, values_of(request), given, paths=True):
        raise BadRequest(wrong.message, wrong.hint)
    for name in PICTURES:
        _check_picture(name, getattr(request, name))
    for reference in request.references:
        _check_picture("a reference", reference)
    if len(request.references) > MOST_REFERENCES:
        raise BadRequest(f"{len(request.references)} reference pictures were given; at most {MOST_REFERENCES} are taken")
    _check_depth(request)
    if request.mask is not None:
        _check_mask(request)


def _check_picture(name: str, picture: RGBA | None) -> None:
    if picture is None:
        return
    if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != "uint8":
        raise BadRequest(f"{name} is {picture.dtype} of shape {picture.shape}; it must be uint8 of shape (height, width, 4)")
    if min(picture.shape[:2]) < 1 or max(picture.shape[:2]) > LARGEST_SIDE:
        raise BadRequest(f"{name} is {picture.shape[1]} x {picture.shape[0]} pixels; each side must be 1 to {LARGEST_SIDE}")


def _check_depth(request: Request) -> None:
    deep = request.deep_source
    if deep is None:
        return
    if request.source is None or deep.shape != request.source.shape or deep.dtype not in ("uint16", "float32"):
        raise BadRequest(f"deep_source is {deep.dtype} of shape {deep.shape}; it must be uint16 or float32 of the source's shape")


def _check_mask(request: Request) -> None:
    assert request.source is not None
    assert request.mask is not None
    if request.mask.shape != request.source.shape[:2]:
        height, width = request.source.shape[:2]
        raise BadRequest(f"the mask's shape is {request.mask.shape}; it must be that of the source, {(height, width)}")
    if not request.mask.any():
        raise BadRequest("the mask is empty: nothing is selected", "select what may change")
