"""A campaign of 500 numbers over two trunks, of every kind that there is, and all that dialerd says of it."""

import csv
import json
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from subprocess import CompletedProcess

from tests.daemon import Daemon
from tests.e2e.lines import FAR_AWAY, day_of_now, line, open_jobs
from tests.users import DIALERD_GID, DIALERD_UID, give
from tests.waiting import until

ROWS = {
    "answers": 300, "busy": 50, "silent": 30, "unknown": 10,
    "stopped": 40, "asleep": 30, "abroad": 15, "premium": 10, "emergency": 5, "invalid": 10,
}  # fmt: skip
"""How many rows there are of each kind: 500."""

_FAR_END = {"answers": "06", "busy": "01", "silent": "02", "unknown": "04"}
CHANNELS = 6

TEMPLATE = """
to = "{phone}"
context = "job"
extension = "s"
hours = "day"
recipient_timezone = "{zone}"
retry = "quick"
wait_time = 1
key = "spring/{no}"
tags = ["spring", "{group}"]

[variables]
name = "{first name}"
"""


@dataclass
class Campaign:
    """What was handed in, what dialerctl said, and what stands in the log and in the report."""

    numbers: dict[str, str]
    said: dict[str, CompletedProcess[str]] = field(default_factory=dict)
    log: list[dict[str, object]] = field(default_factory=list)
    report: list[dict[str, str]] = field(default_factory=list)

    def of(self, *kinds: str) -> set[str]:
        """The numbers of these kinds of rows."""
        return {number for number, kind in self.numbers.items() if kind in kinds}


def numbers() -> dict[str, str]:
    """Each number with its kind; the last two digits of German ones choose the far end."""
    places = count(100)
    made: dict[str, str] = {}
    for kind, many in ROWS.items():
        for _ in range(many):
            place = next(places)
            made[_number(kind, place)] = kind
    return made


def _number(kind: str, place: int) -> str:
    match kind:
        case "abroad":
            return f"+331234{place:03}06"
        case "premium":
            return f"+499003{place:04}06"
        case "emergency":
            return f"112{'*' * (place % 5 + 1)}"
        case "invalid":
            return f"nobody {place}"
        case _:
            return f"+493012{place:03}{_FAR_END.get(kind, '06')}"


def settings(folder: Path) -> dict[str, dict[str, object]]:
    """The configuration: a trunk of few channels, and another for what it has no way for."""
    return {
        "calls": {"destinations": ["DE", "AT"], "default_trunk": "narrow"},
        "trunks.narrow": line("line-a", max_channels=CHANNELS, calls_per_second=200),
        "trunks.wide": line("line-b", max_channels=30),
        "[routes]": {"destinations": ["DE"], "trunks": ["narrow", "wide"]},
        "hours.day": {"windows": [day_of_now()]},
        "retry.quick": {"max_dials": 3},
        "retry.quick.busy": {"delay": "1s", "growth": 1, "jitter": 0, "count": 1},
        "retry.quick.noanswer": {"count": 0},
        "stop_lists.customers": {"file": str(folder / "stop.csv"), "reason": "wrote to us"},
    }


def run(daemon: Daemon, folder: Path) -> Campaign:
    """Looks first, submits, waits until all that may be called has been, and asks for the report."""
    campaign = Campaign(numbers())
    leads, template, log = folder / "leads.csv", folder / "job.toml", folder / "rows.ndjson"
    leads.write_text(_leads(campaign))
    template.write_text(TEMPLATE)
    asked = ("submit", str(leads), "--template", str(template), "--batch", "spring")
    said = campaign.said
    said["dry run"] = daemon.ctl(*asked, "--dry-run")
    said["dry run, json"] = daemon.ctl("--json", *asked, "--dry-run")
    said["submit"] = daemon.ctl(*asked, "--log", str(log))
    said["show, at once"] = daemon.ctl("batch", "show", "spring")
    until(lambda: open_jobs(daemon, "spring") == ROWS["asleep"], 90)
    said["show"] = daemon.ctl("batch", "show", "spring")
    said["show, json"] = daemon.ctl("--json", "batch", "show", "spring")
    said["report"] = daemon.ctl(
        "batch", "report", "spring", "--csv", str(folder / "r.csv"), "--log", str(log)
    )
    said["again"] = daemon.ctl(*asked)
    said["stats"] = daemon.ctl("stats", "--since", "1h")
    campaign.log = [json.loads(each) for each in log.read_text().splitlines()]
    with (folder / "r.csv").open(newline="") as file:
        campaign.report = list(csv.DictReader(file))
    return campaign


def prepare(folder: Path) -> None:
    """Writes the stop list."""
    stopped = (number for number, kind in numbers().items() if kind == "stopped")
    path = folder / "stop.csv"
    path.write_text("".join(f"{number},letter\n" for number in stopped))
    give(path, DIALERD_UID, DIALERD_GID, 0o644)


def _leads(campaign: Campaign) -> str:
    names = cycle(["Anna", "Böhm; Otto", 'Kim "K"', "Zoë"])
    rows = [["No", "Phone", "First name", "Zone", "Group", "Remarks"]]
    for place, (number, kind) in enumerate(_mixed(campaign.numbers), 1):
        zone = FAR_AWAY if kind == "asleep" else ""
        rows.append([str(place), number, next(names), zone, kind, "a line\nand another"])
    return "\r\n".join(";".join(_cell(each) for each in row) for row in rows) + "\r\n"


def _mixed(made: dict[str, str]) -> list[tuple[str, str]]:
    """The rows in an order in which the kinds are mixed, the same each time."""
    return sorted(made.items(), key=lambda item: item[0][::-1])


def _cell(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if any(each in text for each in ';"\n') else text
