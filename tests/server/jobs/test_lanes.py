"""Several lanes over one queue, with runners that do what the test says: who gets which job, and what a bad device costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from acetate.protocol import Failed, Failure, Finished, Parameters, Started
from acetate.protocol.messages import Submit
from acetate.server.jobs.engine_state import EngineState
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.jobs.lanes import Lanes
from acetate.server.worker.runner import OnNews, Outcome, RunnerLostError, RunnerUnavailableError
from acetate.server.worker.worker_messages import Done, Opened, Ready, Room, RunJob

GONE = Failure("engine-unavailable", "device 'cuda:7' is not available")
KILLED = Failure("worker-crashed", "killed")


class Runner:
    """A device of the test: `present` says whether it is there, `lose` how many jobs cost it its worker.

    With `held`, a job runs until the test lets it.
    """

    def __init__(self, name: str, order: list[tuple[str, str]], held: bool = False) -> None:
        self.name, self._order, self._held = name, order, held
        self.present, self.lose = True, 0
        self.starts = self.refreshed = 0
        self.opened = ""
        self.done = asyncio.Semaphore(0)
        self.lost = asyncio.Event()
        self.lost.set()
        self.news: OnNews = lambda news: None

    def made(self, news: OnNews) -> Runner:
        self.news = news
        return self

    async def start(self) -> None:
        if self.lost.is_set():
            self.starts += 1
            if not self.present:
                raise RunnerUnavailableError(GONE)
            self.lost.clear()
            self.opened = ""
            models = [{"name": "painter"}, {"name": "inker"}]
            tasks = {"foreground": {"parameters": {"model": "painter"}}}
            self.news(Ready(self.name, {"models": models, "tasks": tasks}))

    async def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        await self.start()
        self._order.append((self.name, command.job))
        if self.lose:
            self.lose -= 1
            self.lost.set()
            raise RunnerLostError(KILLED)
        if self._held:
            await self.done.acquire()
        order = command.order
        assert isinstance(order, Submit)
        model = order.parameters.model or "painter"
        if model != self.opened:
            self.opened = model
            yield Opened((model,)), b""
        yield Done(command.job), b""

    async def refresh(self) -> None:
        self.refreshed += 1

    async def gone(self) -> None:
        await self.lost.wait()

    async def stop(self, job: str) -> None: ...

    async def preload(self, model: str) -> None: ...

    async def unload(self) -> None: ...

    async def close(self) -> None:
        self.lost.set()


class Scene:
    """A registry with lanes for some runners, and a client."""

    def __init__(self, jobs: JobRegistry, client: Any) -> None:
        self.jobs, self.client = jobs, client
        self.order: list[tuple[str, str]] = []
        """Device and job of each run, in order."""
        self.engine = EngineState(jobs.store, (), jobs.settings, jobs.work["engine"].set)
        self.lanes = Lanes(jobs, self.engine)

    def runner(self, name: str, *, held: bool = False, present: bool = True) -> Runner:
        runner = Runner(name, self.order, held)
        runner.present = present
        self.lanes.add(name, runner.made)
        return runner

    def submit(self, *names: str, model: str | None = None) -> None:
        for name in names:
            self.jobs.accept(self.client, Submit(f"job-number-{name}", "foreground", Parameters(model=model)))

    def ends(self) -> dict[str, str]:
        return {told.job[-1]: type(told).__name__ for told in self.client.told if isinstance(told, (Finished, Failed))}

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0)

    async def ready(self, *names: str) -> None:
        await self.until(lambda: {one.name for one in self.engine.devices if one.state == "ready"} >= set(names))

    async def ended(self, count: int) -> None:
        await self.until(lambda: len(self.ends()) == count)

    async def settled(self) -> None:
        """Everyone who can do something without being told more has done it."""
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
def play(start: Any, listener: Any) -> Callable[..., None]:
    """Play a scene whose lanes work from the moment that it says so; settings as given."""

    def played(act: Callable[[Scene], Any], **settings: Any) -> None:
        async def whole() -> None:
            scene = Scene(start(**settings), listener())
            working: list[asyncio.Task[None]] = []
            scene.work = lambda: working.append(asyncio.create_task(scene.lanes.work()))  # type: ignore[attr-defined]
            await act(scene)
            await scene.lanes.close()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

        asyncio.run(whole())

    return played


def test_jobs_are_shared_by_two_devices_and_neither_idles_while_one_waits(play: Any) -> None:
    async def scene(now: Any) -> None:
        one, other = now.runner("one", held=True), now.runner("other", held=True)
        now.work()
        await now.ready("one", "other")
        now.submit(*"123456")
        for finished in range(0, 6, 2):
            await now.until(lambda finished=finished: len(now.order) == finished + 2)
            assert {name for name, _ in now.order[finished:]} == {"one", "other"}
            one.done.release()
            other.done.release()
        await now.ended(6)

        assert [job[-1] for _, job in now.order] == list("123456"), "and in their order"

    play(scene)


def test_a_device_that_is_not_there_fails_no_job_and_is_shown(play: Any) -> None:
    async def scene(now: Any) -> None:
        now.runner("cuda:7", present=False)
        now.runner("cpu")
        now.work()
        await now.ready("cpu")
        now.submit(*"123456")
        await now.ended(6)

        assert set(now.ends().values()) == {"Finished"} and {name for name, _ in now.order} == {"cpu"}
        assert now.engine.message.state == "ready"
        assert [(line.name, line.state) for line in now.engine.message.devices] == [("cuda:7", "failed"), ("cpu", "ready")]

    play(scene)


def test_a_device_that_fell_off_the_bus_costs_no_job_and_works_again_when_it_is_back(play: Any) -> None:
    async def scene(now: Any) -> None:
        gpu, cpu = now.runner("cuda:0"), now.runner("cpu", held=True)
        now.work()
        await now.ready("cuda:0", "cpu")
        gpu.present, gpu.lose = False, 1
        now.submit(*"12")
        await now.until(lambda: len(now.order) == 2)
        cpu.done.release()
        cpu.done.release()
        await now.ended(2)
        assert now.ends() == {"1": "Finished", "2": "Finished"}
        assert [name for name, _ in now.order].count("cpu") == 2, "the lost one was run there, in its turn"
        starts = gpu.starts
        gpu.present = True
        await now.ready("cuda:0")
        assert gpu.starts > starts
        now.submit(*"34")
        cpu.done.release()
        await now.ended(4)

        assert ("cuda:0", "job-number-3") in now.order or ("cuda:0", "job-number-4") in now.order

    play(scene, device_pause_seconds=(0.01,), placement_seconds=0)


def test_only_without_any_device_does_a_job_fail_after_it_has_tried_each(play: Any) -> None:
    async def scene(now: Any) -> None:
        one, other = now.runner("cuda:0", present=False), now.runner("cuda:1", present=False)
        now.work()
        await now.until(lambda: now.engine.message.state == "failed")
        before = one.starts, other.starts
        now.submit("1")
        await now.ended(1)

        assert now.client.told[-1] == Failed("job-number-1", GONE)
        assert (one.starts, other.starts) == (before[0] + 1, before[1] + 1)

    play(scene)


def test_a_job_that_cost_a_worker_is_run_on_another_device(play: Any) -> None:
    """The device may be what is broken."""

    async def scene(now: Any) -> None:
        bad, good = now.runner("bad"), now.runner("good", held=True)
        now.work()
        await now.ready("bad", "good")
        bad.lose = 10
        now.submit("1", "2")
        await now.until(lambda: len(now.order) == 2)
        await now.settled()
        assert len(now.order) == 2, "it waits for the other one"
        good.done.release()
        good.done.release()
        await now.ended(2)

        assert set(now.ends().values()) == {"Finished"}
        assert [told.attempt for told in now.client.told if isinstance(told, Started)].count(2) == 1

    play(scene)


def test_the_device_on_which_the_model_lies_is_preferred(play: Any) -> None:
    async def scene(now: Any) -> None:
        one, other = now.runner("one", held=True), now.runner("other", held=True)
        now.work()
        await now.ready("one", "other")
        now.submit("1", model="painter")
        now.submit("2", model="inker")
        await now.until(lambda: len(now.order) == 2)
        lies = {"painter": now.order[0][0], "inker": now.order[1][0]}
        for _ in range(10):
            one.done.release()
            other.done.release()
        await now.ended(2)
        for number, model in enumerate(("inker", "painter", "painter", "inker", "inker", "painter"), 3):
            now.submit(str(number), model=model)
            await now.ended(number)
            assert now.order[-1] == (lies[model], f"job-number-{number}")

        assert set(lies.values()) == {"one", "other"}

    play(scene, placement_seconds=60)


def test_a_device_takes_a_job_whose_model_lies_elsewhere_when_that_one_does_not_come(play: Any) -> None:
    async def scene(now: Any) -> None:
        one, other = now.runner("one", held=True), now.runner("other", held=True)
        now.work()
        await now.ready("one", "other")
        now.submit("1", model="painter")
        await now.until(lambda: now.order)
        first = now.order[0][0]
        runners = {"one": one, "other": other}
        runners[first].done.release()
        await now.ended(1)
        now.submit("2", "3", model="painter")
        await now.until(lambda: len(now.order) == 3)

        assert now.order[1][0] == first and now.order[2][0] != first, "it would be long until that one is free"
        one.done.release()
        other.done.release()
        await now.ended(3)

    play(scene, placement_seconds=60)


def test_a_refresh_reaches_every_device(play: Any) -> None:
    async def scene(now: Any) -> None:
        one, other = now.runner("one"), now.runner("other")
        await now.lanes.refresh()

        assert (one.refreshed, other.refreshed) == (1, 1)

    play(scene)


def test_lanes_come_and_go_while_the_others_work(play: Any) -> None:
    async def scene(now: Any) -> None:
        now.runner("one", held=True)
        now.work()
        await now.ready("one")
        now.submit("1", "2")
        await now.until(lambda: now.order == [("one", "job-number-1")])
        now.runner("later")
        await now.until(lambda: "2" in now.ends())
        assert now.order[1] == ("later", "job-number-2")
        (lane,) = [lane for lane in now.lanes.lanes if lane.device.name == "later"]
        await now.lanes.remove(lane)

        assert [line.name for line in now.engine.message.devices] == ["one"]

    play(scene)


def test_how_much_room_there_is_reaches_who_asked(play: Any) -> None:
    async def scene(now: Any) -> None:
        rooms: list[int] = []
        runner = Runner("ray", now.order)
        now.lanes.add("ray", runner.made, rooms.append)
        runner.news(Room(3))

        assert rooms == [3]

    play(scene)


def test_what_ends_a_lane_ends_the_work(play: Any) -> None:
    """Else its jobs would wait for ever, and nobody would know."""

    async def scene(now: Any) -> None:
        runner = now.runner("one")
        runner.start = lambda: 1 / 0
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(now.lanes.work(), 20)

    play(scene)
