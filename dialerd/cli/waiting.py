"""--wait: what becomes of jobs, shown as it happens, until each has ended or is held."""

import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from dialerd.cli import exits, show
from dialerd.client import ENDED, Client, Event, Job

SETTLED = (*ENDED, "held")
_LOOK_EVERY_S = 0.15
_Seen = Callable[[Event], None]


def newest(client: Client) -> int:
    """The newest event's id: what happens from now on comes behind it."""
    return int(client.status()["last_event"])


def wait(
    client: Client, ids: Collection[str], after: int, timeout: float | None, seen: _Seen
) -> Iterator[Job]:
    """Each job once it is settled, as they come to be; at the time-out the others as they are.

    `after` is an event from before the jobs; `seen` is told of each of their events, before a job is given.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    waiting, only = set(ids), next(iter(ids)) if len(ids) == 1 else None
    look_at: set[str] = set(ids)  # repeated submits may have ended long ago
    while True:
        jobs = [client.job(job_id) for job_id in sorted(look_at & waiting)]
        look_at.clear()
        for event in client.events(after, follow=False, job=only):
            after = event["id"]
            if event["job"] in waiting:
                seen(event)
                if event["type"] in SETTLED:
                    look_at.add(event["job"])
        for job in jobs:
            if job["state"] in SETTLED:
                waiting.discard(job["id"])
                yield job
        if not waiting:
            return
        if deadline is not None and time.monotonic() > deadline:
            yield from (client.job(job_id) for job_id in sorted(waiting))
            return
        if not look_at:
            time.sleep(_LOOK_EVERY_S)


def report(client: Client, ids: Collection[str], after: int, timeout: float | None, as_json: bool) -> int:
    """Waits for jobs, prints what becomes of them, and returns the exit code."""
    ended: list[Job] = []
    live = _live_lines if len(ids) == 1 else _live_bar
    with live(len(ids), quiet=as_json) as (seen, done):
        for job in wait(client, ids, after, timeout, seen):
            ended.append(job)
            done(job)
            if as_json:
                show.print_json(job)
    if not as_json:
        for job in ended if len(ended) <= 20 else ():
            click.echo(show.sentence(job))
        if len(ended) > 1:
            click.echo(_summary(ended))
    return exits.of_jobs(ended)


def _summary(jobs: Collection[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for job in jobs:
        words = show.outcome({**job, "reason": ""}) if job["state"] == "failed" else job["state"]
        counts[words or "failed"] = counts.get(words or "failed", 0) + 1
    return f"{len(jobs)} jobs: " + ", ".join(f"{count} {words}" for words, count in sorted(counts.items()))


@contextmanager
def _live_lines(_count: int, quiet: bool) -> Iterator[tuple[_Seen, Callable[[Job], None]]]:
    def seen(event: Event) -> None:
        if not quiet:
            click.echo(show.event_line(event), err=True)

    yield seen, lambda job: None


@contextmanager
def _live_bar(count: int, quiet: bool) -> Iterator[tuple[_Seen, Callable[[Job], None]]]:
    if quiet or not sys.stderr.isatty():
        yield (lambda event: None), (lambda job: None)
        return
    with bar("Calls", count) as advance:
        yield (lambda event: None), (lambda job: advance())


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal's stderr, nothing elsewhere; what it yields advances it by one."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*parts, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)
