"""What those cost who only look: Prometheus, and a backup. On a queue of some size, all of it due."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from scripts.benchmarks.accepting import SINGLE, rate, submit
from scripts.benchmarks.figures import Figure, fill, folder
from scripts.benchmarks.rig import Rig

QUEUED, ROUNDS, SCRAPE_EVERY_S = 200_000, 5, 1.0


def run() -> list[Figure]:
    """metrics.overhead, backup.overhead: how fast jobs are accepted with and without. Scraped each second,
    which is fifteen times what is usual; backed up without a pause."""
    alone, scraped, backed_up = [], [], []
    with folder() as state:
        fill(state, QUEUED)
        with Rig(asterisk=False, state=state) as rig:
            path = rig.daemon.socket
            for turn in range(ROUNDS):
                alone.append(_accepted(path, f"alone-{turn}"))
                with _beside(lambda: _read(path, "/metrics"), SCRAPE_EVERY_S):
                    scraped.append(_accepted(path, f"scraped-{turn}"))
                with _beside(lambda: _read(path, "/v1/backup"), 0):
                    backed_up.append(_accepted(path, f"backup-{turn}"))
    return [
        _figure("metrics.overhead", scraped, alone, 0.9),
        _figure("backup.overhead", backed_up, alone, 0.5),
    ]


def _figure(name: str, looked_at: list[float], alone: list[float], aim: float) -> Figure:
    ratio = median(each / other for each, other in zip(looked_at, alone, strict=True))
    note = f"{median(looked_at):.0f}/s, alone {median(alone):.0f}/s; median of {ROUNDS}"
    return Figure(name, ratio, aim, "higher", note)


def _accepted(path: Path, name: str) -> float:
    return rate(lambda: submit(path, name, SINGLE), SINGLE)


@contextmanager
def _beside(work: Callable[[], None], every_s: float) -> Iterator[None]:
    """Does this again and again in a thread, at least once."""
    ending = threading.Event()

    def go_on() -> None:
        work()
        while not ending.wait(every_s):
            work()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    ending.set()
    thread.join()


def _read(path: Path, route: str) -> None:
    """Asks for it, and takes it all."""
    line = http.client.HTTPConnection("dialerd")
    line.sock = socket.socket(socket.AF_UNIX)
    line.sock.connect(str(path))
    line.request("GET", route)
    answer = line.getresponse()
    while answer.read(1 << 16):
        pass
    line.close()
    assert answer.status == 200, answer.status
