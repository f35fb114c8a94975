"""dialerd is killed at every system call that makes something true, and started again: nothing is lost,
nothing is dialled twice, and no "accepted" leaves before its data is synced. Calls are counted in Asterisk's
own records."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import Daemon
from tests.e2e import syscalls
from tests.waiting import until

ENDED = ("completed", "failed", "expired", "cancelled", "held")


def jobs_of(run: str) -> dict[str, dict[str, str]]:
    """Two jobs for the socket, by their keys; `account` is what Asterisk's records know them by."""
    names = (f"{run}-s{number}" for number in range(2))
    return {
        name: {"to": "106", "context": "job", "extension": "hangup", "key": name, "account": name}
        for name in names
    }


def rows_of(run: str) -> list[dict[str, str]]:
    """Two rows for the drop folder, without keys of their own."""
    return [
        {"to": "106", "context": "job", "extension": "hangup", "account": f"{run}-d{number}"}
        for number in range(2)
    ]


def feed(daemon: Daemon, run: str) -> set[str]:
    """Hands everything in, as far as the daemon lives; returns the accounts that were accepted over the
    socket."""
    accepted = set()
    try:
        until(daemon.answers)
        daemon.put(f"{run}.ndjson", "".join(json.dumps(row) + "\n" for row in rows_of(run)))
        for name, job in jobs_of(run).items():
            if daemon.request("POST", "/v1/jobs", job)[0] in (200, 201):
                accepted.add(name)
        until(lambda: all_ended(daemon, run), 60)
    except (OSError, AssertionError, ValueError):
        until(lambda: not daemon.running(), 30)
    return accepted


def jobs_in(daemon: Daemon, run: str) -> list[dict[str, Any]]:
    """The run's jobs, as dialerd has them."""
    return [job for job in daemon.jobs() if job["account"].startswith(f"{run}-")]


def all_ended(daemon: Daemon, run: str) -> bool:
    """Whether the run's four jobs are there and have all come to an end. Raises AssertionError when the
    daemon ended."""
    assert daemon.running(), "dialerd ended"
    states = [job["state"] for job in jobs_in(daemon, run)]
    return len(states) == 4 and all(state in ENDED for state in states)


def finish(daemon: Daemon, run: str) -> None:
    """Starts the daemon again, unharmed, repeats what was not answered, and waits for all ends."""
    daemon.start()
    if not (daemon.drop / f"{run}.ndjson").exists() and not taken(daemon, run):
        daemon.put(f"{run}.ndjson", "".join(json.dumps(row) + "\n" for row in rows_of(run)))
    for job in jobs_of(run).values():
        assert daemon.request("POST", "/v1/jobs", job)[0] in (200, 201)
    until(lambda: all_ended(daemon, run), 60)


def taken(daemon: Daemon, run: str) -> bool:
    """Whether the dropped file was claimed, or its rows accepted."""
    claimed = any(run in name for name in os.listdir(daemon.drop_folder / "claimed"))
    return claimed or any(job["account"].startswith(f"{run}-d") for job in jobs_in(daemon, run))


def judge(daemon: Daemon, run: str) -> None:
    """Every job is there once; those that completed were dialled once, those in doubt once at most."""
    jobs = jobs_in(daemon, run)
    accounts = Counter(job["account"] for job in jobs)
    assert accounts == Counter([*jobs_of(run), *(row["account"] for row in rows_of(run))])
    assert daemon.asterisk is not None
    asterisk = daemon.asterisk
    until(lambda: all(asterisk.calls_made(job["account"]) for job in jobs if job["state"] == "completed"))
    for job in jobs:
        made = asterisk.calls_made(job["account"])
        assert job["state"] in ("completed", "held"), job
        assert made == 1 if job["state"] == "completed" else made <= 1, (made, job)
    left = [name for place in ("staging", "taken") for name in os.listdir(daemon.spool / "dialerd" / place)]
    assert left == []


POINTS = {
    "staging": ("fsync", "dialerd/staging"),
    "hand-over": ("renameat2", None),
    "outgoing": ("fsync", "outgoing"),
    "store-write": ("pwrite64", None),
    "store-sync": ("fdatasync", None),
    "answer": ("sendto,sendmsg", None),
    "claim": ("rename", None),
    "evidence": ("unlinkat", None),
    "dropped-file": ("unlink", None),
}
"""System calls that make something true, and the path within the spool that a sweep is narrowed to."""

