"""A real Asterisk for the tests, private to them, on folders and loopback ports of its own."""

import csv
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.ports import free_port
from tests.users import ASTERISK_GID, ASTERISK_UID, ROOT, as_asterisk, give, share
from tests.waiting import until

PROJECT = Path(__file__).resolve().parent.parent
SUITES = {22: "sid", 16: "bullseye"}
CDR_FIELDS = tuple(
    """accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec
    disposition amaflags uniqueid userfield""".split()  # noqa: SIM905
)
_BOOT_LIMIT_S = 60.0


class NoAsterisk(AssertionError):
    """There is no Asterisk to test with: the tests fail, they are not skipped."""


def asterisk_root(version: int) -> Path:
    """The folder of that version's Asterisk: $DIALERD_ASTERISK_<version>, or where scripts/test puts it."""
    suite = SUITES[version]
    root = Path(os.environ.get(f"DIALERD_ASTERISK_{version}", PROJECT / ".cache" / f"asterisk-{suite}"))
    if not (root / "asterisk").exists():
        raise NoAsterisk(
            f"There is no Asterisk {version} in {root}. Make it: scripts/get-asterisk {root} {suite}"
        )
    return root


class Asterisk:
    """One instance. As root it runs as its own unprivileged user, and its spool is open to that user's group.

    `options` are lines of asterisk.conf's [options], such as {"maxcalls": "2"}. With `own_pids` each start is
    process 1 of a fresh pid namespace, as in a container (root only).
    """

    def __init__(
        self, version: int = 22, options: Mapping[str, str] | None = None, own_pids: bool = False
    ) -> None:
        self.version = version
        self._own_pids = own_pids
        self._env = {**os.environ, "ASTERISK_ROOT": str(asterisk_root(version))}
        self.folder = give(
            Path(tempfile.mkdtemp(prefix="ast-", dir="/tmp")), ASTERISK_UID, ASTERISK_GID, 0o755
        )
        (self.folder / "ports").write_text(f"AMI_PORT={free_port()}\nSIP_PORT={free_port()}\n")
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run([*as_asterisk(), *self._command("--make")], env=self._env, check=True)
        share([self.spool, self.outgoing, self.outgoing_done])
        self.configure(
            "asterisk.conf", "".join(f"{name} = {value}\n" for name, value in (options or {}).items())
        )

    def _command(self, *options: str) -> list[str]:
        return [str(PROJECT / "scripts" / "run-asterisk"), str(self.folder), *options]

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def outgoing(self) -> Path:
        return self.spool / "outgoing"

    @property
    def outgoing_done(self) -> Path:
        return self.spool / "outgoing_done"

    @property
    def ami_port(self) -> int:
        return int(dict(line.split("=") for line in (self.folder / "ports").read_text().split())["AMI_PORT"])

    @property
    def pid(self) -> int:
        """Asterisk's process id, as the tests see it."""
        assert self._process is not None, "Asterisk was not started"
        pid = self._process.pid
        if self._own_pids:  # it is the child of `unshare`, which ends when it does
            pid = int(until(Path(f"/proc/{pid}/task/{pid}/children").read_text))
        return pid

    def start(self) -> "Asterisk":
        """Starts it and waits until it has booted and its spool takes call files."""
        assert self._process is None, "Asterisk is running already"
        (self.folder / "ready").unlink(missing_ok=True)
        namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] if self._own_pids else []
        assert ROOT or not namespace, "own_pids needs root"
        self._process = subprocess.Popen(
            [*namespace, *as_asterisk(), *self._command()],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._booted, _BOOT_LIMIT_S)
        self._wait_for_spool()
        return self

    def _booted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Asterisk ended as it began:\n{self.log_text()[-2000:]}"
        return (self.folder / "ready").exists()

    def _wait_for_spool(self) -> None:
        """pbx_spool asks once a second whether Asterisk is up; a file without a channel it then deletes."""
        probe = self.outgoing / "probe.call"
        probe.write_text("Application: NoOp\n")
        give(probe, ASTERISK_UID, ASTERISK_GID, 0o660)
        until(lambda: not probe.exists(), _BOOT_LIMIT_S)

    def stop(self) -> None:
        """SIGTERM: calls are hung up. Does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, in the middle of everything."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            for each in (number, signal.SIGCONT):
                os.kill(self.pid, each)
        self._process.wait(_BOOT_LIMIT_S)
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: it is there and says nothing, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Ends it and deletes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cli(self, command: str) -> str:
        """What Asterisk's console answers to the command."""
        return subprocess.run(
            [str(self.folder / "cli"), command],
            capture_output=True,
            text=True,
            timeout=_BOOT_LIMIT_S,
            check=False,
        ).stdout

    def configure(self, name: str, text: str) -> None:
        """Appends to a file of etc/; it counts from the next start on."""
        with (self.folder / "etc" / name).open("a") as file:
            file.write(text)

    def add_dialplan(self, text: str) -> None:
        """Adds contexts to the running dialplan."""
        self.configure("extensions.conf", f"\n{text}\n")
        self.cli("dialplan reload")

    def log_text(self) -> str:
        path = self.folder / "log" / "full"
        return path.read_text(errors="replace") if path.exists() else ""

    def cdr_rows(self, account: str | None = None) -> list[dict[str, str]]:
        """Asterisk's own call records, or those of one account."""
        path = self.folder / "log" / "cdr-csv" / "Master.csv"
        if not path.exists():
            return []
        with path.open(newline="") as file:
            rows = [dict(zip(CDR_FIELDS, row, strict=False)) for row in csv.reader(file)]
        return [row for row in rows if account in (None, row["accountcode"])]

    def calls_made(self, account: str) -> int:
        """How many calls Asterisk made for this account. The halves of a Local channel (;1, ;2) are one; what
        a dialplan dials further on counts too, so this is for direct channels."""
        return len({row["channel"].partition(";")[0] for row in self.cdr_rows(account)})
