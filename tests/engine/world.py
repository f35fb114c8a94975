"""A small world for the engine: a real store, a spool in memory, a clock that tests turn, and no threads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dialerd.core.destinations import Destinations
from dialerd.core.disposition import judge
from dialerd.core.errors import DialerError, Unavailable
from dialerd.core.model import Attempt, Call, Draft, Event, Job, OnDoubt, Trace
from dialerd.core.policy import Rules
from dialerd.core.signals import CallSeen, Place, Sighting, SpoolStirred, Submission
from dialerd.engine.engine import Engine
from dialerd.engine.inbox import Command, GiveOrder, Submit
from dialerd.engine.ports import EngineSettings, Policy, Providers
from dialerd.store.reader import SqliteReader
from dialerd.store.sqlite import SqliteStore

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
OWNER = 1000
ANYTHING = Rules(
    destinations=Destinations.parse(("*",)), applications=("*",), contexts=("*",), channels=("*",)
)
STARTED = ("StartRetry: 4711 1 (1826745600)",)


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def mono(self) -> float:
        return (self.time - START).total_seconds()

    def rest(self, seconds: float) -> None: ...


class Inline:
    """A worker that works at once."""

    def start(self) -> None: ...

    def stop(self, timeout: float = 0) -> None: ...

    def flush(self) -> None: ...

    def busy_seconds(self) -> float:
        return 0.0

    def run(self, work: Any) -> None:
        work()


class MemorySpool:
    """The spool's folders as a table: name → (places, lines, status). Failures can be told to happen."""

    def __init__(self) -> None:
        self.where: dict[str, set[Place]] = {}
        self.lines: dict[str, tuple[str, ...]] = {}
        self.status: dict[str, str | None] = {}
        self.doubt: set[str] = set()
        self.content: dict[str, bytes] = {}
        self.fail_stage: DialerError | None = None
        self.fail_hand_over: DialerError | None = None

    def put(self, name: str, place: Place, lines: tuple[str, ...] = (), status: str | None = None) -> None:
        self.where.setdefault(name, set()).add(place)
        self.lines[name], self.status[name] = lines, status

    def stage(self, files: Mapping[str, bytes]) -> dict[str, DialerError]:
        if self.fail_stage is not None:
            return dict.fromkeys(files, self.fail_stage)
        self.content.update(files)
        for name in files:
            self.put(name, Place.STAGED)
        return {}

    def hand_over(self, names: Sequence[str]) -> dict[str, DialerError]:
        if self.fail_hand_over is not None:
            return dict.fromkeys(names, self.fail_hand_over)
        for name in names:
            self._move(name, Place.STAGED, Place.OUTGOING)
        return {}

    def discard(self, names: Sequence[str]) -> None:
        for name in names:
            self.where.get(name, set()).discard(Place.STAGED)

    def take_out(self, name: str) -> bool:
        return self._move(name, Place.OUTGOING, Place.TAKEN)

    def put_back(self, name: str) -> bool:
        return self._move(name, Place.TAKEN, Place.OUTGOING)

    def drop_taken(self, name: str) -> None:
        self.where.get(name, set()).discard(Place.TAKEN)

    def keep_evidence(self, name: str) -> bool:
        self.doubt.add(name)
        self.where.get(name, set()).discard(Place.OUTGOING)
        return True

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            self.where.get(name, set()).discard(Place.DONE)

    def look(self, name: str) -> Sighting:
        places = self.where.get(name, set())
        told = [place for place in (Place.DONE, Place.OUTGOING, Place.TAKEN, Place.STAGED) if place in places]
        if not told:
            return Sighting(name, Place.GONE)
        lines = self.lines[name]
        started = any(line.startswith("StartRetry") for line in lines)
        return Sighting(name, told[0], started, self.status[name], None, lines, tuple(told[1:]))

    def survey(self) -> list[Sighting]:
        return [self.look(name) for name, places in self.where.items() if places]

    def listing(self) -> Mapping[Place, frozenset[str]]:
        return {
            place: frozenset(name for name, places in self.where.items() if place in places)
            for place in Place
        }

    def free_bytes(self) -> int:
        return 1 << 40

    def _move(self, name: str, old: Place, new: Place) -> bool:
        if old not in self.where.get(name, set()):
            return False
        self.where[name].remove(old)
        self.where[name].add(new)
        return True


