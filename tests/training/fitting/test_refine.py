"""Training goes on from an export, for a given time, and ends in an export."""

import math
from itertools import count
from pathlib import Path

import pytest
import torch
from acetate.engine import Engine, Picture, Request, builtin
from acetate.engine.builtin import FOLDER
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from training import export
from training.__main__ import STAGES
from training.fitting import autoencoder, refine, sharing, stages, timed
from training.fitting.precision import Trainer
from training.pictures import dataset, rendering

ITEMS, SCENES = dataset.items(1)[::100], dataset.scenes()[::400]
SMALL = refine.Sizes(codec=1, denoiser=2, sharing=1, captions=2, prompts=2, measured=3)


@pytest.fixture(scope="module")
def drawn() -> rendering.Drawn:
    with rendering.workers(1) as pool:
        return rendering.start(pool, ITEMS, SCENES).get()


def test_an_export_that_is_read_and_saved_is_the_same(tmp_path: Path) -> None:
    codec, network = export.read(FOLDER)
    autoencoder.stretch_alpha(codec.decoder)
    export.save(tmp_path, codec, network, {})
    for role, recipe in sharing.FILES.items():
        units = sharing.Units(network.unet, recipe)
        sharing.read(units, FOLDER / "layers" / f"{role}.safetensors")
        sharing.write(units, tmp_path / "layers" / f"{role}.safetensors")
    files = [path.relative_to(FOLDER) for path in FOLDER.rglob("*.safetensors")]
    assert len(files) == 8
    for file in files:
        before, after = load_file(FOLDER / file), load_file(tmp_path / file)
        assert before.keys() == after.keys()
        for key, value in before.items():
            torch.testing.assert_close(after[key], value, rtol=1e-3, atol=1e-6)


