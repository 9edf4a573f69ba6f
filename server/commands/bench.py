"""`acetate bench`: how fast this machine runs the program, side by side with other ways of doing the same."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
from typing import TYPE_CHECKING, Any

from acetate.engine.builtin import NAME
from acetate.engine.families import BASE_FAMILIES

from ..command_line import engine_options
from ..command_line.exit_codes import UsageError

if TYPE_CHECKING:
    import torch
    from acetate.engine.benchmark.comparison import Comparison
    from acetate.engine.models.model import Model

PARTS = ("start", "engine", "wire", "neighbours", "ray")
STAGES = ("text", "switch", "denoise", "vae", "transparent", "bytes", "whole")
QUICK = ("start", "engine")
"""The parts that run when none is named; under a minute with the built-in model."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the part to measure, and how the engine's is run."""
    parser.add_argument("part", nargs="?", choices=PARTS, help="measure only this (default: start and engine)")
    parser.add_argument("--model", metavar="NAME", help="engine: see `acetate models` (default: the built-in one)")
    parser.add_argument("--synthetic", choices=tuple(BASE_FAMILIES), help="engine: a full-size model with random weights instead")
    parser.add_argument("--device", metavar="NAME", help="engine: cpu, cuda, cuda:1, mps or xpu (default: the best one found)")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="engine: side of the square picture (default: the model's)")
    parser.add_argument("--steps", type=int, help="engine: denoising steps (default: the model's)")
    parser.add_argument("--passes", type=int, choices=(1, 2, 4, 8), default=8, help="engine: passes of the transparent decoder")
    parser.add_argument("--stage", action="append", default=[], choices=STAGES, help="engine: only this stage; may be repeated")
    parser.add_argument("--limit", type=float, metavar="GIB", help="engine: let it use only this much of a CUDA device")
    engine_options.add_options(parser, "engine: ")
    parser.add_argument("--variants", action="store_true", help="engine: also time single choices against what they replaced")
    parser.add_argument("--compile", action="store_true", help="engine: compiled UNet blocks too, which take minutes")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="rounds whose median is shown (default: 3)")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and print. Raises `UsageError` for options that make no sense."""
    for name in ("size", "steps", "repeats"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} is {value}", "write a whole number of at least 1")
    if options.limit is not None and not options.limit > 0:
        raise UsageError(f"--limit is {options.limit:g}", "write how many GiB it may use, such as 8")
    if options.model and options.synthetic:
        raise UsageError("--model and --synthetic exclude each other", "choose one")
    parts = (options.part,) if options.part else QUICK
    measures = {"start": _start, "engine": _engine, "wire": _wire, "neighbours": _neighbours, "ray": _ray}
    found: dict[str, Any] = {}
    for part in parts:
        found |= measures[part](options)
    if options.json:
        print(json.dumps(found, indent=2))
    return 0


def _start(options: argparse.Namespace) -> dict[str, Any]:
    from acetate.engine.benchmark.starting import measure

    seconds = measure(options.repeats)
    if not options.json:
        _print_table("Start, medians", ("process", "ms"), [(name, f"{1000 * value:.0f}") for name, value in seconds.items()])
    return {"start": seconds}


def _neighbours(options: argparse.Namespace) -> dict[str, Any]:
    from acetate.engine.benchmark.neighbours import measure

    seconds = measure(options.repeats)
    if not options.json:
        _print_table(
            "A warm layer, medians", ("beside", "ms"), [(name, f"{1000 * value:.0f}") for name, value in seconds.items()]
        )
    return {"neighbours": seconds}


def _wire(options: argparse.Namespace) -> dict[str, Any]:
    from .bench_wire import measure, rows

    times = measure(repeats=3 * options.repeats)  # each is short, and sockets vary a lot
    if not options.json:
        _print_table("Wire, medians", ("what", "how long"), rows(times))
    return {"wire": dataclasses.asdict(times)}


def _ray(options: argparse.Namespace) -> dict[str, Any]:
    if importlib.util.find_spec("ray") is None:
        raise UsageError("bench ray needs Ray, which is not installed", "pip install 'acetate[ray]'")
    from .bench_ray import measure, rows

    times = measure(repeats=3 * options.repeats)
    if not options.json:
        _print_table(
            "Workers on this machine and in a Ray cluster, with an engine that sleeps", ("what", "local", "Ray"), rows(times)
        )
    return {"ray": [dataclasses.asdict(one) for one in times]}


def _engine(options: argparse.Namespace) -> dict[str, Any]:
    from acetate.engine.benchmark.comparison import Options, compare
    from acetate.engine.device.devices import limit_memory, pick_device

    if not options.synthetic:
        engine_options.refuse_idle(options, options.model or NAME)
    device = pick_device(options.device)
    if options.limit:
        limit_memory(device, options.limit)
    chosen = Options(
        size=options.size,
        steps=options.steps,
        repeats=options.repeats,
        passes=options.passes,
        from_disk=not options.synthetic,
        alone=bool(options.limit),
        variants=options.variants or options.compile,
        compiled=options.compile,
        stages=tuple(options.stage),
    )
    comparison = compare(lambda: _open(options, device), chosen)
    if not options.json:
        _print_comparison(comparison)
    return {"engine": dataclasses.asdict(comparison)}


def _open(options: argparse.Namespace, device: torch.device) -> Model:
    if options.synthetic:
        from acetate.engine.benchmark.synthetic import synthetic_model
        from acetate.engine.models.runtime import Runtime, settled

        return synthetic_model(options.synthetic, Runtime(device, settled(options.acceleration, device), options.dtype))
    from acetate.engine.engine import Engine

    return Engine(str(device), **engine_options.said(options)).open(options.model or NAME)


def _print_comparison(found: Comparison) -> None:
    from acetate.engine.benchmark.comparison import PER_STEP

    names = max((list(row.seconds) for row in found.rows), key=len)
    ours, *others = names
    width, height = found.size
    header = ["stage, ms", *names, *(f"/ {other}" for other in others), "floor", "fused"]
    rows = []
    for row in found.rows:
        cells = [_milliseconds(row.seconds.get(name)) for name in names]
        ratios = [f"{row.ratios[name]:.2f}" if name in row.ratios else "" for name in others]
        stage = f"{row.stage}, per step" if row.stage == PER_STEP else row.stage
        rows.append((stage, *cells, *ratios, _milliseconds(row.floor), _milliseconds(row.fused_floor)))
    title = f"{found.model} on {found.device}, {width} x {height}, {found.steps} steps, {found.passes} decoder passes"
    _print_table(f"{title}; medians of {found.repeats}", header, rows)
    facts = [] if found.cold is None else [("first picture", f"{found.cold:.2f} s")]
    if found.load is not None:
        facts.insert(0, ("opening the model", f"{found.load:.2f} s"))
    if found.cancel is not None:
        facts.append(("cancelled in the middle, at rest after", f"{1000 * found.cancel:.1f} ms"))
    facts += [(f"peak memory, {name}", f"{value / 2**20:.0f} MiB") for name, value in found.memory.items()]
    facts.append(("memory plan", found.plan))
    facts.append(("floor: every kernel alone; fused", found.peak or "not known for this device"))
    if found.device == "cpu":
        facts.append(("times and ratios", f"wall; ratios of CPU time, {found.threads} threads; nothing is moved on a CPU"))
    for name, value in facts:
        print(f"{name}: {value}")
    if found.variants:
        _print_table(
            "Single choices, ms",
            ("what", "before", "after", "after / before"),
            [(v.name, _milliseconds(v.before), _milliseconds(v.after), f"{v.after / v.before:.2f}") for v in found.variants],
        )


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.{0 if seconds >= 0.1 else 1 if seconds >= 0.01 else 2}f}"


def _print_table(title: str, header: Any, rows: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=any(header), box=None, pad_edge=False)
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
