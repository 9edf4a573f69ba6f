"""Runs inside Krita, beside the plug-in: works through scenarios one after the other and writes what came of each.

A scenario is a generator function whose name is a claim. It yields what to wait for: a number of milliseconds, or a condition to
become true. What it asserts holds in the real program; what it returns goes into the results. Nothing here runs a nested event
loop: Krita postpones its own signals inside one.
"""

import faulthandler
import importlib
import json
import logging
import os
import sys
import time
import traceback

from krita import Krita

try:
    from PyQt5.QtCore import QTimer
except ImportError:
    from PyQt6.QtCore import QTimer

OUT = os.environ["DRIVER_OUT"]
PATIENCE = float(os.environ.get("DRIVER_PATIENCE", "120"))
"""Seconds that a condition may take to become true."""
sys.path.insert(0, os.environ["DRIVER_SCENARIOS"])
faulthandler.enable()  # the log names the line that Krita died in


class Runner:
    def __init__(self, names):
        self.results = {}
        only, skip = os.environ.get("DRIVER_ONLY", ""), os.environ.get("DRIVER_SKIP", "").split(",")
        found = [one for module in names for one in claims_of(module)]
        self.scenarios = [(name, one) for name, one in found if only in name and name not in skip]
        self.generator = None
        self.next_scenario()

    def next_scenario(self):
        self.write()
        if not self.scenarios:
            end()
            return
        self.name, scenario = self.scenarios.pop(0)
        print("scenario:", self.name, flush=True)
        self.began = time.perf_counter()
        faulthandler.dump_traceback_later(2 * PATIENCE)  # says where Krita hangs, should it
        self.generator = scenario()
        self.step()

    def step(self):
        try:
            wanted = next(self.generator)
        except StopIteration as stop:
            self.finish({"ok": True, "result": stop.value})
        except BaseException:
            self.finish({"ok": False, "error": traceback.format_exc()})
        else:
            self.wait(wanted)

    def wait(self, wanted):
        if isinstance(wanted, (int, float)):
            QTimer.singleShot(int(wanted), self.step)
            return
        until = time.monotonic() + PATIENCE

        def look():
            try:
                if wanted():
                    self.step()
                elif time.monotonic() > until:
                    self.generator.throw(TimeoutError(f"the condition did not become true within {PATIENCE:g} s"))
                else:
                    QTimer.singleShot(5, look)
            except StopIteration as stop:
                self.finish({"ok": True, "result": stop.value})
            except BaseException:
                self.finish({"ok": False, "error": traceback.format_exc()})

        look()

    def finish(self, outcome):
        if mistakes and outcome["ok"]:
            outcome = {"ok": False, "error": "a mistake: " + "".join(mistakes)}
        mistakes.clear()
        outcome["seconds"] = round(time.perf_counter() - self.began, 3)
        print("  ", "ok" if outcome["ok"] else outcome["error"], outcome["seconds"], "s", flush=True)
        self.results[self.name] = outcome
        for document in Krita.instance().documents():
            document.setModified(False)
            document.close()
        QTimer.singleShot(50, self.next_scenario)

    def write(self):
        with open(OUT + "/results.json.part", "w") as file:
            json.dump(self.results, file, indent=1)
        os.replace(OUT + "/results.json.part", OUT + "/results.json")


def claims_of(module):
    found = importlib.import_module(module)
    return [(name, one) for name, one in vars(found).items() if getattr(one, "is_claim", False) and one.__module__ == module]


def end():
    for document in Krita.instance().documents():
        document.setModified(False)
    Krita.instance().action("file_quit").trigger()  # QApplication.quit() would crash Krita


def report(*mistake):
    """An exception that nobody caught. Krita would show a dialog and wait for somebody to close it."""
    text = "".join(traceback.format_exception(*mistake))
    print(text, flush=True)
    mistakes.append(text)


class Listener(logging.Handler):
    """What the plug-in logs as an error is a mistake of its own."""

    def emit(self, record):
        mistakes.append(self.format(record))


mistakes = []
sys.excepthook = report
logging.getLogger("acetate").addHandler(Listener(logging.ERROR))
started = []


def begin():
    if not started:
        started.append(1)
        # Kept in the list: Qt holds a slot's object only weakly.
        QTimer.singleShot(500, lambda: started.append(Runner(os.environ["DRIVER_MODULES"].split(","))))


notifier = Krita.instance().notifier()
notifier.setActive(True)
notifier.windowCreated.connect(begin)
