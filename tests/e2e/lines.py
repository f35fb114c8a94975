"""Lines to the far end, each with a context of its own, and what Asterisk's call records say of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.asterisk import Asterisk

LINES = """
[line-a]   ; the record of each call says how many were on the line as it came
exten => _X.,1,Set(GROUP(line)=a)
 same => n,Set(CDR(userfield)=${GROUP_COUNT(a@line)})
 same => n,Goto(sim,${EXTEN},1)
[line-b]
exten => _X.,1,Goto(sim,${EXTEN},1)
[line-dead]   ; no call gets through
exten => _X.,1,Congestion(5)
[line-bye]    ; says never again
exten => s,1,Set(DIALERD_OPT_OUT=pressed 9)
 same => n,Hangup(16)
"""
"""Behind line-a and line-b a number's last two digits choose what the one who is called does: 01 is busy, 02
does not answer, 03 is congested, 04 does not exist, 06 answers and hangs up after half a second."""

BERLIN = ZoneInfo("Europe/Berlin")
FAR_AWAY = "Pacific/Auckland"
"""Ten to twelve hours from Berlin: where it is night when Berlin has its day around now."""


def with_lines(asterisk: Asterisk) -> Asterisk:
    """The Asterisk, with the contexts above."""
    if "[line-a]" not in (asterisk.folder / "etc" / "extensions.conf").read_text():
        asterisk.add_dialplan(LINES)
    return asterisk


def line(context: str, **options: Any) -> dict[str, Any]:
    """A trunk that leads into this context."""
    return {"channel": "Local/{digits}@" + context, **options}


def dialled(asterisk: Asterisk, line: str = "") -> Counter[str]:
    """How often a call reached each number (as E.164), on this line or on all, by Asterisk's own
    records: those of the far half of its Local channels that say what the far end did."""
    rows = (row for row in asterisk.cdr_rows() if row["channel"].endswith(";2") and row["lastapp"])
    calls = (row["channel"].removeprefix("Local/").partition("@") for row in rows)
    return Counter(f"+{digits}" for digits, _, context in calls if context.startswith(line or "line-"))


def day_of_now(hours: int = 4) -> str:
    """A window on Berlin's clock, so many hours before and after now."""
    now = datetime.now(UTC).astimezone(BERLIN)
    edges = ((now + timedelta(hours=each)).strftime("%H:00") for each in (-hours, hours))
    return "-".join(edges)


def status(daemon: Any) -> dict[str, Any]:
    """GET /v1/status."""
    return daemon.request("GET", "/v1/status")[1]


def trunks(daemon: Any) -> dict[str, dict[str, Any]]:
    """GET /v1/trunks, by name."""
    return {each["name"]: each for each in daemon.request("GET", "/v1/trunks")[1]["trunks"]}


def batch(daemon: Any, name: str) -> dict[str, Any]:
    """GET /v1/batches/NAME."""
    return daemon.request("GET", f"/v1/batches/{name}")[1]


def open_jobs(daemon: Any, name: str) -> int:
    """How many of its jobs have neither ended nor are held."""
    states = batch(daemon, name)["states"]
    return sum(states.get(each, 0) for each in ("queued", "deferred", "active", "submitted"))
