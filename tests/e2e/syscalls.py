"""dialerd under strace: what it asked of the kernel, in the order in which that was done, and kills in the
middle."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import until

RECORDED = "pwrite64,write,fsync,fdatasync,sendto,sendmsg,rename,renameat,renameat2,unlink,unlinkat"

_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)", re.DOTALL)
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)", re.DOTALL)
_RESULT = re.compile(r"\) += (?P<result>-?\d+|\?)(?P<note>.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Syscall:
    """One system call at the moment when it was done. `done` is false where it failed, or was only
    pretended."""

    name: str
    arguments: str
    done: bool


def recording(to: Path, names: str = RECORDED) -> list[str]:
    """A command that runs the rest and records its system calls, with the paths of file descriptors."""
    options = ["-f", "-y", "--seccomp-bpf", "-s", "65536", "-o", str(to), "-e", f"trace={names}"]
    return ["strace", *options, "-e", "signal=none"]


class Assassin:
    """Attaches to a running process, all its threads, and kills it as a thread enters its Nth call of `name`.
    Each thread counts by itself.

    With `path`, only calls that touch that path count.
    """

    def __init__(self, pid: int, name: str, when: int, path: Path | None, log: Path) -> None:
        only = ["-P", str(path)] if path else []
        command = ["strace", "-f", "-p", str(pid), "-o", str(log), *only]
        command += ["-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={when}"]
        self._said = log.with_suffix(".said")
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=said)
        until(lambda: "attached" in self._said.read_text() or self._process.poll() is not None)
        assert "attached" in self._said.read_text(), self._said.read_text()

    def wait(self) -> None:
        """Until it has ended, which it does with its victim."""
        self._process.wait(60)


def pretending(names: str, to: Path) -> list[str]:
    """As recording(), but these calls are not done, and say that they were."""
    return [*recording(to), "-e", f"inject={names}:retval=0"]


def read(path: Path) -> Iterator[Syscall]:
    """The calls of a recording, each where it ended."""
    begun: dict[tuple[str, str], str] = {}
    for line in path.read_text(errors="replace").splitlines():
        resumed = _RESUMED.match(line)
        found = resumed or _LINE.match(line)
        if found is None:
            continue
        key = found["pid"], found["name"]
        rest = begun.pop(key, "") + found["rest"] if resumed else found["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[key] = rest.removesuffix("<unfinished ...>")
            continue
        result = _RESULT.search(rest)
        ok = (
            result is not None
            and not result["result"].startswith(("-", "?"))
            and "INJECTED" not in result["note"]
        )
        yield Syscall(found["name"], rest[: result.start()] if result else rest, ok)