@torch.no_grad()
def test_unfolded_latents_begin_with_the_picture_at_an_eighth(drawn: rendering.Drawn) -> None:
    codec, _ = export.read(FOLDER)
    data = torch.from_numpy(drawn.pictures)
    folded = autoencoder.encoded(codec, data)
    pixels = codec.vae.decode(folded).sample
    autoencoder.unfold_statistics(codec, folded, data)
    latents = autoencoder.encoded(codec, data)
    wanted = torch.nn.functional.avg_pool2d(data.float() / 255, 8) * 2 - 1
    assert (latents[:, :4] - wanted).square().mean() < 0.04 < (folded[:, :4] - wanted).square().mean()
    torch.testing.assert_close(codec.vae.decode(latents).sample, pixels, rtol=1e-3, atol=1e-3)

    autoencoder.fold_statistics(codec, latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
    again = autoencoder.encoded(codec, data)
    spread = folded.std((0, 2, 3))[:, None, None]
    torch.testing.assert_close(again * spread + folded.mean((0, 2, 3))[:, None, None], folded, rtol=1e-3, atol=1e-3)


def test_a_refined_model_is_one_that_the_engine_opens(
    drawn: rendering.Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refine, "_said", lambda *_, better: True)  # so few steps make nothing better
    monkeypatch.setattr(refine.Clock, "seconds", lambda *_: 0.1)
    refine.Refinement(FOLDER, tmp_path / "new", drawn, refine.Clock(0.0), torch.device("cpu"), SMALL).run()
    for path in FOLDER.rglob("*.safetensors"):
        before, after = load_file(path), load_file(tmp_path / "new" / path.relative_to(FOLDER))
        assert {k: (v.shape, v.dtype) for k, v in before.items()} == {k: (v.shape, v.dtype) for k, v in after.items()}
        assert any(not value.equal(before[key]) for key, value in after.items()), f"{path.name} has learnt"
    monkeypatch.setattr(builtin, "FOLDER", tmp_path / "new")
    tasks: tuple[str, ...] = ("foreground", "scene")
    for task in tasks:
        assert any(isinstance(result, Picture) for result in Engine("cpu").run(Request(prompt="a red apple", task=task, steps=2)))


def test_chosen_stages_change_their_networks_only(
    drawn: rendering.Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So two exports of stages that ran side by side can be put together; what is exported again is rounded at most."""
    monkeypatch.setattr(refine, "_said", lambda *_, better: True)
    monkeypatch.setattr(refine.Clock, "seconds", lambda *_: 0.1)
    clock = refine.Clock(0.0, ("decoders",))
    refine.Refinement(FOLDER, tmp_path / "new", drawn, clock, torch.device("cpu"), SMALL).run()
    learnt = set()
    for path in FOLDER.rglob("*.safetensors"):
        before, after = load_file(path), load_file(tmp_path / "new" / path.relative_to(FOLDER))
        changed = {key for key, value in after.items() if not torch.allclose(value, before[key], rtol=1e-3, atol=1e-6)}
        learnt |= {f"{path.parent.name}.{key.split('.')[0]}" for key in changed}
    assert learnt and {name.split(".")[0] for name in learnt} <= {"vae", "transparent_decoder"}
    assert not learnt & {"vae.encoder", "vae.quant_conv"}


def test_the_stages_that_can_be_chosen_are_those_that_there_are() -> None:
    """They are named twice, as the command line reads its arguments before torch is loaded."""
    assert list(STAGES) == list(refine.SHARES)


def test_a_codec_without_its_denoiser_is_given_up(
    drawn: rendering.Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(stages, "codec", lambda start, *_: autoencoder.Codec().eval())
    monkeypatch.setattr(stages, "fidelity", lambda codec, *_: 0.0 if codec.training else float(next(rising)))
    rising = iter(range(100))
    for stage in ("network", "decoders"):
        monkeypatch.setattr(stages, stage, breaks)
    monkeypatch.setattr(stages, "Shared", breaks)
    refinement = refine.Refinement(FOLDER, tmp_path / "new", drawn, refine.Clock(math.inf), torch.device("cpu"), SMALL)
    refinement.run()
    wanted, _ = export.read(FOLDER)
    assert all(value.equal(wanted.state_dict()[key]) for key, value in refinement.codec.state_dict().items())
    assert "given up" in capsys.readouterr().out
    assert not (tmp_path / "new").exists()


class _Questions(TorchDispatchMode):
    """Counts what makes a host wait for its device."""

    asked = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.asked += func.name() in ("aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("stage", ["codec", "denoiser", "decoders", *sharing.FILES])
def test_no_step_asks_its_device_for_a_number(drawn: rendering.Drawn, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    asked: list[int] = []

    def once(trainer: Trainer, name: str, loss_of_step: object, seconds: float) -> None:
        assert callable(loss_of_step)
        trainer.pace(1, 0)
        trainer.learn(loss_of_step())  # the optimizer makes its state
        with _Questions() as questions:
            trainer.learn(loss_of_step())
        asked.append(questions.asked)

    monkeypatch.setattr(timed, "train", once)
    for measure in ("fidelity", "error"):  # before and after, which takes longer than the two steps
        monkeypatch.setattr(stages, measure, lambda *_: 0.0)
    monkeypatch.setattr(stages.Shared, "error", lambda *_: 0.0)
    refinement = refine.Refinement(FOLDER, Path(), drawn, refine.Clock(math.inf), torch.device("cpu"), SMALL)
    monkeypatch.setattr(refinement, "_attempt", lambda name, run: run() if name == stage else True)
    monkeypatch.setattr(refinement, "_export", lambda: None)
    refinement.run()
    assert asked == [0]


def test_the_learning_rate_follows_the_time_and_the_average_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr(timed.time, "monotonic", lambda: next(ticks) / 1000)
    trainer = Trainer(nn.Linear(2, 2), None, peak=1.0, average=0.9)
    rates = []

    def loss() -> Tensor:
        rates.append(trainer.optimizer.param_groups[0]["lr"])
        return trainer.fast(torch.ones(1, 2, dtype=torch.bfloat16)).square().sum()

    timed.train(trainer, "line", loss, 1.0)
    assert rates[0] < 0.5 < 0.99 < max(rates) and rates[-1] < 0.03
    assert trainer.averaged is not None
    assert not trainer.averaged.weight.equal(trainer.network.weight)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    trainer = Trainer(nn.Linear(2, 2), None, peak=1.0)
    with pytest.raises(FloatingPointError, match="the loss of line is nan after 1 steps"):
        timed.train(trainer, "line", lambda: trainer.fast(torch.full((1, 2), torch.nan, dtype=torch.bfloat16)).sum(), 1e-9)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_captured_step_learns_what_a_plain_one_does() -> None:
    device = torch.device("cuda")
    inputs, wanted = torch.randn(64, 8, device=device, dtype=torch.bfloat16), torch.randn(64, 8, device=device)
    trained = []
    for capture in (timed.captured, lambda step, _: step):
        torch.manual_seed(0)
        trainer = Trainer(nn.Linear(8, 8).to(device), None, peak=0.01, average=0.9)

        def step(trainer: Trainer = trainer) -> None:
            trainer.learn((trainer.fast(inputs).float() - wanted).square().mean())

        trainer.pace(0.0, 0.0)  # the capture's own steps learn nothing
        run = capture(step, device)
        assert (run is step) == (capture is not timed.captured)
        for i in range(50):
            trainer.pace(1.0, i / 50)
            run()
        trained.append(trainer.network.weight)
    torch.testing.assert_close(*trained, rtol=0.05, atol=0.02)
