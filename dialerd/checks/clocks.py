"""Clocks: ours beside Asterisk's and the providers', whether somebody keeps it right, and the zones' data."""

import ctypes
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from dialerd.core.findings import Finding, error, note, ok, skipped, warning

CLOCK_WRONG_S = 300.0
"""So many seconds off, hours and expiry are wrong."""
CLOCK_OFF_S = 5.0

_SYNCHRONIZE = "Keep the clock right: timedatectl set-ntp true, or install chrony."
_UNSYNCHRONIZED = 5
"""TIME_ERROR, what adjtimex(2) returns while nobody keeps the clock right."""
_TIMEX_BYTES = 512
"""More than struct timex has; modes, its first word, stays 0, so that nothing is changed."""

_ZONES = (Path("/usr/share/zoneinfo/tzdata.zi"), Path("/usr/share/zoneinfo/+VERSION"))
_TRIED = ("Europe/Berlin", "America/New_York", "Asia/Singapore")
_STALE_YEARS = 2


def told_clock(name: str, whose: str, ahead_s: float) -> Finding:
    """What it means that another clock is so far ahead of ours."""
    off = abs(ahead_s)
    way = "ahead of" if ahead_s > 0 else "behind"
    if off >= CLOCK_WRONG_S:
        found = f"{whose} is {_span(off)} {way} dialerd's: calling hours and expiry would be wrong."
        return error(name, found, f"Find out which of the two is right. {_SYNCHRONIZE}")
    if off >= CLOCK_OFF_S:
        return warning(name, f"{whose} is {_span(off)} {way} dialerd's.", _SYNCHRONIZE)
    return ok(name, f"{whose} agrees with dialerd's.")


def provider_clocks(ahead: Mapping[str, float]) -> Iterator[Finding]:
    """The clocks of providers, as the Date headers of their answers tell them (to a second, and late)."""
    off = {name: seconds for name, seconds in ahead.items() if abs(seconds) >= CLOCK_OFF_S * 2}
    for name, seconds in off.items():
        yield told_clock("provider clock", f"The clock of {name}", seconds)
    if ahead and not off:
        yield ok("provider clock", f"The clocks of {', '.join(ahead)} agree with dialerd's.")


def synchronized() -> Iterator[Finding]:
    """Whether something keeps this machine's clock right, by the kernel's word. Not for a sandboxed service:
    the call may be one that its system call filter kills it for."""
    libc = ctypes.CDLL(None, use_errno=True)
    state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        yield skipped("clock", "The kernel does not tell whether the clock is kept right.")
    elif state == _UNSYNCHRONIZED:
        yield warning("clock", "Nothing keeps this machine's clock right.", _SYNCHRONIZE)
    else:
        yield ok("clock", "This machine's clock is kept right.")


def zones(named: Iterable[str], versions: Iterable[Path] = _ZONES) -> Iterator[Finding]:
    """The data of time zones: there, and not too old. `named` are those of the configuration."""
    missing = sorted(name for name in {*named, *_TRIED} if not _known(name))
    if missing:
        found = f"There is no time zone {', '.join(missing)} on this machine: hours there can't be kept."
        yield error("time zones", found, "Install the zones: apt install tzdata (and tzdata-legacy).")
        return
    version = next(filter(None, map(_version, versions)), None)
    if version is None:
        yield ok("time zones", "The time zones' data are there.")
    elif int(version[:4]) <= datetime.now().year - _STALE_YEARS:
        found = f"The time zones' data are of {version}: some clocks have changed their rules since."
        yield warning("time zones", found, "Bring them up to date: apt install tzdata.")
    else:
        yield ok("time zones", f"The time zones' data are of {version}.")


def zone_of_machine() -> Iterator[Finding]:
    """Which zone the log and the client show."""
    yield note("time zone", f"This machine's time zone is {datetime.now().astimezone().strftime('%Z, %z')}.")


def _known(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _version(path: Path) -> str | None:
    try:
        with path.open() as file:
            found = re.search(r"\b(20\d\d[a-z]?)\b", file.readline())
    except OSError:
        return None
    return found[1] if found else None


def _span(seconds: float) -> str:
    for size, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"
