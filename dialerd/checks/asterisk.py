"""What is right and wrong about Asterisk and its manager (AMI), from what it says of itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from dialerd.checks.clocks import CLOCK_WRONG_S, told_clock
from dialerd.core.findings import Finding, error, note, ok, skipped, warning
from dialerd.pbx.asking import AmiFacts

OLDEST = 16
"""The oldest major version that dialerd is tried with."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "call": ("Setvar", "Hangup"),
    "reporting": ("CoreSettings", "CoreStatus", "CoreShowChannels"),
    "system": ("Filter",),
}
"""Write classes by the actions that dialerd sends and that they allow."""

READ = ("call", "dialplan", "system")
"""Read classes without which dialerd does not learn what becomes of calls; `cdr` makes it better."""

DANGEROUS = frozenset(("all", "command", "originate", "config", "agi"))
"""Write classes with which whoever has the secret calls, or runs commands, as he likes."""

_RELOAD = "then run: asterisk -rx 'manager reload'"
_LISTEN = "0A"
"""TCP_LISTEN, as /proc/net/tcp writes it (proc(5))."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration says of Asterisk."""

    host: str
    port: int
    username: str
    spool: Path
    max_calls: int


def findings(facts: AmiFacts, expected: Expected) -> Iterator[Finding]:
    """Everything that can be told from what Asterisk says."""
    if facts.unreachable:
        todo = "Start Asterisk, and set enabled = yes in manager.conf; or mend host and port under [ami]."
        yield error("ami", facts.unreachable, todo)
    elif facts.refused:
        todo = (
            f"Let the secret of [{expected.username}] in manager.conf be the one that [ami] reads, and its"
            f" permit lines let this machine in; {_RELOAD}."
        )
        yield error("ami", facts.refused, todo)
    else:
        yield ok("ami", f"Asterisk lets {expected.username} in at {expected.host}:{expected.port}.")
        yield from _rights(facts, expected.username)
        yield from _modules(facts)
        yield from _spool(facts, expected)
        yield from _limits(facts, expected)
        yield _version(facts.version)
        yield from clock(facts)


def _rights(facts: AmiFacts, user: str) -> Iterator[Finding]:
    missing = [name for name, actions in NEEDED.items() if not facts.actions.issuperset(actions)]
    if missing:
        found = f"{user} lacks the write class{'es'[: 2 * (len(missing) > 1)]} {', '.join(missing)}."
        yield error("ami rights", found, _line(user, "write", {*facts.classes, *missing}))
    read = facts.read
    if read is None:
        yield skipped("ami events", f"Which events {user} may read could not be asked.")
    elif lacking := [name for name in READ if not read & {name, "all"}]:
        found = f"{user} lacks the read class{'es'[: 2 * (len(lacking) > 1)]} {', '.join(lacking)}."
        yield error("ami events", found, _line(user, "read", {*read, *lacking, "cdr"}))
    elif not read & {"cdr", "all"}:
        found = f"{user} may not read cdr: that an application does not exist is not seen."
        yield note("ami events", found, _line(user, "read", {*read, "cdr"}))
    if wide := sorted(facts.classes & DANGEROUS):
        found = f"{user} has more rights than dialerd uses: write = {', '.join(wide)}."
        yield warning("ami rights", found, _line(user, "write", set(NEEDED)))
    elif not missing:
        yield ok("ami rights", f"{user} has the classes that dialerd uses, and none that is dangerous.")


def _line(user: str, name: str, classes: set[str]) -> str:
    return f"In manager.conf, under [{user}]: {name} = {','.join(sorted(classes))}; {_RELOAD}."


def _modules(facts: AmiFacts) -> Iterator[Finding]:
    spool, records = facts.modules.get("pbx_spool"), facts.modules.get("cdr_manager")
    if spool is None:
        yield skipped(
            "pbx_spool", "Whether pbx_spool is loaded could not be asked: that takes write = system."
        )
    elif spool:
        yield ok("pbx_spool", "Asterisk's module that takes call files is loaded.")
    else:
        found = "Asterisk has not loaded pbx_spool.so: it takes no call files."
        yield error(
            "pbx_spool", found, "Run: asterisk -rx 'module load pbx_spool.so', and mend modules.conf."
        )
    if records is False:
        found = "cdr_manager.so is not loaded: that an application does not exist is not seen."
        yield note("cdr_manager", found, "Load it, with enabled = yes in cdr_manager.conf; it is optional.")


