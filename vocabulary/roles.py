"""The layers of a picture by their role, and the pictures that a request may bring."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["foreground", "background", "blended"]
"""What a layer is in its picture; `blended` is the picture of both together."""
ROLES: tuple[Role, ...] = get_args(Role)

Given = Literal["source", "mask", "foreground", "background", "blended", "references"]
GIVEN: tuple[Given, ...] = get_args(Given)
"""What a request may bring: the layer that is worked on, what of it may change, layers that the result is made to fit, and others
that the prompt speaks of."""

PICTURES: tuple[Given, ...] = tuple(name for name in GIVEN if name not in ("mask", "references"))
"""The single pictures with colour. The first of those that are given says where on the canvas the result belongs."""

MOST_REFERENCES = 9
"""Pictures beside the layer that is worked on: the models that read them have learnt ten together."""
