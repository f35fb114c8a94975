"""The examples of a page of the documentation, run as they stand there, with only the environment put in."""

import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.waiting import until

JOB_FILES = ("json", "csv")
RUN = ("sh", "python", *JOB_FILES)
ENVIRONMENT = ("toml", "ini")
"""dialerd's configuration, and Asterisk's dialplan."""


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
    """A daemon as the page configures it, an Asterisk that it calls through, and what became of each block.

    `number` is the argument of Python programs.
    """

    def __init__(self, asterisk: Asterisk, folder: Path, blocks: list[Block], number: str) -> None:
        self.asterisk, self.folder, self._number = asterisk, folder, number
        self.events = Events(asterisk.ami_port)
        self.daemon = Daemon(asterisk)
        self.outcomes: dict[Block, Outcome] = {}
        self._configure(blocks)
        for block in blocks:
            if block.kind in JOB_FILES:
                (folder / block.name).write_text(block.text)
        for name, command in {"dialerctl": self.daemon.ctl_command(), "python": [sys.executable]}.items():
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            (folder / name).chmod(0o755)

    def _configure(self, blocks: list[Block]) -> None:
        """What the page allows and nothing more; of [asterisk] it gives names, and the tests the values."""
        here = self.daemon.settings["asterisk"]
        for name in ("calls", "trunks.sim"):
            del self.daemon.settings[name]
        for block in blocks:
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
            done = self._run("python", "block.py", self._number)
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

    def close(self) -> None:
        self.events.close()
        self.daemon.remove()
