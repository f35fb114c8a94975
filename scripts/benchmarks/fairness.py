"""How long an urgent job waits behind another owner's batch of 100,000, on a real Asterisk.

Each urgent job is alone: the next one comes when the last has been handed over, after a pause by chance, so
that they come at any point of a slot.
"""

import json
import os
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

from dialerd.client import Client
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.moves import Moves
from scripts.benchmarks.rig import Rig
from tests.users import DIALERD_UID, ROOT
from tests.waiting import until

BATCH, PROBES = 100_000, 60
RATE, CHANNELS = 20, 10
ALARM_UID = DIALERD_UID + 1 if ROOT else os.geteuid()
_SIM = {"channel": "Local/{digits}@sim", "extensions": ["X."]}
SECTIONS = {
    "trunks.rated": {**_SIM, "calls_per_second": RATE},
    "trunks.filled": {**_SIM, "max_channels": CHANNELS},
    "trunks.idle": {**_SIM, "calls_per_second": RATE},
    "roles.alarm": {"users": [ALARM_UID], "max_priority": 9},
}
LONGEST_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Probe:
    """An urgent job: when it was accepted, and moved into `outgoing` (seconds since the epoch)."""

    accepted: float
    moved: float

    @property
    def waited(self) -> float:
        return self.moved - self.accepted


def run(batch: int = BATCH, probes: int = PROBES) -> list[Figure]:
    """fairness, fairness.channels."""
    with Rig(asterisk=True, sections=SECTIONS, max_calls=1000) as rig:
        assert rig.asterisk is not None
        client = rig.daemon.client()
        with Moves(rig.asterisk.outgoing) as moves:
            alarm = Alarm(rig.daemon.socket, moves)
            _hand_in(client, "rated", batch)
            found = alarm.probe(("rated", "idle") * probes)
            client.pause("trunk:rated")
            _hand_in(client, "filled", batch)
            filled = alarm.probe(("filled",) * probes)
            assert client.status()["jobs"]["queued"] > batch, "a batch was over before the last urgent job"
            rated, idle = found[::2], found[1::2]
            passed = [_overtaken(moves.all(), each, _worst(idle)) for each in filled]
    return [_by_time(rated, idle), _by_count(filled, passed)]


def _by_time(busy: list[Probe], idle: list[Probe]) -> Figure:
    """The worst wait from acceptance to the rename, less the worst on an idle trunk of the same daemon, where
    only dialerd's own way from the one to the other takes time. A slot is 1 / calls_per_second."""
    shown = (1000 * each for each in (_worst(busy), middle(busy), _worst(idle), middle(idle), 1 / RATE))
    note = "worst {:.0f} ms, median {:.0f}; idle trunk {:.0f}, {:.0f}; slot {:.0f}".format(*shown)
    return Figure("fairness", max(0.0, _worst(busy) - _worst(idle)) * RATE, 1.0, "lower", note)


def _by_count(probes: list[Probe], passed: list[int]) -> Figure:
    """Where all wait for channels, a slot is a channel that comes free: how many of them, its own included,
    were given out while the urgent job waited."""
    note = f"freed channels; worst {1000 * _worst(probes):.0f} ms, median {1000 * middle(probes):.0f}"
    return Figure("fairness.channels", 1 + max(passed), 1.0, "lower", note)


def _overtaken(moved: dict[str, float], probe: Probe, own: float) -> int:
    """How many calls were moved before the urgent one. Those that were on dialerd's own way already when it
    was accepted (`own` seconds) do not count."""
    return sum(probe.accepted + own < at < probe.moved for at in moved.values())


def _worst(probes: list[Probe]) -> float:
    return max(each.waited for each in probes)


def middle(probes: list[Probe]) -> float:
    """The median wait."""
    return sorted(each.waited for each in probes)[len(probes) // 2]


def _hand_in(client: Client, trunk: str, count: int) -> None:
    for _ in client.submit_many(_campaign(trunk, count), batch=trunk):
        pass


def _campaign(trunk: str, count: int) -> Iterator[dict[str, Any]]:
    """Calls of about a second where they are to fill channels, else as short as can be."""
    chance = random.Random(1)
    for number in range(count):
        seconds = f"{chance.uniform(0.5, 1.5):.2f}" if trunk == "filled" else "0"
        yield {"to": f"1{number:07d}00", "trunk": trunk, "application": "Wait", "data": seconds}


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Alarm:
    """Another user than the batch's, on a connection of his own: the peer's uid is that of connect(2)."""

    def __init__(self, path: Path, moves: Moves) -> None:
        self._moves, self._line = moves, socket.socket(socket.AF_UNIX)
        self._chance = random.Random(2)
        before = os.geteuid()
        os.seteuid(ALARM_UID)
        try:
            self._line.connect(str(path))
        finally:
            os.seteuid(before)
        self._reader = self._line.makefile("rb")

    def probe(self, trunks: tuple[str, ...]) -> list[Probe]:
        """One urgent job for each of the trunks, one after the other."""
        found = []
        for number, trunk in enumerate(trunks):
            sleep(self._chance.uniform(0, LONGEST_PAUSE_S))
            job = self._submit({
                "to": f"2{number:05d}00", "trunk": trunk, "application": "NoOp", "priority": 9,
            })  # fmt: skip
            name = f"{job['id']}.1.call"
            moved = until(lambda: self._moves.of(name), 60)  # noqa: B023
            found.append(Probe(_time(job["created"]), moved))
        return found

    def _submit(self, job: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(job).encode()
        self._line.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        status, length = self._reader.readline(), 0
        while (header := self._reader.readline()) != b"\r\n":
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        answer: dict[str, Any] = json.loads(self._reader.read(length))
        assert b" 201 " in status, answer
        return answer
