"""A queue of a million: does work get slower, memory larger, the start longer?"""

from pathlib import Path
from time import perf_counter

from scripts.benchmarks.figures import Figure, fill, folder
from scripts.benchmarks.rig import Rig, rss_mib
from tests.engine.world import World

LARGE, SMALL, DISPATCHED = 1_000_000, 1000, 1000


def run() -> list[Figure]:
    """queue.growth, queue.rss, start.seconds."""
    small = _seconds_per_job(SMALL)
    with folder() as path:
        fill(path, LARGE)
        large = _dispatch(path)
        begin = perf_counter()
        with Rig(asterisk=False, state=path) as rig:
            started = perf_counter() - begin - rig.prepared
            rss = rss_mib(rig.daemon.pid)
    figures = f"{large * 1e6:.0f} us, {small * 1e6:.0f} us"
    return [
        Figure("queue.growth", large / small, 1.2, "lower", figures),
        Figure("queue.rss", rss, 150, "lower", "MiB"),
        Figure("start.seconds", started, 10, "lower", "s"),
    ]


def _seconds_per_job(count: int) -> float:
    with folder() as path:
        fill(path, count)
        return _dispatch(path)


def _dispatch(path: Path) -> float:
    """Seconds of the engine per job, from the store to submitted, on a spool in memory."""
    world = World(path, max_calls=DISPATCHED + 100)
    world.engine.asterisk.starts_per_second = 10_000
    begin = perf_counter()
    while len(world.engine.flights) < DISPATCHED - 200:
        world.settle_down()
    took = perf_counter() - begin
    count = len(world.engine.flights)
    world.close()
    return took / count
