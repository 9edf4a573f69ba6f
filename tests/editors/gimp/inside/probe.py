"""Run inside GIMP with a screen, by python-fu-eval: answer questions about the open images until told to stop.

A question is Python that sets `answer`; questions and answers pass through two named pipes, so neither side ever polls.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

sys.path[:0] = [os.environ["CHECKS"], os.path.join(os.environ["GIMP3_DIRECTORY"], "plug-ins", "acetate-gimp", "acetate.zip")]


def serve(questions: Path, answers: Path) -> None:
    while (question := questions.read_text()) != "stop":
        scope: dict[str, object] = {}
        try:
            exec("from gi.repository import Gimp, Gegl, Gio\nimport editor\n" + question, scope)
            reply = {"answer": scope.get("answer")}
        except Exception:
            reply = {"failed": traceback.format_exc()}
        answers.write_text(json.dumps(reply))


serve(Path(os.environ["PIPES"], "questions"), Path(os.environ["PIPES"], "answers"))
