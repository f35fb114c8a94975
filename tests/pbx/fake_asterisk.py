"""A fake that does to the spool what Asterisk's `pbx_spool` does, for tests and a demo without Asterisk.

    python -m tests.pbx.fake_asterisk SPOOL [--cdr FILE] [--speed N] [--frozen] [--skip GLOB] [--lose GLOB]

As the real one (16 to 22) it notices every regular file in `outgoing`, reads its mtime once, at arrival,
appends StartRetry when the call begins and puts the mtime ahead, and moves the file to `outgoing_done`
when the call is over; Status is appended only there. A file that is moved away between its reading and
its StartRetry is called all the same, and its name comes back with that line alone. What a far end does
is told by the dialled name, as in the context [sim] of scripts/run-asterisk: answer, busy, noanswer, ..,
or a number's last two digits.
"""

import argparse
import csv
import heapq
import itertools
import os
import re
import signal
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from dialerd.pbx.callfile import CallFile, parse

LOOK_EVERY_S = 0.02
_TRUE = ("yes", "true", "y", "t", "1", "on")
_BY_DIGITS = {
    "01": "busy",
    "02": "noanswer",
    "03": "congestion",
    "04": "cause-1",
    "05": "cause-21",
    "06": "hangup-after-500",
}
_REFUSALS = {"busy": "BUSY", "congestion": "CONGESTION", "progress-busy": "BUSY"}
_PLAYBACK_S = 1.4


@dataclass(frozen=True)
class FarEnd:
    """What the called party does. Seconds from the start of the call; None: never."""

    disposition: str
    answers: float | None = None
    refuses: float | None = None
    hangs_up: float | None = None


def far_end(channel: str) -> FarEnd:
    """The far end behind a dial string such as Local/answer@sim or PJSIP/15550001@loop."""
    name = channel.partition("/")[2].partition("@")[0].lstrip("+")
    if name.isdecimal() and len(name) > 1:
        name = _BY_DIGITS.get(name[-2:], "answer")
    number = float(re.sub(r"\D", "", name) or 0)
    if name in _REFUSALS:
        return FarEnd(_REFUSALS[name], refuses=1.0 if name.startswith("progress") else 0.0)
    if name in ("noanswer", "silent"):
        return FarEnd("NO ANSWER")
    if name.startswith("cause-"):
        return FarEnd("CONGESTION" if number == 34 else "FAILED", refuses=0.0)
    if name.startswith("ring-then-answer-"):
        return FarEnd("ANSWERED", answers=number / 1000)
    if name.startswith("hangup-after-"):
        return FarEnd("ANSWERED", answers=0.0, hangs_up=number / 1000)
    return FarEnd("ANSWERED", answers=0.0)


def action_seconds(file: CallFile) -> float:
    """How long our side stays once the call is answered."""
    application = (file.last("Application") or "").lower()
    if application == "wait":
        return float(file.last("Data") or 0)
    if application == "playback":
        return _PLAYBACK_S
    return 0.0 if application else 1.0


