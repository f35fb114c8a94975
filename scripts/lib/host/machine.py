"""A whole host, booted by systemd-nspawn on a layer over a folder that stays as it is. Needs root."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

BOOT_LIMIT_S = 120.0
OFF_LIMIT_S = 90.0
RUN_LIMIT_S = 120.0
LOOK_EVERY_S = 0.1
POWEROFF = signal.SIGRTMIN + 4
"""What asks systemd, as process 1, for a power-off (systemd(1))."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NoBoot(Exception):
    """The host did not come up."""


class Failed(AssertionError):
    """A command on the host ended with another code than 0."""


def until(predicate: Callable[[], T], seconds: float = 60.0, what: str = "") -> T:
    """The first true answer of `predicate`. Raises AssertionError when there was none for so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := predicate():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{seconds:g} seconds went by, and still not: {what or predicate}")
        time.sleep(LOOK_EVERY_S)


class Host:
    """One host. Its changes live in `place` and go with it; `lower` is only read."""

    def __init__(self, lower: Path, place: Path) -> None:
        self.lower, self.place = lower, place
        self.root = place / "root"
        self.console = place / "console"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._group: Path | None = None
        self.init = 0
        """The process id of its process 1, as this machine sees it."""

    def mount(self) -> None:
        """Lays an empty layer over `lower`; where the kernel can't, copies it."""
        for name in ("root", "upper", "work"):
            (self.place / name).mkdir()
        layers = f"lowerdir={self.lower},upperdir={self.place}/upper,workdir={self.place}/work"
        done = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", layers, self.root], capture_output=True, check=False
        )
        if done.returncode:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{self.lower}/.", self.root], check=True)

    def boot(self) -> str:
        """Starts it and waits until systemd has started all; returns what it says of itself: running,
        degraded. Raises NoBoot."""
        command = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", "--private-network"]
        command += [f"--machine=dialerd-host-{os.getpid()}", "--register=no", "--console=pipe"]
        if not Path("/run/systemd/system").is_dir():
            self._group = _control_group()
            command += ["--keep-unit"]
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        enter = 'test -z "$1" || echo $$ >"$1/cgroup.procs"; shift; exec setpriv --pdeathsig KILL "$@"'
        with self.console.open("ab") as out:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", enter, "-", str(self._group or ""), *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            self.init = until(self._find_init, BOOT_LIMIT_S, "its process 1 is there")
            return until(self._state, BOOT_LIMIT_S, "systemd has started all")
        except AssertionError as error:
            said = self.console.read_text(errors="replace")[-2000:]
            raise NoBoot(f"{error}\n{said}") from None

    def _alive(self) -> bool:
        return self._nspawn is not None and self._nspawn.poll() is None

    def _find_init(self) -> int:
        assert self._nspawn is not None
        if not self._alive():
            raise NoBoot(self.console.read_text(errors="replace")[-2000:])
        pid = self._nspawn.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
        return 0

    def _state(self) -> str:
        if not self._alive():
            raise NoBoot(self.console.read_text(errors="replace")[-2000:])
        done = self.run(["systemctl", "is-system-running", "--wait"], check=False, timeout=BOOT_LIMIT_S)
        state = done.stdout.strip()
        return state if state in ("running", "degraded") else ""

    def enter(self, command: Sequence[str], user: str | None = None) -> list[str]:
        """The command line that runs `command` in it, by default as root."""
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        home = f"/home/{user}" if user else "/root"
        clean = ["env", "-i", f"PATH={PATH}", f"HOME={home}", "LC_ALL=C.UTF-8", "COLUMNS=200"]
        inside = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--uts", "--ipc", "--net"]
        return [*inside, "--", *who, *clean, *command]

    def run(
        self,
        command: Sequence[str],
        user: str | None = None,
        text: str | None = None,
        check: bool = True,
        timeout: float = RUN_LIMIT_S,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in it. Raises Failed, unless `check` is off."""
        done = subprocess.run(
            self.enter(command, user),
            input="" if text is None else text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
            cwd="/",
        )
        if check and done.returncode:
            shown = " ".join(command)[:300]
            raise Failed(f"{shown!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def out(self, *command: str) -> str:
        """What a command prints, run as root."""
        return self.run(command).stdout.strip()

    def start(self, command: Sequence[str], user: str | None = None) -> "subprocess.Popen[str]":
        """A command that runs beside us; its output is a pipe."""
        return subprocess.Popen(
            self.enter(command, user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd="/",
        )

    def path(self, inside: str) -> Path:
        """A file of the running host, as this machine sees it: for reading and writing, as root."""
        return Path(f"/proc/{self.init}/root{inside}")

    def read(self, inside: str) -> str:
        """A file's text, or nothing where there is none."""
        try:
            return self.path(inside).read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Writes a file, with its folders."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def copy_in(self, source: Path, inside: str) -> None:
        """Copies a file into it."""
        shutil.copy(source, self.path(inside))

    def poweroff(self) -> None:
        """Shuts it down in order; pulls the plug where that takes too long, and raises AssertionError."""
        assert self._nspawn is not None
        os.kill(self.init, POWEROFF)
        try:
            self._nspawn.wait(OFF_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.cut()
            raise AssertionError(f"the host was not off after {OFF_LIMIT_S:g} seconds") from None
        finally:
            self._clear()

    def cut(self) -> None:
        """Pulls the plug: every process in it is killed at once."""
        if self._nspawn is None:
            return
        if self._alive():
            os.kill(self.init or self._nspawn.pid, signal.SIGKILL)
        try:
            self._nspawn.wait(OFF_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._clear()

    def _clear(self) -> None:
        """Takes away its control groups, which are empty now."""
        self._nspawn, self.init = None, 0
        if self._group is not None:
            for folder, _, _ in os.walk(self._group, topdown=False):
                until(lambda: _removed(folder), 10.0, f"{folder} is empty")  # noqa: B023
            self._group = None

    def remove(self) -> None:
        """Ends it and deletes all that it wrote."""
        self.cut()
        subprocess.run(["umount", self.root], capture_output=True, check=False)
        shutil.rmtree(self.place, ignore_errors=True)


def _control_group() -> Path:
    """A control group of the host's own, so that it is alone in what it takes for the whole tree."""
    lines = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    ours = next(line.partition("::")[2] for line in _own_groups() if line.startswith("0::"))
    top = Path(next(line[1] for line in lines if line[2] == "cgroup2")) / ours.lstrip("/")
    group = top / f"dialerd-host-{os.getpid()}"
    group.mkdir()
    return group


def _own_groups() -> list[str]:
    return Path("/proc/self/cgroup").read_text().splitlines()


def _removed(folder: str) -> bool:
    try:
        Path(folder).rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
