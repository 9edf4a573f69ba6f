"""How an engine is made reaches it: from the command line, through the server's settings, into the worker's process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.engine import BadRequest
from acetate.server.settings import FAKE_ENGINE, Settings
from acetate.server.worker import process
from acetate.server.worker.local_worker import LocalWorker, engine_command
from acetate.vocabulary.engine_options import ENGINE_OPTIONS

Command = Callable[..., tuple[int, str, str]]


class Noted(Exception):
    """Ends what was started, with what it was started with."""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), {}),
        (("--compile",), {"acceleration": "compiled"}),
        *(((f"--{name}", value), {name: value}) for name, values in ENGINE_OPTIONS.items() for value in values),
    ],
)
def test_the_server_keeps_it_in_its_settings(
    acetate: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: dict[str, str]
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr("acetate.server.http.serve.run", lambda settings: seen.append(settings) or 0)
    assert acetate("serve", *words)[0] == 0
    (settings,) = seen
    assert {name: getattr(settings, name) for name in ENGINE_OPTIONS} == {**dict.fromkeys(ENGINE_OPTIONS, "auto"), **expected}


@pytest.mark.parametrize(
    "command",
    [("generate", "x", "-o", "x.png"), ("bench", "engine"), ("upscale", "x.png", "-o", "y.png", "--mode", "refine")],
    ids=lambda words: words[0],
)
def test_an_engine_of_the_commands_own_is_made_with_it(
    acetate: Command, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], tmp_path: Path
) -> None:
    made: list[Any] = []

    def engine(*given: Any, **how: str) -> Any:
        made.append(how)
        raise BadRequest("seen enough")

    from PIL import Image

    Image.new("RGBA", (4, 4)).save("x.png")
    monkeypatch.setattr("acetate.engine.engine.Engine", engine)
    acetate(*command, "--acceleration", "eager", "--dtype", "float32")
    acetate(*command, *(() if command[0] == "bench" else ("--alone",)))
    assert made == [{"acceleration": "eager", "dtype": "float32"}, {}]


@pytest.mark.parametrize("option", ENGINE_OPTIONS)
def test_it_is_one_of_a_few_words(acetate: Command, option: str) -> None:
    code, _, err = acetate("generate", "x", "-o", "x.png", f"--{option}", "warp")
    assert code == 2 and "warp" in err


@pytest.mark.parametrize("command", [("generate", "x", "-o", "x.png"), ("bench", "engine")], ids=lambda words: words[0])
def test_a_type_that_the_built_in_model_ignores_is_refused(acetate: Command, command: tuple[str, ...]) -> None:
    code, _, err = acetate(*command, "--dtype", "bfloat16")
    assert code == 2 and "--dtype bfloat16 would change nothing: sketchpad always takes float32" in err


def test_a_worker_is_started_with_it_and_makes_its_engine_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def note(program: str, *arguments: str, **streams: Any) -> Any:
        raise Noted(arguments)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    settings = Settings(folder=tmp_path, engine=FAKE_ENGINE, acceleration="check", dtype="bfloat16")
    worker = LocalWorker(settings, "engine-0", engine_command(settings, None), lambda news: None)
    with pytest.raises(Noted) as started:
        asyncio.run(worker._spawn())
    _, module, *arguments = started.value.args[0]
    assert module == process.__name__

    made: list[dict[str, Any]] = []
    monkeypatch.setattr("acetate.server.worker.fake_engine.FakeEngine", lambda **given: made.append(given))
    process._backend(process._options().parse_args(arguments))
    assert made == [{"device": None, "acceleration": "check", "dtype": "bfloat16"}]
