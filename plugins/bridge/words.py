"""Words for a person: prompts in short, how far a job is, what went wrong.

Knows the protocol's values; knows no widget. Every text that is not a name goes through here or `tasks`.
"""

from __future__ import annotations

import re
import unicodedata

from acetate.protocol import Failure, Progress, Queued, Receiving

from .translations import _, counted, marked, said

STAGES = {
    "load": marked("Loading the model"),
    "encode": marked("Reading the picture"),
    "denoise": marked("Drawing"),
    "decode": marked("Finding the transparency"),
    "upscale": marked("Upscaling"),
    "read": marked("Reading the file"),
    "write": marked("Writing the file"),
}
ENDS = (".", "!", "?", "…", "。", "！", "？")
"""What a sentence may end with, in all languages that there are catalogues of."""
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
        ahead = event.position
        return (
            counted("Waiting, {count} ahead of this", "Waiting, {count} ahead of this", ahead) if ahead else _("Waiting to start")
        )
    if isinstance(event, Receiving):
        return _("Receiving, {share} %").format(share=event.received * 100 // max(1, event.total))
    doing = _(STAGES.get(event.stage, event.stage.capitalize()))
    if event.steps > 1:
        doing = _("{doing}, step {step} of {steps}").format(doing=doing, step=event.step, steps=event.steps)
    if event.seconds_left is not None:
        doing = _("{doing}, {time} left").format(doing=doing, time=duration(event.seconds_left))
    return doing


def duration(seconds: float) -> str:
    """A length of time, such as `12 s`, `3 min` or `1 h 5 min`."""
    whole = max(1, round(seconds))
    if whole < 90:
        return _("{count} s").format(count=whole)
    minutes = round(whole / 60)
    if minutes < 90:
        return _("{count} min").format(count=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def ago(seconds: float) -> str:
    """How long ago something was, such as `just now`, `5 min ago`, `3 h ago` or `2 days ago`."""
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return _("{count} min ago").format(count=int(seconds // 60))
    if seconds < 86400:
        return _("{count} h ago").format(count=int(seconds // 3600))
    days = int(seconds // 86400)
    return _("yesterday") if days == 1 else counted("{count} day ago", "{count} days ago", days)


def explained(failure: Failure) -> str:
    """What happened and what to do, in one or two sentences."""
    return f"{sentence(said(failure.message))} {advice(failure.hint)}".strip()


def advice(hint: str) -> str:
    """What to do, as a person would say it: a hint may be nothing but a command."""
    if hint.startswith("acetate "):
        return _("Type in a terminal: {command}").format(command=hint)
    return said(hint)


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop, unless it ends as a sentence does in its language."""
    text = text[:1].upper() + text[1:]
    if not text or text.endswith(ENDS):
        return text
    return f"{text}。" if unicodedata.east_asian_width(text[-1]) == "W" else f"{text}."
