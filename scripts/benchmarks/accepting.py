"""How fast jobs are accepted over the socket, each on disk before its answer."""

import json
import multiprocessing
import socket
import threading
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.figures import Figure
from scripts.benchmarks.raw import sqlite_rows_per_second
from scripts.benchmarks.rig import Rig

SINGLE, MANY, BULK, ROUNDS = 1000, 16, 10_000, 5


def run() -> list[Figure]:
    """accept.single, accept.many, accept.bulk: medians of some rounds, since disks are noisy."""
    single, many, bulk = [], [], []
    with Rig(asterisk=False) as rig:
        path = rig.daemon.socket
        for turn in range(ROUNDS):
            commits = sqlite_rows_per_second(SINGLE, 1)
            single.append((rate(lambda: submit(path, f"single-{turn}", SINGLE), SINGLE), commits))  # noqa: B023
            many.append((rate(lambda: _many(path, turn), SINGLE * 4), commits))  # noqa: B023
            rows = sqlite_rows_per_second(BULK, 100)
            bulk.append((rate(lambda: _bulk(path, turn), BULK), rows))  # noqa: B023
    return [
        _median("accept.single", single, 0.5),
        _median("accept.many", many, 1.0),
        _median("accept.bulk", bulk, 0.1),
    ]


def _median(name: str, rounds: list[tuple[float, float]], aim: float) -> Figure:
    """The round in the middle, by its ratio."""
    ours, raw = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    return Figure(name, ours / raw, aim, "higher", f"{ours:.0f}/s, raw {raw:.0f}/s; median of {ROUNDS}")


def rate(work, count: int) -> float:  # type: ignore[no-untyped-def]
    begin = perf_counter()
    work()
    return count / (perf_counter() - begin)


def document(key: str, number: int) -> bytes:
    """A typical job, a day ahead, so that accepting is all that is measured."""
    job = {
        "to": f"+4930{number % 90_000_000 + 10_000_000}",
        "play": "hello-world",
        "key": key,
        "not_before": "in 1 day",
    }
    return json.dumps(job).encode()


def submit(path: Path, name: str, count: int) -> None:
    """One client on one connection, each request after the answer to the last."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        reader = line.makefile("rb")
        for number in range(count):
            body = document(f"{name}-{number}", number)
            head = b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(body)
            line.sendall(head + body)
            assert b" 201 " in reader.readline()
            length = 0
            while (header := reader.readline()) != b"\r\n":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            reader.read(length)


def _clients(path: Path, name: str, first: int, count: int) -> None:
    threads = [
        threading.Thread(target=submit, args=(path, f"{name}-{first + number}", SINGLE * 4 // MANY))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _many(path: Path, turn: int) -> None:
    """Sixteen clients, in four processes."""
    each = MANY // 4
    workers = [
        multiprocessing.Process(target=_clients, args=(path, f"many-{turn}", start, each))
        for start in range(0, MANY, each)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _bulk(path: Path, turn: int) -> None:
    """One request with a line per job; the answers are read while it is sent."""
    body = b"".join(document(f"bulk-{turn}-{number}", number) + b"\n" for number in range(BULK))
    head = (
        b"POST /v1/jobs/batch HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        sender = threading.Thread(target=line.sendall, args=(head + body,))
        sender.start()
        answers = line.makefile("rb").read()
        sender.join()
    assert answers.count(b'"id"') == BULK, answers[-500:]
