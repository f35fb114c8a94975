"""What anybody can see of this machine: the kernel's limits, Asterisk's process, and how dialerd is run.

The daemon's sandbox may hide some of it (proc(5) behind ProtectProc= and ProcSubset=), so that the client
looks too.
"""

import ctypes
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dialerd.core.findings import Finding, error, note, ok, skipped, warning

PROC = Path("/proc")

FILES_EACH = 4
"""Open files that a call takes at least (a Local channel; seen on 16 and 22). Others take more."""
FILES_FULL, FILES_SPARE = 8, 256

EVENTS_EACH, LEAST_EVENTS = 3, 16_384
"""Events in Asterisk's queue for a call file; the kernel's default length of that queue."""
_LEAST = {"max_user_watches": 1024, "max_user_instances": 16}
_EMFILE = 24
_CHOWN_ONLY = 1
"""CAP_CHOWN is capability 0 (capabilities(7))."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that seems to be Asterisk's."""

    pid: int
    uid: int
    files: int


def inotify(window: int, proc: Path = PROC) -> Iterator[Finding]:
    """The kernel's limits for watching folders. `window`: call files that may lie in `outgoing` at once."""
    folder = proc / "sys/fs/inotify"
    try:
        found = {name: int((folder / name).read_text()) for name in (*_LEAST, "max_queued_events")}
    except (OSError, ValueError):
        yield skipped("inotify", "The kernel's limits for watching folders can't be seen from here.")
        return
    least = {**_LEAST, "max_queued_events": min(LEAST_EVENTS, EVENTS_EACH * window)}
    low = {name: value for name, value in least.items() if found[name] < value}
    for name, value in low.items():
        why = "Asterisk would overlook call files" if name == "max_queued_events" else "folders go unwatched"
        todo = f"Run: sysctl fs.inotify.{name}={max(value, LEAST_EVENTS)}, and write it into /etc/sysctl.d/."
        yield warning("inotify", f"fs.inotify.{name} is {found[name]}: {why}.", todo)
    if not low:
        yield ok("inotify", "The kernel's limits for watching folders are wide enough.")


def watching() -> Iterator[Finding]:
    """Whether this user can watch one more folder right now (inotify_init1(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    at = libc.inotify_init1(os.O_CLOEXEC)
    if at >= 0:
        os.close(at)
    elif ctypes.get_errno() == _EMFILE:
        found = "This user watches as many folders as the kernel allows: new files are seen seconds late."
        yield warning("inotify", found, "Run: sysctl fs.inotify.max_user_instances=512")


def asterisks(user: int | None, proc: Path = PROC) -> list[Process]:
    """The processes that seem to be Asterisk, of this user or of any."""
    found = []
    for path in proc.glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_bytes().split(b"\0")[:4]
            uid = path.stat().st_uid
            if (user is None or uid == user) and any(
                Path(os.fsdecode(each)).name == "asterisk" for each in arguments
            ):
                found.append(Process(int(path.name), uid, _files(path / "limits")))
        except (OSError, ValueError):
            continue
    return found


def _files(path: Path) -> int:
    """The soft limit of open files; unlimited is a very large one."""
    line = next(line for line in path.read_text().splitlines() if line.startswith("Max open files"))
    soft = line.split()[3]
    return int(soft) if soft.isdigit() else 1 << 40


def asterisk_files(user: int | None, max_calls: int, proc: Path = PROC) -> Iterator[Finding]:
    """Asterisk's limit of open files. With too few it deletes call files that it can't open, without a
    trace."""
    found = asterisks(user, proc)
    if not found:
        yield skipped(
            "asterisk files", "Asterisk's process can't be seen from here, nor how many files it may open."
        )
        return
    least = min(found, key=lambda each: each.files)
    need, full = FILES_EACH * max_calls, FILES_FULL * max_calls + FILES_SPARE
    todo = (
        f"Give asterisk.service LimitNOFILE={max(full, 65536)} (systemctl edit asterisk), and restart"
        " Asterisk; or lower max_calls under [asterisk]."
    )
    told = f"Asterisk (pid {least.pid}) may open {least.files} files"
    if least.files < need:
        yield error(
            "asterisk files", f"{told}: {max_calls} calls at once need more, and call files are lost.", todo
        )
    elif least.files < full:
        yield warning("asterisk files", f"{told}: that is little for {max_calls} calls at once.", todo)
    else:
        yield ok("asterisk files", f"{told}: enough for {max_calls} calls at once.")


def service(environ: Mapping[str, str], proc: Path = PROC) -> Iterator[Finding]:
    """How this process is run: by systemd or not, watched or not, with which privileges."""
    state = _status(proc / "self/status")
    yield from _privileges(state)
    under_systemd = environ.keys() & {"NOTIFY_SOCKET", "INVOCATION_ID"}
    if environ.get("container") and not under_systemd:
        yield ok("service", "dialerd runs in a container, whose engine starts it again.")
    elif not under_systemd:
        found = "dialerd does not run under systemd: nobody starts it again where it ends."
        yield note("service", found, "Run it as a service: systemctl enable --now dialerd.")
    elif not environ.get("WATCHDOG_USEC"):
        found = "systemd does not watch dialerd: nobody ends it where it hangs."
        yield note("service", found, "Set WatchdogSec= in its unit, as ours has it.")
    elif state.get("NoNewPrivs") == "0":
        found = "dialerd runs under systemd without a sandbox (NoNewPrivileges is off)."
        yield note("service", found, "Use the unit that dialerd ships.")
    else:
        yield ok("service", "systemd starts dialerd, watches it and confines it.")


def _privileges(state: Mapping[str, str]) -> Iterator[Finding]:
    has = int(state.get("CapEff", "0"), 16)
    if os.geteuid() == 0:
        found = "dialerd runs as root, which it need not."
        yield warning("privileges", found, "Run it as a user of its own with CAP_CHOWN, as our unit does.")
    elif has & ~_CHOWN_ONLY:
        found = f"dialerd has more capabilities than CAP_CHOWN ({has:#x})."
        yield warning("privileges", found, "Let CapabilityBoundingSet= in its unit be CAP_CHOWN.")
    else:
        name = _user(os.geteuid())
        yield ok(
            "privileges", f"dialerd runs as {name}, with {'CAP_CHOWN only' if has else 'no capability'}."
        )


def _status(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
