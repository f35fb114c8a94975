"""Every code block of docs/from-pycall.md is run as it stands there, and Asterisk's own records and events say
what came of it. Only the environment is put in: folders, Asterisk's user, and the provider `flowroute`, which
is this Asterisk itself: its far end answers 18002223333, and lets 18002223302 ring.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk import PROJECT, Asterisk
from tests.daemon import Daemon
from tests.users import ASTERISK_UID
from tests.waiting import until

PAGE = PROJECT / "docs" / "from-pycall.md"
NUMBER, OTHER_NUMBER, SILENT_NUMBER = "18002223333", "18882223333", "18002223302"
JOB_FILES = ("json", "csv")
RUN = ("sh", "python", *JOB_FILES)
ENVIRONMENT = ("toml", "ini")
"""dialerd's configuration, and Asterisk's dialplan."""

REFUSED = 65
_FLOWROUTE = """
[flowroute]
type = endpoint
context = sim
transport = loopback
aors = flowroute
disallow = all
allow = ulaw
[flowroute]
type = aor
contact = sip:127.0.0.1:{port}
"""
_INTERNAL = "[internal]\nexten => 1000,1,Goto(sim,noanswer,1)\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its section, what it is, and the file name that stands before it ("": none)."""

    section: str
    kind: str
    text: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.number}-{self.kind}-{self.section}"


def blocks_of(page: str) -> Iterator[Block]:
    """All fenced blocks, in order."""
    section = before = ""
    number = 0
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith("## "):
            section, before = line[3:], ""
        elif line.startswith("```"):
            text = "".join(f"{each}\n" for each in iter(lambda: next(lines), "```"))
            name = re.match(r"`([\w-]+\.\w+)`", before)
            number += 1
            yield Block(section, line[3:], text, name[1] if name else "", number)
            before = ""
        else:
            before = line or before


BLOCKS = list(blocks_of(PAGE.read_text()))
TO_RUN = [block for block in BLOCKS if block.kind not in ENVIRONMENT]


class Events(list[dict[str, str]]):
    """All events of the Asterisk, from now on."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"Action: Login\r\nUsername: all\r\nSecret: secret\r\n\r\n")
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        until(lambda: any(event.get("Response") == "Success" for event in self))

    def _read(self) -> None:
        event: dict[str, str] = {}
        with self._socket.makefile(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.rstrip("\r\n").partition(": ")
                if name:
                    event[name] = value
                else:
                    self.append(event)
                    event = {}

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen of a block that was run. `owners` owned the files in `outgoing`."""

    jobs: list[str]
    code: int = 0
    said: str = ""
    owners: frozenset[int] = frozenset()


