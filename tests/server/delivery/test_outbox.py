from __future__ import annotations

import asyncio

from acetate.server.delivery.outbox import Frames, Outbox, OutgoingFrame


class Parts(Frames):
    """So many parts, each made when it is asked for."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count, self.made = name, count, 0

    async def next(self) -> OutgoingFrame | None:
        if self.made == self.count:
            return None
        self.made += 1
        return f"{self.name}{self.made}"


async def taken(outbox: Outbox, count: int) -> list[OutgoingFrame | None]:
    return [await outbox.take() for _ in range(count)]


def test_answers_overtake_progress_and_progress_overtakes_pixels() -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        outbox.ordered(Parts("part", 2), "finished")
        outbox.live("job", "progress", "50 %")
        outbox.answer("have")
        assert await taken(outbox, 3) == ["have", "50 %", "part1"]
        outbox.answer("jobs")
        assert await taken(outbox, 3) == ["jobs", "part2", "finished"]

    asyncio.run(scene())


def test_only_the_newest_progress_is_told() -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        for percent in range(1000):
            outbox.live("a", "progress", f"a {percent}")
        outbox.live("a", "preview", "picture")
        outbox.live("b", "progress", "b 1")
        assert await taken(outbox, 3) == ["a 999", "picture", "b 1"]

    asyncio.run(scene())


def test_nothing_is_told_of_a_job_that_is_over() -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        outbox.live("a", "progress", "90 %")
        outbox.forget_live("a")
        outbox.ordered("finished")
        assert await taken(outbox, 1) == ["finished"]

    asyncio.run(scene())


def test_parts_are_made_only_when_they_are_taken() -> None:
    async def scene() -> None:
        outbox, parts = Outbox(100), Parts("part", 1000)
        outbox.ordered(parts)
        await taken(outbox, 3)
        assert parts.made == 3

    asyncio.run(scene())


def test_whoever_waits_is_woken() -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        waiting = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        outbox.live("a", "progress", "1 %")
        assert await waiting == "1 %"

    asyncio.run(scene())


def test_too_many_unread_answers_end_it() -> None:
    async def scene() -> None:
        outbox = Outbox(10)
        for number in range(11):
            outbox.answer(str(number))
        assert outbox.overflown and await outbox.take() is None

    asyncio.run(scene())