@dataclass
class FakeAsterisk:
    """One run of Asterisk over a spool; crash() it and start another one to restart it.

     `frozen`: it does nothing while this is true. `skip`: names that it does not notice when they come,
    as when inotify's queue overflows (a rename out and in makes them noticed). `lose`: names that it
    deletes unread. `read_pause`: seconds between its reading of a file and its StartRetry.
    `archive_pause`: seconds between the move into `outgoing_done` and the Status line. `speed`: how
    many seconds of a call pass in one.
    """

    spool: Path
    pid: int = field(default_factory=os.getpid)
    cdr: Path | None = None
    speed: float = 1.0
    frozen: bool = False
    skip: Callable[[str], bool] = lambda name: False
    lose: Callable[[str], bool] = lambda name: False
    read_pause: float = 0.0
    archive_pause: float = 0.0
    max_calls: int | None = None

    def __post_init__(self) -> None:
        self.outgoing, self.done = self.spool / "outgoing", self.spool / "outgoing_done"
        self._known: dict[str, int] = {}
        self._unnoticed: set[str] = set()
        self._passed_over: set[str] = set()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._up = 0
        self.reading = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="fake-asterisk", daemon=True)

    def start(self) -> "FakeAsterisk":
        """Makes the folders and begins."""
        for folder in (self.outgoing, self.done):
            folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def crash(self) -> None:
        """Ends at once, as by kill -9: whatever lies in `outgoing` stays as it is."""
        self._end.set()
        self._thread.join(10)

    def __enter__(self) -> "FakeAsterisk":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.crash()

    def calls_made(self, attempt: str | None = None) -> int:
        """How many calls stand in the CDR file, all or those of one attempt ("<job>.<n>")."""
        if self.cdr is None or not self.cdr.exists():
            return 0
        with self.cdr.open(newline="") as file:
            return sum(attempt in (None, row[3]) for row in csv.reader(file))

    def _loop(self) -> None:
        while not self._end.wait(LOOK_EVERY_S):
            if self.frozen:
                continue
            self._notice()
            while self._due and self._due[0][0] <= time.time() and not self._end.is_set():
                heapq.heappop(self._due)[2]()

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._order), act))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._at(time.time() + seconds / self.speed, act)

    def _notice(self) -> None:
        """What inotify tells: names that came, and names that came anew."""
        there: dict[str, os.stat_result] = {}
        for name in os.listdir(self.outgoing):
            with suppress(FileNotFoundError):
                state = (self.outgoing / name).stat()
                if stat.S_ISREG(state.st_mode):
                    there[name] = state
        self._unnoticed &= there.keys()
        self._known = {name: inode for name, inode in self._known.items() if name in there}
        for name, state in there.items():
            if self._known.get(name) != state.st_ino and name not in self._unnoticed:
                self._arrived(name, state)

    def _arrived(self, name: str, state: os.stat_result) -> None:
        if self.skip(name) and name not in self._passed_over:
            self._unnoticed.add(name)
            self._passed_over.add(name)
            return
        self._known[name] = state.st_ino
        if self.lose(name):
            (self.outgoing / name).unlink(missing_ok=True)
        else:
            self._at(float(int(state.st_mtime)), lambda: self._serve(name, state.st_ino))

    def _serve(self, name: str, inode: int) -> None:
        if self._known.get(name) != inode:
            return
        path = self.outgoing / name
        try:
            file = parse(path.read_bytes())
        except FileNotFoundError:
            return
        except PermissionError:
            path.unlink()
            return
        if self.read_pause:
            self.reading = name
            self._after(self.read_pause, lambda: self._begin(name, file))
        else:
            self._begin(name, file)

    def _begin(self, name: str, file: CallFile) -> None:
        technology, _, destination = (file.last("Channel") or "").partition("/")
        if not (technology and destination and (file.last("Application") or file.last("Extension"))):
            self._archive(name, file, "Failed")
            return
        retries, calling = _history(file)
        if retries > _number(file, "MaxRetries", 0):
            self._archive(name, file, "Expired")
            return
        retry_time = _number(file, "RetryTime", 300)
        now = int(time.time())
        if calling == self.pid:
            self._append(name, "DelayedRetry", retries, now, now + retry_time)
            return
        if calling:
            self._append(name, "AbortRetry", retries + 1, now, now + retry_time)
            retries += 1
        self._append(name, "StartRetry", retries + 1, now + retry_time, now + 2 * retry_time)
        self._call(name, file, retries + 1)

    def _append(self, name: str, key: str, count: int, moment: int, mtime: int) -> None:
        path = self.outgoing / name
        with path.open("a") as file:
            file.write(f"\n{key}: {self.pid} {count} ({moment})\n")
        os.utime(path, (mtime, mtime))
        self._known[name] = path.stat().st_ino

    def _call(self, name: str, file: CallFile, attempt: int) -> None:
        far = far_end(file.last("Channel") or "")
        wait_time = _number(file, "WaitTime", 45)
        if self.max_calls is not None and self._up >= self.max_calls:
            self._over(name, file, attempt, "")
            return
        self._up += 1
        disposition, seconds = far.disposition, far.refuses
        if far.answers is not None and far.answers <= wait_time:
            stays = far.hangs_up if far.hangs_up is not None else float("inf")
            seconds = far.answers + min(action_seconds(file), stays)
        elif seconds is None or seconds > wait_time:
            disposition, seconds = "NO ANSWER", float(wait_time)
        self._after(seconds, lambda: self._over(name, file, attempt, disposition))

    def _over(self, name: str, file: CallFile, attempt: int, disposition: str) -> None:
        if disposition:
            self._up -= 1
            self._record(file, disposition)
        if disposition == "ANSWERED":
            self._archive(name, file, "Completed")
        elif attempt > _number(file, "MaxRetries", 0):
            self._archive(name, file, "Expired")
        elif (self.outgoing / name).exists():
            retry_time, now = _number(file, "RetryTime", 300), int(time.time())
            self._append(name, "EndRetry", attempt, now, now + retry_time)
            inode = self._known[name]
            self._after(retry_time, lambda: self._serve(name, inode))

    def _record(self, file: CallFile, disposition: str) -> None:
        if self.cdr is None:
            return
        attempt = dict(file.variables).get("DIALERD_ATTEMPT", "")
        with self.cdr.open("a", newline="") as rows:
            csv.writer(rows).writerow(
                [file.last("Account") or "", file.last("Channel"), disposition, attempt]
            )

    def _archive(self, name: str, file: CallFile, status: str) -> None:
        self._known.pop(name, None)
        source, target = self.outgoing / name, self.done / name
        if (file.last("Archive") or "").lower() not in _TRUE:
            source.unlink(missing_ok=True)
            return
        try:
            source.replace(target)
        except FileNotFoundError:
            return
        if self.archive_pause:
            self._after(self.archive_pause, lambda: _write_status(target, status))
        else:
            _write_status(target, status)


