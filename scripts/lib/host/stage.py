"""What the scenarios work with: the host, dialerd on it, and Asterisk's own records, which judge."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.host.machine import Host, until

HERE = Path(__file__).resolve().parent
SOCKET = "/run/dialerd/dialerd.sock"
CONFIG = "/etc/dialerd/dialerd.toml"
RECORDS = "/var/log/asterisk/cdr-csv/Master.csv"
CLERK = "clerk"
"""A plain user who may submit."""

ANSWERS, BUSY, SILENT, SHORT = "+12025550100", "+12025550101", "+12025550102", "+12025550106"
"""Numbers of the dialplan in sim.conf: their last two digits choose the far end. SHORT hangs up after
500 ms."""

ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass
class Stage:
    """One run, with the package that it tests."""

    host: Host
    package: Path
    note: Callable[[str], None] = print
    # dialerd

    def ctl(self, *arguments: str, user: str | None = None, check: bool = True) -> str:
        """What dialerctl prints."""
        return self.host.run(["dialerctl", *arguments], user, check=check).stdout

    def ctl_json(self, *arguments: str, user: str | None = None) -> Any:
        """What `dialerctl COMMAND --json` prints: one value, or a list of the values line by line."""
        text = self.ctl("--json", *arguments, user=user)
        try:
            return json.loads(text)
        except ValueError:
            return [json.loads(line) for line in text.splitlines()]

    def status(self) -> dict[str, Any]:
        """What dialerd says of itself; empty while it does not answer."""
        done = self.host.run(["dialerctl", "--json", "status"], check=False)
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def show(self, name: str, unit: str = "dialerd.service") -> str:
        """A property of a unit."""
        return self.host.out("systemctl", "show", "--value", f"--property={name}", unit)

    def main_pid(self) -> int:
        """dialerd's process id, on the host."""
        return int(self.show("MainPID"))

    def up(self, seconds: float = 60.0) -> dict[str, Any]:
        """Waits until dialerd answers and hears Asterisk; returns its status."""
        return until(self._ready, seconds, "dialerd answers and hears Asterisk")

    def _ready(self) -> dict[str, Any]:
        status = self.status()
        return status if status.get("asterisk", {}).get("ami") == "up" else {}

    def dialerd_log(self, lines: int = 30) -> str:
        """The end of its journal."""
        return self.host.run(
            ["journalctl", "--no-pager", "-u", "dialerd.service", f"--lines={lines}", "-o", "short-precise"],
            check=False,
        ).stdout

    # jobs

    def submit(self, name: str, count: int, to: str = SHORT, **fields: Any) -> list[str]:
        """Submits jobs of batch `name` as the clerk; each has an account of its own, NAME-1 to NAME-COUNT, by
        which Asterisk's records know it. Returns their ids."""
        common = {"to": to, "play": "hello-world", "trunk": "sim", **fields}
        documents = (
            {**common, "account": f"{name}-{each}", "key": f"{name}-{each}"} for each in range(1, count + 1)
        )
        lines = "".join(f"{json.dumps(document)}\n" for document in documents)
        self.host.run(
            ["dialerctl", "submit", "-", "--format", "ndjson", "--batch", name], CLERK, lines, timeout=300
        )
        found = [job["id"] for job in self.jobs(name)]
        assert len(found) == count, f"{count} jobs were submitted, and {len(found)} are there"
        return found

    def jobs(self, batch: str) -> list[dict[str, Any]]:
        """The jobs of a batch, as they stand."""
        text = self.ctl("--json", "list", "--batch", batch, "--limit", "0")
        return [json.loads(line) for line in text.splitlines()]

    def states(self, batch: str) -> Counter[str]:
        """How many jobs of a batch are in each state."""
        return Counter(job["state"] for job in self.jobs(batch))

    def all_ended(self, batch: str, seconds: float = 120.0) -> Counter[str]:
        """Waits until no job of the batch is under way or to come; held ones do not count. Returns the
        states."""

        def ended() -> Counter[str] | None:
            states = self.states(batch)
            return states if set(states) <= {*ENDED, "held"} else None

        found = until(ended, seconds, f"all jobs of {batch} have ended: {dict(self.states(batch))}")
        assert found is not None
        return found

    def some_done(self, batch: str, count: int, seconds: float = 60.0) -> None:
        """Waits until so many jobs of a batch are completed."""
        until(lambda: self.states(batch)["completed"] >= count, seconds, f"{count} of {batch} are completed")

    def resolve(self, batch: str) -> None:
        """Settles what is held of a batch, as a person would who has looked: nobody was called."""
        if held := [job["id"] for job in self.jobs(batch) if job["state"] == "held"]:
            self.ctl("resolve", "--as", "failed", *held)

    def clear(self, batch: str) -> None:
        """Cancels what is left of a batch."""
        self.ctl("batch", "cancel", batch)
        self.all_ended(batch)

    # Asterisk

    def calls(self, batch: str) -> Counter[str]:
        """How often Asterisk's records say that each account of a batch was called. The halves of a Local
        channel (;1 and ;2) are one call."""
        rows = csv.reader(io.StringIO(self.host.read(RECORDS)))
        made = {(row[0], row[5].partition(";")[0]) for row in rows if row and row[0].startswith(f"{batch}-")}
        return Counter(account for account, _ in made)

    def never_twice(self, batch: str) -> None:
        """Raises AssertionError where Asterisk called an account more than once."""
        twice = {account: times for account, times in self.calls(batch).items() if times > 1}
        assert not twice, f"called more than once: {twice}"

    def all_called_once(self, batch: str, count: int) -> None:
        """Raises AssertionError unless each of the accounts was called, and none twice."""
        wanted = Counter({f"{batch}-{each}": 1 for each in range(1, count + 1)})
        until(lambda: len(self.calls(batch)) >= count, 20.0, "Asterisk has written all its records")
        calls = self.calls(batch)
        assert calls == wanted, f"wanted each of {count} once, but: {(calls - wanted) or (wanted - calls)}"
