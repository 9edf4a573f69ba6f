"""Words for a person: prompts in short, how far a job is, what went wrong.

Knows the protocol's values; knows no widget. Ships in English; every text that is not a name goes through here or `tasks`.
"""

from __future__ import annotations

import re

from acetate.protocol import Failure, Progress, Queued, Receiving

from .translations import _, said

STAGES = {
    "load": "Loading the model",
    "encode": "Reading the picture",
    "denoise": "Drawing",
    "decode": "Finding the transparency",
    "upscale": "Upscaling",
    "read": "Reading the file",
    "write": "Writing the file",
}
TITLE_CHARACTERS = 48
"""The most of a prompt that goes into a group's name or a list; the editors' layer lists show about as much."""


def short_prompt(prompt: str, characters: int = TITLE_CHARACTERS) -> str:
    """The prompt on one line, without emphasis and `<lora:…>`, cut at a word."""
    plain = re.sub(r"<[^<>]*>", " ", prompt)
    plain = re.sub(r":\s*[\d.]+\s*\)", ")", plain)
    plain = " ".join(re.sub(r"[()\[\]]", "", plain).split()).strip(" ,;")
    if len(plain) <= characters:
        return plain
    cut = plain[: characters - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;") + "…"


def described(event: Progress | Queued | Receiving) -> str:
    """How far a job is, such as `Drawing, step 7 of 20, 12 s left`; `Waiting, 2 ahead of this`; `Receiving, 40 %`."""
    if isinstance(event, Queued):
        return "Waiting to start" if event.position == 0 else f"Waiting, {event.position} ahead of this"
    if isinstance(event, Receiving):
        return f"Receiving, {event.received * 100 // max(1, event.total)} %"
    parts = [STAGES.get(event.stage, event.stage.capitalize())]
    if event.steps > 1:
        parts.append(f"step {event.step} of {event.steps}")
    if event.seconds_left is not None:
        parts.append(f"{duration(event.seconds_left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time, such as `12 s`, `3 min` or `1 h 5 min`."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def ago(seconds: float) -> str:
    """How long ago something was, such as `just now`, `5 min ago`, `3 h ago` or `2 days ago`."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86400)
    return "yesterday" if days == 1 else f"{days} days ago"


def explained(failure: Failure) -> str:
    """What happened and what to do, in one or two sentences."""
    return f"{sentence(said(failure.message))} {advice(failure.hint)}".strip()


def advice(hint: str) -> str:
    """What to do, as a person would say it: a hint may be nothing but a command."""
    if hint.startswith("acetate "):
        return _("Type in a terminal: {command}").format(command=hint)
    return said(hint)


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