RECOVERY = ("fdatasync", "pwrite64", "unlinkat", "rename")
PARTS = {"store-write": 12, "pwrite64": 4}
"""Into how many tests a long sweep is parted, which may run side by side: of 12, the second kills at the 2nd,
14th, 26th .. call."""


def parts(sweeps: Iterable[str]) -> list[tuple[str, int]]:
    """Each sweep, and the first call that a part of it kills at."""
    return [(sweep, first) for sweep in sweeps for first in range(1, PARTS.get(sweep, 1) + 1)]


@pytest.mark.long
@pytest.mark.parametrize(("where", "first"), parts(POINTS))
def test_a_kill_at_every_system_call_loses_nothing_and_dials_nothing_twice(
    asterisk, make_daemon, tmp_path, where, first
):
    name, inside = POINTS[where]
    daemon: Daemon = make_daemon(asterisk).start()
    path = daemon.spool / inside if inside else None
    for number in count(first, PARTS.get(where, 1)):
        run = f"{where}{number}x{os.getpid()}"
        assassin = syscalls.Assassin(daemon.pid, name, number, path, tmp_path / "strace")
        feed(daemon, run)
        if daemon.running():
            break
        daemon.wait_for_end()
        assassin.wait()
        finish(daemon, run)
        judge(daemon, run)
    daemon.remove()
    assassin.wait()
    assert number > first, f"no {where} was ever reached"


@pytest.mark.long
@pytest.mark.parametrize(("name", "first"), parts(RECOVERY))
def test_a_kill_at_every_system_call_of_a_recovery_does_no_harm(asterisk, make_daemon, tmp_path, name, first):
    run = f"recovery-{name}{first}x{os.getpid()}"
    daemon: Daemon = make_daemon(asterisk).start()
    assassin = syscalls.Assassin(daemon.pid, "renameat2", 2, None, tmp_path / "strace")
    feed(daemon, run)
    daemon.wait_for_end()
    assassin.wait()
    for number in count(first, PARTS.get(name, 1)):
        daemon.load()
        assassin = syscalls.Assassin(daemon.pid, name, number, None, tmp_path / "strace")
        daemon.go_on()
        with suppress(AssertionError):
            until(daemon.answers)
        if daemon.running():
            break
        daemon.wait_for_end()
        assassin.wait()
    daemon.kill()
    assassin.wait()
    finish(daemon, run)
    judge(daemon, run)
    assert number > first


def unsynced_answers(calls: list[syscalls.Syscall], keys: set[str]) -> list[str]:
    """The keys whose "accepted" left before the write of their data to the store was followed by a sync."""
    bad = []
    for key in keys:
        written = synced = False
        for call in calls:
            if call.name == "pwrite64" and "sqlite3-wal" in call.arguments and key in call.arguments:
                written = written or call.done
            elif call.name == "fdatasync" and "sqlite3-wal" in call.arguments and written:
                synced = synced or call.done
            elif (
                call.name in ("sendto", "sendmsg", "write")
                and "HTTP/1.1 201" in call.arguments
                and key in call.arguments
            ):
                if not synced:
                    bad.append(key)
                break
    return bad


def record(make_daemon, asterisk, wrapper: list[str], recorded: Path, run: str) -> list[syscalls.Syscall]:
    daemon: Daemon = make_daemon(asterisk, wrapper=wrapper)
    daemon.start()
    for job in jobs_of(run).values():
        assert daemon.request("POST", "/v1/jobs", job)[0] == 201
    daemon.stop()
    return list(syscalls.read(recorded))


def test_no_answer_leaves_before_its_data_is_synced(asterisk, make_daemon, tmp_path):
    recorded = tmp_path / "calls"
    calls = record(make_daemon, asterisk, syscalls.recording(recorded), recorded, "order")
    answers = [call for call in calls if "HTTP/1.1 201" in call.arguments]
    assert len(answers) == 2
    assert unsynced_answers(calls, set(jobs_of("order"))) == []


def test_that_check_fails_where_syncs_are_only_pretended(asterisk, make_daemon, tmp_path):
    recorded = tmp_path / "calls"
    calls = record(make_daemon, asterisk, syscalls.pretending("fdatasync,fsync", recorded), recorded, "stub")
    assert sorted(unsynced_answers(calls, set(jobs_of("stub")))) == sorted(jobs_of("stub"))
