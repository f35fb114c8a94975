"""dialerd under strace: what it asked of the kernel, in the order in which that was done, and kills in the middle."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORDED = "pwrite64,write,fsync,fdatasync,sendto,sendmsg,rename,renameat,renameat2,unlink,unlinkat"

_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)", re.DOTALL)
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)", re.DOTALL)
_RESULT = re.compile(r"\) += (?P<result>-?\d+|\?)(?P<note>.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Syscall:
    """One system call at the moment when it was done. `done` is false where it failed, or was only pretended."""

    name: str
    arguments: str
    done: bool


def recording(to: Path) -> list[str]:
    """A command that runs the rest and records its system calls, with the paths of file descriptors."""
    options = ["-f", "-y", "--seccomp-bpf", "-s", "65536", "-o", str(to), "-e", f"trace={RECORDED}"]
    return ["strace", *options, "-e", "signal=none"]


def killing(name: str, when: int, to: Path, path: Path | None = None) -> list[str]:
    """A command that runs the rest and kills it as it enters its Nth call of `name` (of those that touch `path`).

    strace counts the calls of each thread by itself.
    """
    only = ["-P", str(path)] if path else []
    inject = f"inject={name}:signal=SIGKILL:when={when}"
    return ["strace", "-f", "--seccomp-bpf", "-o", str(to), *only, "-e", f"trace={name}", "-e", inject]


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
        ok = result is not None and not result["result"].startswith(("-", "?")) and "INJECTED" not in result["note"]
        yield Syscall(found["name"], rest[: result.start()] if result else rest, ok)
