"""RGBA pictures from prompts.

Knows torch and diffusers; knows no socket, no editor and no layered file. Importing it imports neither torch nor diffusers:
`Engine` loads them when it is made.
"""

from .errors import BadRequest, EngineError, ModelBroken, ModelMissing, NumericFailure, OutOfMemory
from .request import RGBA, TASKS, Mask, Picture, Progress, Request, Role, Task

__all__ = [
    "RGBA",
    "TASKS",
    "BadRequest",
    "EngineError",
    "Mask",
    "ModelBroken",
    "ModelMissing",
    "NumericFailure",
    "OutOfMemory",
    "Picture",
    "Progress",
    "Request",
    "Role",
    "Task",
]