def _write_status(path: Path, status: str) -> None:
    with path.open("a") as file:
        file.write(f"Status: {status}\n")


def _number(file: CallFile, key: str, default: int) -> int:
    digits = re.match(r"-?\d+", file.last(key) or "")
    return int(digits[0]) if digits else default


def _history(file: CallFile) -> tuple[int, int]:
    """How many attempts have ended, and the pid that is calling, or 0."""
    retries = calling = 0
    for line in file.lines:
        key = line.key.lower()
        if key == "startretry":
            calling = int(line.value.split()[0])
        elif key in ("endretry", "abortretry"):
            retries, calling = retries + 1, 0
    return retries, calling


def main() -> None:
    """Runs a fake until SIGTERM or SIGINT."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("spool", type=Path)
    options.add_argument(
        "--cdr", type=Path, help="append a row per call: account, channel, disposition, attempt"
    )
    options.add_argument("--speed", type=float, default=1.0, help="seconds of a call that pass in one second")
    options.add_argument("--frozen", action="store_true", help="do nothing at all")
    options.add_argument(
        "--skip", metavar="GLOB", help="names that are not noticed, as when inotify overflows"
    )
    options.add_argument("--lose", metavar="GLOB", help="names that are deleted unread")
    given = options.parse_args()
    fake = FakeAsterisk(given.spool, cdr=given.cdr, speed=given.speed, frozen=given.frozen)
    if given.skip:
        fake.skip = lambda name: fnmatchcase(name, given.skip)
    if given.lose:
        fake.lose = lambda name: fnmatchcase(name, given.lose)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with fake:
        ended.wait()


if __name__ == "__main__":
    main()
