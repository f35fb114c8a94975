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

SINGLE, MANY, BULK = 2000, 16, 20_000


def run() -> list[Figure]:
    """accept.single, accept.many, accept.bulk."""
    commits = sqlite_rows_per_second(SINGLE, 1)
    rows = sqlite_rows_per_second(BULK, 100)
    with Rig(asterisk=False) as rig:
        path = rig.daemon.socket
        single = _rate(lambda: _submit(path, "single", SINGLE), SINGLE)
        many = _rate(lambda: _many(path), SINGLE * 4)
        bulk = _rate(lambda: _bulk(path), BULK)
    return [
        Figure("accept.single", single / commits, 0.5, "higher", f"{single:.0f}/s, raw {commits:.0f}/s"),
        Figure("accept.many", many / commits, 1.0, "higher", f"{many:.0f}/s, raw {commits:.0f}/s"),
        Figure("accept.bulk", bulk / rows, 0.1, "higher", f"{bulk:.0f}/s, raw {rows:.0f}/s"),
    ]


def _rate(work, count: int) -> float:  # type: ignore[no-untyped-def]
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


def _submit(path: Path, name: str, count: int) -> None:
    """One client on one connection, each request after the answer to the last."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        reader = line.makefile("rb")
        for number in range(count):
            body = document(f"{name}-{number}", number)
            line.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n")
            line.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            assert b" 201 " in reader.readline()
            length = 0
            while (header := reader.readline()) != b"\r\n":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            reader.read(length)


def _clients(path: Path, first: int, count: int) -> None:
    threads = [
        threading.Thread(target=_submit, args=(path, f"many-{first + number}", SINGLE * 4 // MANY))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _many(path: Path) -> None:
    """Sixteen clients, in four processes."""
    each = MANY // 4
    workers = [
        multiprocessing.Process(target=_clients, args=(path, start, each)) for start in range(0, MANY, each)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _bulk(path: Path) -> None:
    """One request with a line per job; the answers are read while it is sent."""
    body = b"".join(document(f"bulk-{number}", number) + b"\n" for number in range(BULK))
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
