"""What is looked at when somebody asks for the metrics. Runs in the thread of whoever asks; changes nothing,
and holds the engine up no more than any other reader."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dialerd.core.errors import Broken, Overloaded
from dialerd.core.figures import Due, Stuck
from dialerd.core.states import IN_FLIGHT, WAITING, State
from dialerd.engine.desk import Desk
from dialerd.engine.engine import Engine
from dialerd.metrics.counting import LITERAL, OTHER
from dialerd.metrics.standing import way_metrics
from dialerd.store.figures import Figures

ASK_EVERY_S = 10.0
"""How often the store is asked: with a million due jobs counting them takes a tenth of a second."""

UNFINISHED = (*WAITING, *IN_FLIGHT, State.HELD)

Row = tuple[Sequence[str], float]


@dataclass(frozen=True, slots=True)
class Sources:
    """Who is asked. `figures` is a reader of the metrics' own; `accounts` and `reports` are as people are
    shown them (Accounts.describe, Reporter.figures)."""

    desk: Desk
    engine: Engine
    figures: Figures
    outgoing: Path
    accounts: Callable[[], Sequence[Mapping[str, Any]]]
    reports: Callable[[], Mapping[str, Mapping[str, Any]]]
    stuck: Callable[[], Sequence[Stuck]]
    reload_refused: Callable[[], bool]


class Looks(Collector):
    """Asks all sources, once for each text of metrics."""

    def __init__(self, sources: Sources) -> None:
        self._of = sources
        self._asked = float("-inf")
        self._oldest: Mapping[State, datetime] = {}
        self._due: Sequence[Due] = ()

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        status = self._of.desk.status()
        yield _gauge("build_info", "The version that runs.", ["version"], [([status["version"]], 1)])
        yield _one("problems", "Sentences in the status that ask for a person.", len(status["problems"]))
        what = "Free room on the fuller disk: the queue's or the spool's."
        yield _one("disk_free_bytes", what, status["spool"]["free_bytes"])
        least = self._of.engine.settings.min_free_bytes
        yield _one("disk_least_bytes", "Below this much room nothing is accepted.", least)
        yield _one("standing_orders", "Standing orders: what is paused or cancelled.", status["orders"])
        refused = self._of.reload_refused()
        yield _one(
            "reload_refused", "1 while the configuration file has mistakes: the old one counts.", refused
        )
        yield from self._jobs()
        yield from self._asterisk()
        yield from self._engine()
        yield from way_metrics(self._of.engine)
        yield from self._providers()
        yield from self._reports()

    def _jobs(self) -> Iterator[Metric]:
        of, now = self._of, self._of.engine.clock.now()
        kinds = of.engine.store.kinds()
        yield _gauge(
            "jobs",
            "Jobs by state and kind.",
            ["state", "kind"],
            kinds.items(),
        )
        most = of.engine.settings.max_jobs
        yield _one("jobs_most", "So many unfinished jobs are accepted at most.", most)
        self._ask_store()
        ages = [([state], _since(self._oldest.get(state), now)) for state in UNFINISHED]
        yield _gauge("oldest_job_age_seconds", "Time since the oldest job was accepted.", ["state"], ages)
        ways = (*of.engine.trunks.lines(), LITERAL)
        counts, waits = dict.fromkeys(ways, 0), dict.fromkeys(ways, 0.0)
        for due in self._due:
            way = (due.way if due.way in counts else OTHER) if due.way else LITERAL
            counts[way] = counts.get(way, 0) + due.jobs
            waits[way] = max(waits.get(way, 0.0), _since(due.since, now))
        yield _gauge("due_jobs", "Jobs that could go now, by the way they wait for.", ["way"], _rows(counts))
        what = "For how long the job that goes next has been due."
        yield _gauge("due_wait_seconds", what, ["way"], _rows(waits))
        found = {each.state: each.count for each in of.stuck()}
        stuck = [([state], found.get(state, 0)) for state in UNFINISHED]
        yield _gauge("stuck_jobs", "Jobs in a state for longer than its limit.", ["state"], stuck)

    def _ask_store(self) -> None:
        """What can't be told keeps its last value."""
        if monotonic() - self._asked < ASK_EVERY_S:
            return
        try:
            self._oldest = self._of.figures.oldest(UNFINISHED)
            self._due = self._of.figures.due()
        except (Overloaded, Broken):  # too many due jobs to count in time, or told of in the status
            pass
        self._asked = monotonic()

    def _asterisk(self) -> Iterator[Metric]:
        asterisk, flights = self._of.engine.asterisk, self._of.engine.flights
        yield _one("takes_calls", "1 while Asterisk may be given calls.", asterisk.takes_calls)
        yield _one("spool_stalled", "1 while Asterisk does not take call files up.", asterisk.stalled)
        if asterisk.ami:
            yield _one("ami_up", "1 while AMI answers.", asterisk.up)
            sessions = CounterMetricFamily("dialerd_ami_sessions", "Sessions with AMI that came up.")
            sessions.add_metric([], asterisk.sessions)
            yield sessions
            yield _one("asterisk_channels", "Channels in Asterisk, whoever's they are.", asterisk.calls)
            yield _one("asterisk_call_limit", "Its call limit (maxcalls); 0: none.", asterisk.max_calls or 0)
        yield _one(
            "spool_files",
            "Files in outgoing, whoever's they are.",
            _files(self._of.outgoing),
        )
        yield _one("calls_under_way", "Calls of ours that are with Asterisk.", len(flights))
        yield _one("calls_not_begun", "Of those, calls that Asterisk has not begun.", flights.unstarted())

    def _engine(self) -> Iterator[Metric]:
        engine = self._of.engine
        yield _one("inbox_messages", "Messages that wait for the engine's thread.", len(engine.inbox))
        waits = engine.spool_waits()
        yield _one("spool_wait_seconds", "For how long the spool's disk has not answered.", waits)
        yield _one("store_broken", "1 while the store can't be written.", bool(engine.broken))

    def _providers(self) -> Iterator[Metric]:
        accounts, now = self._of.accounts(), self._of.engine.clock.now().timestamp()
        blocked = [([each["name"]], _left(each["blocked_until"], now)) for each in accounts]
        refused = [([each["name"]], float(each["refused"])) for each in accounts]
        busy = [([each["name"]], each["busy"]) for each in accounts]
        what = "For how much longer the provider wants us to wait."
        yield _gauge("provider_blocked_seconds", what, ["provider"], blocked)
        yield _gauge("provider_refused", "1 while the provider refuses the account.", ["provider"], refused)
        yield _gauge("provider_requests_under_way", "Requests under way.", ["provider"], busy)

    def _reports(self) -> Iterator[Metric]:
        figures = self._of.reports()
        for name, what in (("pending", "Reports that wait."), ("dead", "Reports that were given up.")):
            rows = [([sink], each[name]) for sink, each in figures.items()]
            yield _gauge(f"reports_{name}", what, ["sink"], rows)
        failing = [([sink], float("failing" in each)) for sink, each in figures.items()]
        yield _gauge("sink_failing", "1 while the last tries of a sink came to nothing.", ["sink"], failing)


def _gauge(name: str, what: str, labels: Sequence[str], rows: Iterable[Row]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"dialerd_{name}", what, labels=labels)
    for values, value in rows:
        family.add_metric([str(each) for each in values], value)
    return family


def _one(name: str, what: str, value: float) -> GaugeMetricFamily:
    return _gauge(name, what, [], [([], float(value))])


def _rows(values: Mapping[str, float]) -> list[Row]:
    return [([name], value) for name, value in sorted(values.items())]


def _since(then: datetime | None, now: datetime) -> float:
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())


def _left(until: datetime | None, now: float) -> float:
    return 0.0 if until is None else max(0.0, until.timestamp() - now)


def _files(folder: Path) -> int:
    """How many files there are; -1 where nobody can tell."""
    try:
        with os.scandir(folder) as entries:
            return sum(1 for _ in entries)
    except OSError:
        return -1
