"""Train for seconds instead of steps, on a GPU as one CUDA graph.

The networks are so small that launching their kernels one by one takes longer than computing them. How fast a machine is, is not
known beforehand, so the learning rate follows the share of the time that has passed.
"""

from __future__ import annotations

import gc
import math
import time
import traceback
from collections.abc import Callable

import torch
from torch import Tensor

from .precision import Trainer

WARM_UP = 0.05
"""Share of the time in which the learning rate rises."""
AHEAD = 8
"""Steps that are launched before their results are waited for: more, and the clock would tell nothing of the device."""
REPORT = 5.0
"""Seconds between two lines."""


def train(trainer: Trainer, name: str, loss_of_step: Callable[[], Tensor], seconds: float) -> None:
    """Step until `seconds` have passed, the capture's included. Raises `FloatingPointError` where the loss is not finite.

    `loss_of_step` gives a scalar: it draws its batch by the device's default generator and computes with `trainer.fast`.
    """
    started = time.monotonic()
    running = torch.zeros((), device=trainer.device)

    def step() -> None:
        loss = loss_of_step()
        trainer.learn(loss)
        running.lerp_(loss.detach().float(), 0.02)

    trainer.pace(0.01, 0.0)
    run = captured(step, trainer.device)
    running.zero_()
    print(f"{name}: ready after {time.monotonic() - started:.1f} of {seconds:.1f} s", flush=True)
    began, said, first = time.monotonic(), time.monotonic(), trainer.done
    while (share := (time.monotonic() - started) / seconds) < 1 or trainer.done == first:
        trainer.pace(share / WARM_UP, share)
        run()
        if (trainer.done - first) % AHEAD == 0:
            wait(trainer.device)
            if time.monotonic() - said > REPORT:
                said = time.monotonic()
                _report(trainer, name, running, trainer.done - first, said - began)
    wait(trainer.device)
    _report(trainer, name, running, trainer.done - first, time.monotonic() - began)


def captured(step: Callable[[], None], device: torch.device) -> Callable[[], object]:
    """`step` as one launch, or as it is where there is no GPU or it cannot be captured.

    The first calls, outside the graph, are where kernels are loaded and chosen and the optimizer makes its state.
    """
    if device.type != "cuda":
        return step
    torch.backends.cudnn.benchmark = True
    try:
        return _captured(step, device)
    finally:
        torch.backends.cudnn.benchmark = False  # what runs once, to measure, is not worth the trials


def _captured(step: Callable[[], None], device: torch.device) -> Callable[[], object]:
    stream, graph = torch.cuda.Stream(device), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream(device).wait_stream(stream)
    wait(device)
    try:  # on the same stream, to which the parameters' gradients are bound
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            step()
        graph.replay()
        wait(device)
    except Exception:  # a failed capture can raise anything; the same step runs without it
        traceback.print_exc()
        print("not captured; going on step by step", flush=True)
        _leave_capture(device)
        return step
    return graph.replay


def _leave_capture(device: torch.device) -> None:
    """A capture that broke off may leave the default generator waiting for its end: give it a fresh state."""
    fresh = torch.Generator(device).manual_seed(1)
    torch.cuda.default_generators[device.index or 0].graphsafe_set_state(fresh.graphsafe_get_state())
    torch.cuda.synchronize(device)


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def release(device: torch.device) -> None:
    """Give back what a stage held, its graph included."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _report(trainer: Trainer, name: str, running: Tensor, steps: int, seconds: float) -> None:
    loss = running.item() / (1 - 0.98**steps)
    print(f"{name} {steps} steps, {seconds:.0f} s, {1000 * seconds / steps:.2f} ms/step, loss {loss:.4f}", flush=True)
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss of {name} is {loss} after {steps} steps")
