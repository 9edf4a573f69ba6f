"""`acetate watch`: layers of a folder's files that ask for others by their names."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from ..command_line import drawing, parameter_options
from ..command_line.drawing import Drawing
from ..command_line.exit_codes import UsageError, sentences
from ..command_line.progress import shown
from ..watching import held_open
from ..watching.answers import Answers, Said, SavedMeanwhile
from ..watching.asks import TASKS_BY_NAME
from ..watching.folder import Folder
from .generate import PLAIN, lora

SECONDS = 1.0
"""Between two looks at the folder; a file that has not changed from one to the next is at rest."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and what is the same for all layers."""
    parser.add_argument("folder", type=Path, help="its .psd, .psb and .ora files are watched, those in folders within it too")
    parser.add_argument("--once", action="store_true", help="answer what is asked for now, and end")
    parameter_options.add(parser, PLAIN)
    parser.add_argument("--lora", action="append", metavar="NAME[:UNET[:TEXT]]", help="add a LoRA; may be given more than once")
    drawing.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print a line of JSON for every layer")
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG


EPILOG = f"""a layer asks by its name:
  acetate: a glass bottle          becomes a glass bottle, where it has pixels or a mask, else as large as the canvas
  acetate refine: a glass bottle   its own pixels are changed
  acetate object: a glass bottle   drawn to fit what lies below it
tasks: {", ".join(TASKS_BY_NAME)}
The result lies above the layer, which is hidden. Each further save makes another version, until the layer is renamed."""


def run(options: argparse.Namespace) -> int:
    """Answer every file that was saved, until Ctrl+C or, with `--once`, the end of the folder."""
    from acetate.protocol import home

    if not options.folder.is_dir():
        raise UsageError(f"{options.folder} is not a folder", "name the folder that your files are saved in")
    folder = Folder(options.folder, home() / "watched.json")
    parameters = parameter_options.said(options, PLAIN)
    seed = parameters.pop("seed", 0)
    if options.lora:
        parameters["loras"] = tuple(lora(text) for text in options.lora)
    draw = Drawing(options)
    answers = Answers(folder, lambda request: shown(draw.events(request), quiet=options.json), parameters, seed)
    watch = _Watch(folder, answers, as_json=options.json)
    if options.once:
        watch.look(at_rest=False)
        return 1 if watch.failed else 0
    print(f"watching {folder.path}; Ctrl+C ends it", file=sys.stderr)
    try:
        while True:
            watch.look()
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        print("no longer watching", file=sys.stderr)
        return 0


class _Watch:
    """Looks at the folder, and says what became of it."""

    def __init__(self, folder: Folder, answers: Answers, *, as_json: bool) -> None:
        self._folder, self._answers, self._as_json = folder, answers, as_json
        self._waited_for: set[Path] = set()
        self.failed = False

    def look(self, *, at_rest: bool = True) -> None:
        """Answer every file that was saved since the last look."""
        for path in self._folder.saved(at_rest=at_rest):
            try:
                for said in self._answers.answer(path):
                    self._tell(said)
                self._waited_for.discard(path)
            except (held_open.HeldOpen, SavedMeanwhile) as error:
                self.failed = True
                self._tell_once(path, error)

    def _tell_once(self, path: Path, error: Exception) -> None:
        if path in self._waited_for:
            return
        self._waited_for.add(path)
        held = isinstance(error, held_open.HeldOpen)
        who = (held_open.holder(path) if held else None) or "another program"
        print(f"{path}: {str(error).replace('another program', who)}; its layers have to wait", file=sys.stderr)

    def _tell(self, said: Said) -> None:
        self.failed = self.failed or said.error is not None
        file, wrong = str(said.file), [] if said.error is None else sentences(said.error)
        if self._as_json:
            row = {"file": file, "layer": said.layer, "made": said.made, "notes": said.notes, "error": wrong}
            print(json.dumps(row), flush=True)
            return
        if said.made:
            print(f"{file}: {said.layer!r} -> {', '.join(map(repr, said.made))}", flush=True)
        for sentence in wrong:
            print(f"{file}: {sentence}", file=sys.stderr)
        for note in said.notes:
            print(f"note: {note}", file=sys.stderr)
