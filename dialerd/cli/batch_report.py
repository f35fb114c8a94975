"""dialerctl batch report: what came of each job of a batch, each counted once, however many."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from dialerd.cli import exits, preview, show
from dialerd.cli.seen import Seen
from dialerd.cli.session import Session
from dialerd.client import Job
from dialerd.client.fields import Figures

_COLUMNS = (
    "number", "state", "disposition", "cause", "attempts", "ring", "talk", "trunk", "begun", "ended",
    "reason", "key", "tags", "id",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula where a spreadsheet opens the file."""

_STANDING = {"queued": "waiting", "deferred": "waiting", "active": "under way", "submitted": "under way"}


@dataclass
class _Results:
    """The jobs by what came of them."""

    jobs: int = 0
    dialled: int = 0
    dials: int = 0
    talked: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, job: Job) -> None:
        """Counts a job."""
        self.jobs += 1
        self.counts[result_of(job)] += 1
        self.dials += job["attempt_count"]
        over = job["state"] in ("completed", "failed", "expired", "cancelled")
        self.dialled += bool(job["attempt_count"]) and over
        self.talked += _last(job).get("talk_seconds") or 0.0

    def answer_rate(self) -> float | None:
        """Answered jobs of those that were dialled and have ended."""
        return self.counts["answered"] / self.dialled if self.dialled else None


@dataclass
class _Rows:
    """What submit's log says of the rows: `jobs` are those that they became."""

    jobs: Seen
    rows: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, told: Mapping[str, Any]) -> None:
        """Counts a row."""
        self.rows += 1
        if told["status"] not in (200, 201):
            self.refused[preview.refusal_words(told)] += 1
            return
        new = [self.jobs.add(job["id"]) for job in told["jobs"]]
        self.repeated += not any(new)


def report(session: Session, figures: Figures, file: str | None, log: TextIO | None) -> int:
    """Prints the report, and writes the CSV; the exit code."""
    results = _Results()
    with Seen() as seen, _csv(file) as line:
        rows = None if log is None else _read(log, seen)
        found = 0
        for job in session.client.jobs_with_last(batch=figures["batch"], owner=figures["owner"]):
            results.add(job)
            found += rows is not None and job["id"] in seen
            line(job)
        missing = 0 if rows is None else len(seen) - found
        if session.json:
            show.print_json(_document(figures, results, rows, missing))
        else:
            for text in _lines(figures, results, rows, missing):
                click.echo(text, err=file == "-")
    return exits.NOT_DONE if missing else exits.DONE


def result_of(job: Job) -> str:
    """What came of a job, in the words of the report; each job has one."""
    state, disposition = str(job["state"]), str(_last(job).get("disposition") or "")
    if state == "completed":
        return "answered" if disposition == "ANSWERED" else "completed"
    if state == "failed":
        return show.disposition_words(disposition) if disposition not in ("", "ANSWERED") else "failed"
    return _STANDING.get(state, state)


def _last(job: Job) -> Mapping[str, Any]:
    return job.get("last") or {}


def _read(log: TextIO, seen: Seen) -> _Rows:
    rows = _Rows(seen)
    for number, line in enumerate(log, 1):
        try:
            rows.add(json.loads(line))
        except (ValueError, KeyError, TypeError):
            raise click.UsageError(f"Line {number} of the log is none that submit --log wrote.") from None
    return rows


@contextmanager
def _csv(file: str | None) -> Iterator[Any]:
    """Writes a job's line to the file."""
    if file is None:
        yield lambda job: None
        return
    with click.open_file(file, "w", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        yield lambda job: writer.writerow(_cells(job))


def _cells(job: Job) -> list[object]:
    last = _last(job)
    texts = (job.get("reason", ""), job.get("key", ""), " ".join(job.get("tags", ())))
    return [
        show.whom(job),
        job["state"],
        last.get("disposition", ""),
        last.get("hangup_cause", ""),
        job["attempt_count"],
        last.get("ring_seconds", ""),
        last.get("talk_seconds", ""),
        last.get("trunk") or job.get("trunk", ""),
        last.get("begun", ""),
        last.get("ended", ""),
        *(f"'{text}" if text.startswith(_FORMULA) else text for text in texts),
        job["id"],
    ]


def _lines(figures: Figures, results: _Results, rows: _Rows | None, missing: int) -> Iterator[str]:
    yield f"Batch {figures['batch']} of {show.user_name(figures['owner'])}"
    times = (figures["created"], figures["first_dialled"], figures["last_ended"])
    for name, at in zip(("accepted", "first call", "last end"), times, strict=True):
        if at:
            yield f"{name:<12}{show.when(at)}"
    yield ""
    width = max([len(name) for name in results.counts] + [5])
    for name, count in results.counts.most_common():
        yield f"{name:<{width}}  {count:>7}  {100 * count / results.jobs:5.1f} %"
    yield f"{'total':<{width}}  {results.jobs:>7}"
    yield ""
    rate = results.answer_rate()
    if rate is not None:
        answered = f"{results.counts['answered']} of {results.dialled} that were dialled and have ended"
        yield f"Answer rate: {100 * rate:.1f} % ({answered})"
        yield f"{results.dials} calls, {_span(results.talked)} talked"
    yield _reconciled(figures, results, rows)
    if missing:
        yield f"{missing} jobs of the log are not in this batch: is it another batch's log, or was it purged?"


def _reconciled(figures: Figures, results: _Results, rows: _Rows | None) -> str:
    """Every row accounted for once."""
    ends = ", ".join(f"{count} {name}" for name, count in results.counts.most_common()) or "none"
    changed = ""
    if figures["jobs"] != results.jobs:
        changed = f" ({figures['jobs']} when the report began: the batch grows, or was purged)"
    jobs = f"{results.jobs} jobs{changed}: {ends}."
    if rows is None:
        return jobs
    refused = "".join(f", {count} {words}" for words, count in rows.refused.most_common())
    again = f", {rows.repeated} there already" if rows.repeated else ""
    return f"{rows.rows} rows: {len(rows.jobs)} jobs accepted{again}{refused}. {jobs}"


def _document(figures: Figures, results: _Results, rows: _Rows | None, missing: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        **figures,
        "jobs": results.jobs,
        "results": dict(results.counts.most_common()),
        "dialled": results.dialled,
        "calls": results.dials,
        "talk_seconds": round(results.talked, 1),
        "answer_rate": results.answer_rate(),
    }
    if rows is not None:
        told["rows"] = {
            "rows": rows.rows,
            "jobs": len(rows.jobs),
            "repeated": rows.repeated,
            "refused": dict(rows.refused.most_common()),
            "missing": missing,
        }
    return told


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
