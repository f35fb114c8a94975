"""The bridge from the engine's futures to the event loop."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from dialerd.intake.api.problems import Problem, overloaded

T = TypeVar("T")


async def outcome(future: "Future[T]", seconds: float, late: Problem | None = None) -> T:
    """The future's result, or its exception. Raises Problem after `seconds`, which is `late` where given.

    The future itself is never cancelled: asyncio.wrap_future would cancel it with its waiter, and the
    engine could then not set its result.
    """
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def done(_future: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(done)
    try:
        async with asyncio.timeout(seconds):
            await waiter
    except TimeoutError:
        raise late or overloaded(
            "dialerd did not get to it in time, and may still do it."
            " Ask again with the same key, which repeats nothing."
        ) from None
    return future.result()