class MemoryLine:
    """AMI as far as the engine asks of it."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.dead = False

    def hangup(self, channel: str) -> None:
        if self.dead:
            raise Unavailable("AMI is down.")
        self.hung_up.append(channel)


class World:
    """Engine and all, driven by hand."""

    def __init__(
        self,
        folder: Path,
        ami: bool = False,
        policy: Policy | None = None,
        providers: Providers | None = None,
        **settings: Any,
    ) -> None:
        self.providers = providers
        self.policy = policy or Policy(ANYTHING)
        self.folder, self.clock, self.spool, self.line = folder, HandClock(), MemorySpool(), MemoryLine()
        self.settings = EngineSettings(ami=ami, **settings)
        self.failures: list[BaseException] = []
        self.open()

    def open(self) -> None:
        """Starts an engine on what is there, as after a start of the daemon."""
        self.store = SqliteStore(self.folder)
        self.engine = Engine(
            self.store,
            self.spool,
            self.line if self.settings.ami else None,
            dial=lambda call, way, rules: (f"Local/{call.to[0]}@sim", ()),
            render=lambda call, channel, attempt, extra: f"Channel: {channel}\n".encode(),
            judge=judge,
            settings=self.settings,
            policy=self.policy,
            failed=self.failures.append,
            clock=self.clock,
            worker=Inline(),  # type: ignore[arg-type]
            providers=self.providers,
        )
        self.engine.recover()

    def crash(self) -> None:
        """Loses everything that was only in memory, and starts again."""
        self.store.close()
        self.open()

    def close(self) -> None:
        self.store.close()

    def submit(
        self,
        key: str | None = None,
        number: str = "100",
        owner: int = OWNER,
        call: Call | None = None,
        **draft: Any,
    ) -> Any:
        call = call or Call(to=(number,), trunk="main", play="hello-world")
        made = Draft(call, b"d", key=key, **draft)
        message = Submit([Submission(owner, made)])
        self.engine.turn([message])
        return message.answer.result(0)[0]

    def accept(self, count: int, **draft: Any) -> list[Job]:
        """Many jobs, accepted in one turn."""
        numbers = [str(100 + number) for number in range(count)]
        owner = draft.pop("owner", OWNER)
        drafts = [
            Draft(Call(to=(number,), trunk="main", play="hello-world"), b"d", **draft) for number in numbers
        ]
        message = Submit([Submission(owner, made) for made in drafts])
        self.engine.turn([message])
        return [answer.job for answer in message.answer.result(0)]

    def order(self, scope: str, word: str | None, reason: str = "") -> None:
        """An operator's standing order. Raises NotAllowed."""
        message = GiveOrder(scope, word, 0, reason)
        self.tell(message)
        message.answer.result(0)

    def out(self) -> list[str]:
        """The jobs whose call files are in `outgoing`, in the order in which they were put there."""
        there = self.spool.listing()[Place.OUTGOING]
        return [name.partition(".")[0] for name in self.spool.where if name in there]

    def answer(self, jobs: Iterable[str]) -> None:
        """Asterisk's calls of these jobs are over, and were answered."""
        for job_id in jobs:
            found = self.store.find_job(job_id)
            assert found is not None
            self.archive(found, "Completed", found.attempts)

    def called(self, **draft: Any) -> Job:
        """A job whose call file lies in `outgoing`."""
        job = self.submit(**draft).job
        self.settle_down()
        return job

    def settle_down(self) -> None:
        """Turns until nothing is left in the inbox."""
        self.engine.turn([])
        while messages := self.engine.inbox.take(0):
            self.engine.turn(messages)

    def tell(self, *messages: Any) -> None:
        self.engine.turn(messages)
        self.settle_down()

    def wait(self, seconds: float, step: float = 0.25) -> None:
        """Lets time pass, a tick at a time."""
        end = self.clock.time + timedelta(seconds=seconds)
        while self.clock.time < end:
            self.clock.time = min(end, self.clock.time + timedelta(seconds=step))
            self.settle_down()

    def command(self, job: Job, verb: str, as_: str | None = None) -> Job:
        message = Command(job.id, verb, 0, as_)
        self.tell(message)
        return message.answer.result(0)

    def job(self, job: Job) -> Job:
        found = self.store.find_job(job.id)
        assert found is not None
        return found

    def attempt(self, job: Job) -> Attempt:
        found = self.store.last_attempt(job.id)
        assert found is not None
        return found

    def events(self, job: Job) -> list[Event]:
        reader = SqliteReader(self.folder)
        found = reader.events(0, 1000, job=job.id)
        reader.close()
        return found

    def name(self, job: Job, number: int = 1) -> str:
        return f"{job.id}.{number}.call"

    def begin(self, job: Job, number: int = 1) -> None:
        """Asterisk begins the call."""
        name = self.name(job, number)
        self.spool.lines[name] = STARTED
        self.tell(SpoolStirred(frozenset([name])))

    def archive(self, job: Job, status: str | None, number: int = 1) -> None:
        """Asterisk's call is over."""
        name = self.name(job, number)
        self.spool.where[name] = {Place.DONE}
        self.spool.lines[name], self.spool.status[name] = STARTED, status
        self.tell(SpoolStirred(frozenset([name])))

    def see(self, job: Job, number: int = 1, **trace: Any) -> None:
        """AMI shows something of the call."""
        self.tell(
            CallSeen(
                self.name(job, number), Trace(**{"started": 1.0, "channel": "Local/100@sim-1;1", **trace})
            )
        )


def at(seconds: float) -> datetime:
    """A time after the start of the test's clock."""
    return START + timedelta(seconds=seconds)


__all__ = ["OWNER", "START", "STARTED", "OnDoubt", "World", "at", "replace"]
