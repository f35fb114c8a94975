"""The real dialerd as a process on folders of its own, fed by socket and folder, killed and started."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.asterisk import PROJECT, Asterisk
from tests.users import ASTERISK_UID, DIALERD_GID, DIALERD_UID, ROOT, as_dialerd, give
from tests.waiting import until

_START_LIMIT_S = 60.0

_TRACEABLE = (
    "import ctypes; ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0);"
    "from dialerd.daemon import main;"
)
"""PR_SET_PTRACER, PR_SET_PTRACER_ANY (prctl(2)): lets the tests trace it, where they do not run as root."""

_STOPPED = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP);"

ANYTHING_GOES: dict[str, dict[str, Any]] = {
    "calls": {
        "default_country": "DE",
        "destinations": ["*"],
        "applications": ["*"],
        "contexts": ["*"],
        "channels": ["*"],
        "functions": ["*"],
    },
    "trunks.sim": {"channel": "Local/{digits}@sim", "extensions": ["X."]},
}


class Daemon:
    """One daemon on the spool of `asterisk`. As root it runs as an unprivileged user, with CAP_CHOWN only.

    `settings` are sections of the configuration, laid over defaults that allow everything. `ami=False` leaves
    AMI out. `wrapper` is a command that the daemon is run under, such as strace.
    """

    def __init__(
        self,
        spool: Path | Asterisk,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        ami: bool = True,
        wrapper: Sequence[str] = (),
        state: Path | None = None,
    ) -> None:
        self.folder = give(Path(tempfile.mkdtemp(prefix="dlr-", dir="/tmp")), DIALERD_UID, DIALERD_GID, 0o755)
        self.asterisk = spool if isinstance(spool, Asterisk) else None
        self.spool = spool.spool if isinstance(spool, Asterisk) else spool
        self.wrapper = list(wrapper)
        self.extra_environment: dict[str, str] = {}
        self.descriptors: list[int] = []
        self.state = state or self.folder / "state"
        self.socket, self.drop_folder = self.folder / "dialerd.sock", self.folder / "jobs"
        self.settings: dict[str, dict[str, Any]] = {
            "socket": {"path": str(self.socket), "mode": "0666"},
            "drop_folder": {"path": str(self.drop_folder)},
            "asterisk": {"spool": str(self.spool), "user": str(ASTERISK_UID) if ROOT else ""},
            **({"ami": self._ami()} if ami and self.asterisk else {}),
            **ANYTHING_GOES,
        }
        for name, section in (settings or {}).items():
            self.settings[name] = {**self.settings.get(name, {}), **section}
        self._process: subprocess.Popen[bytes] | None = None
        self._stops = False
        self.write_config()

    def _ami(self) -> dict[str, Any]:
        assert self.asterisk is not None
        secret = (
            give(self.folder / "secret", DIALERD_UID, DIALERD_GID)
            if (self.folder / "secret").exists()
            else None
        )
        if secret is None:
            (self.folder / "secret").write_text("secret\n")
            give(self.folder / "secret", DIALERD_UID, DIALERD_GID, 0o600)
        return {"port": self.asterisk.ami_port, "secret_file": str(self.folder / "secret")}

    @property
    def drop(self) -> Path:
        """Where job files go."""
        return self.drop_folder / "drop"

    @property
    def rejected(self) -> Path:
        """Where refused files and their reasons are."""
        return self.drop_folder / "rejected"

    @property
    def pid(self) -> int:
        """The process id of what was started (the wrapper's, where there is one)."""
        assert self._process is not None, "dialerd was not started"
        return self._process.pid

    def write_config(self) -> Path:
        """Writes the configuration file from `settings`."""
        lines = [f"state_dir = {json.dumps(str(self.state))}"]
        for name, section in self.settings.items():
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in section.items())]
        path = self.folder / "dialerd.toml"
        path.write_text("\n".join(lines) + "\n")
        return give(path, DIALERD_UID, DIALERD_GID, 0o644)

    def command(self, *options: str) -> list[str]:
        """The daemon's command line."""
        config = ["--config", str(self.folder / "dialerd.toml")]
        code = f"{_TRACEABLE} {_STOPPED if self._stops else ''} main()"
        return [*self.wrapper, *as_dialerd(), sys.executable, "-c", code, *config, *options]

    def environment(self) -> dict[str, str]:
        """A bare environment: nothing of the tests' own leaks in."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            **self.extra_environment,
        }

    def start(self, wait: bool = True) -> "Daemon":
        """Starts it, and by default waits until its socket answers."""
        assert self._process is None, "dialerd runs already"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=self.descriptors,
            )
        if wait:
            until(self.answers, _START_LIMIT_S)
        return self

    def load(self) -> "Daemon":
        """Starts it as far as Python has read its code, and stops it there: go_on() lets it begin."""
        self._stops = True
        self.start(wait=False)
        self._stops = False
        stat = Path(f"/proc/{self.pid}/stat")
        until(lambda: stat.read_text().rpartition(") ")[2][0] == "T", _START_LIMIT_S)
        return self

    def go_on(self) -> None:
        """Lets it begin."""
        os.kill(self.pid, signal.SIGCONT)

    def answers(self) -> bool:
        """Whether GET /healthz answers. Raises AssertionError when the process has ended."""
        assert self._process is not None
        assert self._process.poll() is None, f"dialerd ended as it began:\n{self.log()[-3000:]}"
        try:
            return self.request("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def wait_for_end(self, seconds: float = 60.0) -> int:
        """Waits for the process to end by itself; returns its exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """kill -9."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            for pid in self._pids():
                os.kill(pid, number)
        return self.wait_for_end()

    def _pids(self) -> list[int]:
        """The daemon's process, which is its wrapper's child where there is a wrapper."""
        if not self.wrapper:
            return [self.pid]
        return [
            int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        ] or [self.pid]

    def restart(self) -> None:
        """Stops and starts it."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends it and deletes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """All that it has logged."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request on its own connection: status and parsed body. Raises OSError where nobody answers."""
        connection = _Unix(self.socket)
        try:
            data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text
        finally:
            connection.close()

    def submit(self, **job: Any) -> dict[str, Any]:
        """Submits a job over the socket; returns it as accepted."""
        status, answer = self.request("POST", "/v1/jobs", job)
        assert status in (200, 201), answer
        return answer

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as it stands now."""
        return self.request("GET", f"/v1/jobs/{job_id}")[1]

    def ended(self, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """The job, once it has come to an end or is held."""
        last = ("completed", "failed", "expired", "cancelled", "held")
        until(lambda: self.job(job_id)["state"] in last, seconds)
        return self.job(job_id)

    def jobs(self, query: str = "") -> list[dict[str, Any]]:
        """The newest jobs."""
        return self.request("GET", f"/v1/jobs?limit=1000&{query}")[1]["jobs"]

    def put(self, name: str, content: str | bytes) -> None:
        """Drops a job file, as a careful writer does: under another name, then renamed."""
        path = self.drop / f".{name}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o644)
        path.rename(self.drop / name)

    def client(self) -> Any:
        """A dialerd.client.Client for this daemon."""
        from dialerd.client import Client

        return Client(str(self.socket))

    def ctl_command(self) -> list[str]:
        """How to run dialerctl against this daemon."""
        return [sys.executable, "-c", "from dialerd.cli import main; main()"]

    def ctl_environment(self) -> dict[str, str]:
        """Its environment."""
        return {**self.environment(), "DIALERD_SOCKET": str(self.socket)}

    def ctl(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs dialerctl as a process."""
        return subprocess.run(
            [*self.ctl_command(), *arguments],
            env=self.ctl_environment(),
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("dialerd", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise
