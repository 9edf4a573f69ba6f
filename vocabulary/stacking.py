"""One stacking order for what a job makes: names, groups, what lies above what, what is shown.

Within a picture the background lies lowest, the foreground above it, and the blended picture, which is there to compare with, on
top; several layers of a picture share a group. Several candidates share a group too: the first lies on top and is shown, the
others are hidden below it. Files of the command line, messages and exports of the server and layers in an editor are all arranged
here. Knows no pixels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .names import Label

LayerT = TypeVar("LayerT")
NodeT = TypeVar("NodeT")

BOTTOM_UP = ("background", "foreground", "blended")
"""The roles of layers as they lie above each other."""
NAME_CHARACTERS = 60
_SEED = re.compile(r" \(\d+\)$")
"""The seed at the end of a layer's name."""


@dataclass(frozen=True)
class Group:
    """A group that a layer lies in. Layers with the same `id` in one job share it."""

    id: str
    name: Label
    visible: bool = True
    opacity: float = 1.0
    blend_mode: str = "normal"


@dataclass(frozen=True)
class StackPosition:
    """Where a layer goes in the stack of its job."""

    name: str
    name_alone: str
    """The layer's name where it goes without its group."""
    order: int
    """The layer's place among those of the job; 0 is the lowest."""
    groups: tuple[Group, ...]
    """The groups that the layer lies in, outermost first."""
    visible: bool


def candidates_group(job: str) -> str:
    """The id of the group that all candidates of a job share."""
    return f"{job}-candidates"


@dataclass(frozen=True)
class Stacking:
    """How the pictures of one request are arranged."""

    task: str
    prompt: str
    makes: tuple[str, ...]
    """The roles of the layers that one picture has."""
    count: int = 1
    """How many candidates there are."""
    original: str = ""
    """The name of the layer that the result is a larger version of."""
    job: str = ""

    def position(self, role: str, candidate: int, seed: int | None, *, reference: bool = False) -> StackPosition:
        """The place of one layer. `candidate` counts from 0; `seed` is `None` where none was used: for an enlargement.

        A `reference` is never shown.
        """
        several = len(self.makes) > 1
        name = self.picture_name(seed)
        groups: tuple[Group, ...] = (Group(candidates_group(self.job), self.title),) if self.count > 1 else ()
        if several:
            groups += (Group(f"{self.job}-{candidate}", name, visible=candidate == 0),)
        rank = sorted(self.makes, key=BOTTOM_UP.index).index(role) if several else 0
        return StackPosition(
            name=role.capitalize() if several else name,
            name_alone=self.picture_name(seed, f", {role}") if several else name,
            order=(self.count - 1 - candidate) * len(self.makes) + rank,
            groups=groups,
            visible=not reference and (several or candidate == 0),
        )

    @property
    def title(self) -> str:
        """What all candidates are called together: the original's name without its seed, else the prompt on one short line."""
        words = " ".join((_SEED.sub("", self.original) or self.prompt).split())
        if len(words) > NAME_CHARACTERS:
            words = words[: NAME_CHARACTERS - 1].rstrip() + "…"
        return words or self.task.capitalize()

    def picture_name(self, seed: int | None, addition: str = "") -> str:
        """What one picture is called: as its original or its prompt, with the seed that was used instead of the original's."""
        if seed is None:
            return self.original or self.title
        return f"{_SEED.sub('', self.original) or self.title}{addition} ({seed})"


def goes_below(made: str, given: str) -> bool:
    """Whether a layer that was made for a given one goes below it: a background below its foreground, all else above."""
    return made in BOTTOM_UP and given in BOTTOM_UP and BOTTOM_UP.index(made) < BOTTOM_UP.index(given)


def picked(layers: Sequence[Any], pictures: Collection[int], *, seen: bool = True) -> list[Any]:
    """The layers of some candidates alone, in their order: messages with the fields of `layer`.

    The first of these candidates is shown where anything is to be `seen`, and one alone lies in no group of candidates.
    """
    kept = [one for one in layers if one.picture in pictures]
    first = min((one.picture for one in kept), default=0)
    alone = all(one.picture == first for one in kept)
    return [_picked(one, alone=alone, shown=seen and one.picture == first) for one in kept]


def _picked(layer: Any, *, alone: bool, shown: bool) -> Any:
    outer = candidates_group(layer.job)
    kept = [group for group in layer.group if not (alone and group.id == outer)]
    groups = tuple(group if group.id == outer else replace(group, visible=shown) for group in kept)
    several = any(group.id != outer for group in groups)
    return replace(layer, group=groups, visible=layer.visible if several else shown and not layer.reference)


def nested(
    layers: Sequence[LayerT],
    groups_of: Callable[[LayerT], Sequence[Group]],
    layer_node: Callable[[LayerT], NodeT],
    group_node: Callable[[Group, Sequence[NodeT]], NodeT],
    depth: int = 0,
) -> tuple[NodeT, ...]:
    """The tree of layers that lie in groups, both lowest first; a group lies where its lowest layer lies.

    `groups_of` gives a layer's groups, outermost first; `layer_node` and `group_node` make the nodes.
    """
    members: dict[str | int, list[LayerT]] = {}
    for position, layer in enumerate(layers):
        groups = groups_of(layer)
        members.setdefault(groups[depth].id if len(groups) > depth else position, []).append(layer)
    return tuple(
        layer_node(inside[0])
        if isinstance(key, int)
        else group_node(groups_of(inside[0])[depth], nested(inside, groups_of, layer_node, group_node, depth + 1))
        for key, inside in members.items()
    )