def _spool(facts: AmiFacts, expected: Expected) -> Iterator[Finding]:
    if facts.spool and Path(facts.spool).resolve() != expected.spool.resolve():
        found = f"Asterisk's astspooldir is {facts.spool}, but dialerd's spool is {expected.spool}."
        yield error("spool", found, f'Set spool = "{facts.spool}" under [asterisk].')


def _limits(facts: AmiFacts, expected: Expected) -> Iterator[Finding]:
    if 0 < facts.max_calls < expected.max_calls:
        found = (
            f"Asterisk takes {facts.max_calls} calls at most (maxcalls), max_calls is {expected.max_calls}."
        )
        todo = "Nothing breaks: dialerd keeps to the lower one. Raise maxcalls in asterisk.conf for more."
        yield note("call limit", found, todo)
    if facts.max_load > 0:
        found = f"Asterisk refuses calls while the machine's load is over {facts.max_load:g} (maxload)."
        yield note("load limit", found, "Calls then end in congestion, and are tried again.")


def _version(text: str) -> Finding:
    major = re.match(r"(?:certified[-/])?(\d+)", text)
    if major is None:
        return note("asterisk version", f"Asterisk's version can't be told from {text[:40]!r}.")
    if int(major[1]) < OLDEST:
        found = f"Asterisk {text} is older than any that dialerd is tried with."
        return warning("asterisk version", found, f"Use Asterisk {OLDEST} or newer.")
    return ok("asterisk version", f"Asterisk {text}.")


def clock(facts: AmiFacts) -> Iterator[Finding]:
    """Asterisk's clock beside ours, and its zone."""
    if facts.ahead_s is not None:
        yield told_clock("asterisk clock", "Asterisk's clock", facts.ahead_s)
    ours = datetime.now().astimezone().utcoffset() or timedelta()
    if facts.zone is not None and abs(_offset(facts.zone) - ours) >= timedelta(seconds=CLOCK_WRONG_S):
        found = f"Asterisk lives in another time zone than dialerd ({facts.zone})."
        yield note(
            "asterisk clock", found, "Hours are not touched by it; times in Asterisk's log are its own."
        )


def _offset(zone: str) -> timedelta:
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    return -size if zone[0] == "-" else size


def openness(host: str, port: int, tables: Mapping[str, str]) -> Iterator[Finding]:
    """Whether AMI, which is clear text, is to be seen from elsewhere.

    `tables` are the texts of /proc/net/tcp and tcp6. An Asterisk on another machine is not in them.
    """
    if not _is_loopback(host):
        found = f"AMI is asked at {host}: its secret and all it tells go over the network in clear text."
        yield warning("ami address", found, "Run dialerd on Asterisk's own machine, or use a tunnel.")
        return
    seen = {_shown(each) for text in tables.values() for each in _listeners(text, port)}
    if open_ := sorted(each for each in seen if not _is_loopback(each)):
        found = f"AMI listens on {', '.join(open_)}, so that whoever reaches this machine reaches it."
        todo = f"In manager.conf, under [general]: bindaddr = 127.0.0.1; {_RELOAD}."
        yield warning("ami address", found, todo)
    elif seen:
        yield ok("ami address", f"AMI listens on {', '.join(sorted(seen))} only.")


def _listeners(text: str, port: int) -> Iterator[str]:
    """The addresses in hexadecimal on which a port is listened at."""
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 3 and words[3] == _LISTEN:
            address, _, at = words[1].partition(":")
            if int(at, 16) == port:
                yield address


def _shown(hexadecimal: str) -> str:
    """An address of /proc/net/tcp: words of 32 bits in the machine's order."""
    data = bytes.fromhex(hexadecimal)
    words = [data[place : place + 4][::-1] for place in range(0, len(data), 4)]
    return str(ip_address(b"".join(words)))


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