class World:
    """A daemon as the page configures it, an Asterisk that it calls through, and what became of each block."""

    def __init__(self, asterisk: Asterisk, folder: Path) -> None:
        self.asterisk, self.folder = asterisk, folder
        self.events = Events(asterisk.ami_port)
        self.daemon = Daemon(asterisk)
        self.outcomes: dict[Block, Outcome] = {}
        self._configure()
        for block in TO_RUN:
            if block.kind in JOB_FILES:
                (folder / block.name).write_text(block.text)
        for name, command in {"dialerctl": self.daemon.ctl_command(), "python": [sys.executable]}.items():
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            (folder / name).chmod(0o755)

    def _configure(self) -> None:
        """What the page allows and nothing more; of [asterisk] it gives names, and the tests the values."""
        here = self.daemon.settings["asterisk"]
        for name in ("calls", "trunks.sim"):
            del self.daemon.settings[name]
        for block in BLOCKS:
            if block.kind == "toml":
                sections = tomllib.loads(block.text)
                trunks = sections.pop("trunks", {})
                for name, section in (*sections.items(), *((f"trunks.{key}", trunks[key]) for key in trunks)):
                    self.daemon.settings[name] = {**section, **here} if name == "asterisk" else section
        self.daemon.write_config()

    def carry_out(self, block: Block) -> Outcome:
        """Runs the block; returns once what it handed in is taken or refused."""
        before = self._jobs()
        done = None
        text = block.text.replace("/var/spool/dialerd/drop", str(self.daemon.drop))
        if block.kind in JOB_FILES:
            self.daemon.put(block.name, text)
        elif block.kind == "sh":
            done = self._run("bash", "-ec", text)
        else:
            (self.folder / "block.py").write_text(text)
            done = self._run("python", "block.py", NUMBER)
        until(lambda: not os.listdir(self.daemon.drop))
        until(lambda: not os.listdir(self.daemon.drop_folder / "claimed"))
        jobs = [job for job in self._jobs() if job not in before]
        owners = self._owners(jobs) if block.section == "Permissions" else frozenset()
        return Outcome(jobs, done.returncode if done else 0, done.stdout if done else "", owners)

    def _jobs(self) -> list[str]:
        return [job["id"] for job in self.daemon.jobs()]

    def _owners(self, jobs: list[str]) -> frozenset[int]:
        """A file lies in `outgoing` until its call is over."""
        paths = [until(lambda job=job: list(self.asterisk.outgoing.glob(f"{job}.*"))) for job in jobs]
        return frozenset(path.stat().st_uid for found in paths for path in found)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = self.daemon.ctl_environment()
        environment["PATH"] = f"{self.folder}:{environment['PATH']}"
        return subprocess.run(
            command,
            env=environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def channels(self, job: str) -> set[str]:
        """The ids of the channels that were made for the job."""
        mine = [event for event in list(self.events) if event.get("Variable") == "DIALERD_JOB"]
        return {event["Uniqueid"] for event in mine if event["Value"] == job}

    def records(self, job: str) -> list[dict[str, str]]:
        """Asterisk's call records of the job."""
        return [row for row in self.asterisk.cdr_rows() if row["uniqueid"] in self.channels(job)]

    def dialled(self, job: str) -> set[str]:
        """What Asterisk dialled for the job."""
        mine = self.channels(job)
        begun = [event for event in list(self.events) if event.get("Event") == "DialBegin"]
        return {
            event["DialString"] for event in begun if mine & {event.get("Uniqueid"), event["DestUniqueid"]}
        }

    def answered(self, job: str, number: str = NUMBER) -> dict[str, str]:
        """The call record of a job that, by dialerd's word and Asterisk's, was answered under that number."""
        ended = self.daemon.ended(job, 60)
        assert (ended["state"], ended["attempts"][-1]["disposition"]) == ("completed", "ANSWERED")
        row = until(lambda: self.records(job))[0]
        assert row["disposition"] == "ANSWERED"
        assert self.dialled(job) == {f"{number}@flowroute"}
        return row

    def greeted(self, job: str) -> dict[str, str]:
        """The call record of a job that was answered and played hello-world."""
        row = self.answered(job)
        assert (row["lastapp"], row["lastdata"]) == ("Playback", "hello-world")
        return row

    def surveyed(self, job: str, number: str) -> dict[str, str]:
        """What the page's dialplan said of a job that was sent there."""
        row = self.answered(job, number)
        assert row["dcontext"] == "survey"
        said = [event for event in list(self.events) if event.get("UserEvent") == "Survey"]
        return next(event for event in said if event["Job"] == job)

    def close(self) -> None:
        self.events.close()
        self.daemon.remove()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world in which all blocks were run, in order; their calls may still be under way."""
    asterisk = Asterisk()
    made = None
    try:
        sip_port = re.search(r"SIP_PORT=(\d+)", (asterisk.folder / "ports").read_text())
        assert sip_port is not None
        asterisk.configure("pjsip.conf", _FLOWROUTE.format(port=sip_port[1]))
        asterisk.start()
        asterisk.add_dialplan(_INTERNAL + "".join(block.text for block in BLOCKS if block.kind == "ini"))
        made = World(asterisk, tmp_path_factory.mktemp("page"))
        made.daemon.start()
        until(lambda: made.daemon.request("GET", "/v1/status")[1]["asterisk"]["ami"] == "up")
        for block in TO_RUN:
            made.outcomes[block] = made.carry_out(block)
        yield made
    finally:
        if made is not None:
            made.close()
        asterisk.remove()


def hello(world: World, block: Block, outcome: Outcome) -> None:
    assert len(outcome.jobs) == 1 + block.text.startswith("cp ")
    for job in outcome.jobs:
        world.greeted(job)


def several(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.daemon.ended(job)["attempts"][0]["disposition"] == "ANSWERED"
    rows = until(lambda: world.records(job))
    assert ("Playback", "hello-world") in {(row["lastapp"], row["lastdata"]) for row in rows}
    assert {"1000@internal", f"{NUMBER}@flowroute"} <= world.dialled(job)


def in_an_hour(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    at_once = '"in 3s"' in block.text
    shown = world.daemon.job(job)
    due = moment(shown["not_before"])
    ahead = timedelta(seconds=3 if at_once else 3600)
    assert abs(due - moment(shown["created"]) - ahead) < timedelta(seconds=2)
    if at_once:
        begun = datetime.fromisoformat(world.greeted(job)["start"]).astimezone()
        assert due - timedelta(seconds=1) < begun < due + timedelta(seconds=5)
    else:
        assert (shown["state"], world.channels(job)) == ("queued", set())


def at_a_date(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    shown = world.daemon.job(job)
    assert moment(shown["not_before"]) == datetime.fromisoformat("2035-12-01T01:00:00-05:00")
    assert (shown["state"], world.channels(job)) == ("queued", set())


def permissions(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    world.greeted(job)
    assert outcome.owners == {ASTERISK_UID}


def logic(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.surveyed(job, NUMBER)["Greeting"] == ""


def caller_id(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.greeted(job)["clid"] == '"Test User" <5555555555>'


def variables(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.surveyed(job, OTHER_NUMBER)["Greeting"] == "tt-monkeys"
    steps = [event for event in list(world.events) if event.get("Event") == "Newexten"]
    mine = [event for event in steps if event["Uniqueid"] in world.channels(job)]
    assert any("Playback(tt-monkeys)" in event["AppData"] for event in mine)


def account(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.greeted(job)["accountcode"] == "randall"


def timing(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    shown = until(lambda: (now := world.daemon.job(job))["state"] == "deferred" and now, 40)
    (attempt,) = shown["attempts"]
    pause = moment(shown["not_before"]) - moment(attempt["ended"])
    assert (attempt["disposition"], shown["max_retries"]) == ("NOANSWER", 2)
    assert world.dialled(job) == {f"{SILENT_NUMBER}@flowroute"}
    assert 9 <= int(until(lambda: world.records(job))[0]["duration"]) <= 12
    assert abs(pause - timedelta(seconds=60)) < timedelta(seconds=2)


def archive(world: World, block: Block, outcome: Outcome) -> None:
    hello(world, block, outcome)
    kept = world.daemon.job(outcome.jobs[0])
    assert kept["attempts"][0]["talk_seconds"] > 0
    if block.kind == "sh":
        assert outcome.said.splitlines()[-1].split()[:2] == [kept["id"], "completed"]
    elif block.kind == "python":
        assert outcome.said == "completed ANSWERED\n"


def name(world: World, block: Block, outcome: Outcome) -> None:
    hello(world, block, outcome)
    again = world.carry_out(block)
    assert (again.jobs, again.code) == ([], 0)
    assert world.daemon.job(outcome.jobs[0])["key"] in block.text


def mistakes(world: World, block: Block, outcome: Outcome) -> None:
    said = outcome.said
    if block.kind in JOB_FILES:
        said = (world.daemon.rejected / f"{block.name}.reason").read_text()
    assert (outcome.jobs, outcome.code) == ([], REFUSED if block.kind == "sh" else 0)
    assert "wait_time" in said
    assert "Traceback" not in said


def old_script(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.greeted(job)["accountcode"] == "old-script"
    assert world.daemon.job(job)["max_retries"] == 2


CHECKS: dict[str, Callable[[World, Block, Outcome], None]] = {
    "Hello, World!": hello,
    "Several phones at once": several,
    "A call in an hour": in_an_hour,
    "A call at a date": at_a_date,
    "Permissions": permissions,
    "Complex call logic": logic,
    "Caller ID": caller_id,
    "Variables": variables,
    "Account codes": account,
    "Timing": timing,
    "Archiving": archive,
    "A name of your own": name,
    "A custom spool folder": hello,
    "Mistakes": mistakes,
    "Scripts that write call files": old_script,
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("block", TO_RUN, ids=str)
def test_the_example_does_what_the_page_says(world: World, block: Block) -> None:
    outcome = world.outcomes[block]
    assert block.section == "Mistakes" or outcome.code == 0, outcome.said
    CHECKS[block.section](world, block, outcome)


def test_every_block_has_a_meaning_here() -> None:
    fences = [line for line in PAGE.read_text().splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(BLOCKS)
    assert {block.kind for block in BLOCKS} <= {*RUN, *ENVIRONMENT}
    assert [block for block in BLOCKS if block.kind in JOB_FILES and not block.name] == []
    assert list(dict.fromkeys(block.section for block in TO_RUN)) == list(CHECKS)


@pytest.mark.parametrize(
    "section", [section for section in CHECKS if section != "Scripts that write call files"]
)
def test_every_example_is_done_in_three_ways(section: str) -> None:
    kinds = [block.kind for block in TO_RUN if block.section == section]
    assert {"sh", "python"} < set(kinds)
    assert set(kinds) & set(JOB_FILES)
