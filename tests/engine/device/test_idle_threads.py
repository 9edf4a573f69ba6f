"""Threads that wait for work sleep soon, unless a person has said otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

from acetate.engine.device.idle_threads import SPINS, bound_spinning


def test_spinning_is_bounded_and_what_a_person_has_set_stays() -> None:
    nothing: dict[str, str] = {}
    bound_spinning(nothing)
    assert nothing == SPINS

    counted = {"GOMP_SPINCOUNT": "5"}
    bound_spinning(counted)
    assert counted == {**SPINS, "GOMP_SPINCOUNT": "5"}

    active = {"OMP_WAIT_POLICY": "ACTIVE"}
    bound_spinning(active)
    assert active == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_every_way_into_the_engine_bounds_it_before_torch_is_loaded() -> None:
    """A hook sees what is set when torch is asked for; torch itself is not needed for that."""
    program = """
import os, sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("GOMP_SPINCOUNT"))
            raise SystemExit
sys.meta_path.insert(0, Hook())
import {module}
"""
    environment = {name: value for name, value in os.environ.items() if name not in SPINS and name != "OMP_WAIT_POLICY"}
    for module in ("acetate.engine.engine", "acetate.engine.models.model", "acetate.engine.device.devices"):
        done = subprocess.run(
            [sys.executable, "-c", program.format(module=module)], env=environment, capture_output=True, text=True
        )
        assert done.stdout.strip() == SPINS["GOMP_SPINCOUNT"], done.stderr
