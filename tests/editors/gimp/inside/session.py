"""Run inside GIMP by python-fu-eval: call every check of the given modules and write what became of each as JSON.

A check is a public function of the module, named like the claim it proves; it raises when the claim does not hold.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
import traceback
from pathlib import Path

sys.path[:0] = [os.environ["CHECKS"], os.path.join(os.environ["GIMP3_DIRECTORY"], "plug-ins", "acetate-gimp", "acetate.zip")]


def checks(name):
    """The module's checks in the order in which they are written."""
    module = importlib.import_module(name)
    found = [value for value in vars(module).values() if inspect.isfunction(value) and value.__module__ == module.__name__]
    return [check for check in found if not check.__name__.startswith("_")]


def main() -> None:
    results = {}
    report = Path(os.environ["REPORT"])
    wanted = os.environ.get("ONLY", "")
    for check in (check for module in os.environ["MODULES"].split(",") for check in checks(module)):
        if wanted and check.__name__ != wanted:
            continue
        began = time.monotonic()
        try:
            check()
            outcome = "passed"
        except BaseException:
            outcome = traceback.format_exc()
        results[check.__name__] = {"outcome": outcome, "seconds": round(time.monotonic() - began, 2)}
        unfinished = report.with_suffix(".part")
        unfinished.write_text(json.dumps(results, indent=1))
        unfinished.replace(report)  # after every check: a crash leaves what was found before it


main()
