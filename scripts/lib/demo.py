"""The show behind scripts/demo: an Asterisk, a dialerd, jobs by every way in, and what became of them."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dialerd.client import ENDED, Client, ClientError

PROJECT = Path(__file__).resolve().parent.parent.parent
BEGIN_LIMIT_S, SHOW_LIMIT_S = 20.0, 40.0
SHOWN_EVENTS = {
    "accepted",
    "submitted",
    "ringing",
    "answered",
    "attempt_ended",
    "completed",
    "failed",
    "held",
    "expired",
}

CONFIG = """
state_dir = "{folder}/state"
[log]
format = "text"
[socket]
path = "{folder}/dialerd.sock"
[drop_folder]
path = "{folder}/in"
[asterisk]
spool = "{spool}"
user = "{user}"
{ami}
[calls]
default_country = "US"
default_trunk = "demo"
destinations = ["US"]          # the countries that may be called: without this, none
channels = ["Local/*@sim"]     # so that the .call file may name its channel
[trunks.demo]
channel = "Local/{{digits}}@sim"    # a context in which the last two digits choose what the called one does
"""
AMI = """
[ami]
port = {port}
username = "dialerd"
secret_file = "{folder}/ami-secret"
"""


@dataclass(frozen=True)
class Asked:
    """One call of the show: its account (by which we find it again), what it shows, and how it should end."""

    account: str
    what: str
    way: str
    disposition: str


CALLS = [
    Asked("socket", "somebody answers", "socket, curl", "ANSWERED"),
    Asked("client", "the line is busy", "dialerctl", "BUSY"),
    Asked("json", "nobody answers for 3 s", "drop folder, .json", "NOANSWER"),
    Asked("csv-1", "no line is free", "drop folder, .csv", "CONGESTION"),
    Asked("csv-2", "answered, scheduled in 5 s", "drop folder, .csv", "ANSWERED"),
    Asked("call", "answered, an old script", "drop folder, .call", "ANSWERED"),
    Asked("any", "two ring, one answers", "socket, Python", "ANSWERED"),
]

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
begun = time.monotonic()


def say(text: str) -> None:
    console.print(f"[dim]{time.monotonic() - begun:5.1f} s[/]  {text}")


def wait_for(what: str, ready: Callable[[], object], process: "subprocess.Popen[bytes]") -> None:
    """Raises SystemExit when it takes too long, or the process ends."""
    deadline = time.monotonic() + BEGIN_LIMIT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"demo: {what} did not start (exit code {process.poll()})")
        time.sleep(0.02)


@contextmanager
def running(command: list[str], log: Path, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process, ended with SIGTERM when the show is over."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(BEGIN_LIMIT_S)


def start_asterisk(stack: ExitStack, folder: Path, fake: bool) -> tuple[Path, str]:
    """Starts it; returns its spool and the section of dialerd.toml that tells of its AMI."""
    if fake:
        spool = folder / "spool"
        for name in ("outgoing", "outgoing_done"):
            (spool / name).mkdir(parents=True)
        command = [sys.executable, "-m", "tests.pbx.fake_asterisk", str(spool)]
        stack.enter_context(running(command, folder / "asterisk.log"))
        say("[yellow]no real Asterisk here: a fake of its spool is up. No phone rings, and it has no AMI,[/]")
        say("[yellow]which alone can tell why a call was not answered.[/]")
        return spool, ""
    instance = folder / "asterisk"
    process = stack.enter_context(
        running([str(PROJECT / "scripts/run-asterisk"), str(instance)], folder / "asterisk.log")
    )
    wait_for("Asterisk", (instance / "ready").exists, process)
    (folder / "ami-secret").write_text("secret\n")
    (folder / "ami-secret").chmod(0o600)
    ports = dict(line.split("=") for line in (instance / "ports").read_text().split())
    version = subprocess.run(
        [str(instance / "cli"), "core show version"], capture_output=True, text=True, check=True
    )
    say(f"{version.stdout.split('+')[0].strip()} is up: a real one, calling itself")
    return instance / "spool", AMI.format(port=ports["AMI_PORT"], folder=folder)


def start_dialerd(stack: ExitStack, folder: Path, spool: Path, ami: str) -> Client:
    config = folder / "dialerd.toml"
    config.write_text(CONFIG.format(folder=folder, spool=spool, ami=ami, user=os.geteuid()))
    command = [sys.executable, "-m", "dialerd.daemon", "--config", str(config)]
    process = stack.enter_context(running(command, folder / "dialerd.log"))
    client = Client(folder / "dialerd.sock", patience=0)

    def answers() -> bool:
        try:
            return bool(client.status())
        except ClientError:
            return False

    try:
        wait_for("dialerd", answers, process)
    except SystemExit:
        console.print(escape((folder / "dialerd.log").read_text()))
        raise
    say("dialerd is up")
    return client


def run(command: list[str], shown: str, **env: str) -> None:
    """Shows a command, runs it and shows what it says."""
    console.print(f"\n[bold]$ {escape(shown)}[/]")
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    console.print(escape((done.stdout + done.stderr).strip()))


def post(folder: Path, document: dict[str, Any]) -> None:
    """POST /v1/jobs by curl, or where there is none by Python's own means."""
    body = json.dumps(document)
    curl = [
        "curl",
        "-sS",
        "--unix-socket",
        str(folder / "dialerd.sock"),
        "http://dialerd/v1/jobs",
        "-d",
        body,
    ]
    if shutil.which("curl"):
        run(curl, f"curl --unix-socket dialerd.sock http://dialerd/v1/jobs -d '{body}'")
        return
    console.print(f"\n[bold]POST /v1/jobs {escape(body)}[/]")
    client = Client(folder / "dialerd.sock")
    try:
        console.print(escape(json.dumps(client.submit_document(document).job)))
    except ClientError as error:
        console.print(escape(str(error)))


def drop(folder: Path, name: str, content: str) -> None:
    """Puts a job file into the drop folder, whole at once."""
    console.print(f"\n[bold]$ cat > drop/{name}[/]\n{escape(content.strip())}")
    staged = folder / "in/drop" / f".{name}"
    staged.write_text(content)
    staged.rename(folder / "in/drop" / name)


def hand_in(folder: Path, client: Client) -> None:
    """The jobs, each by its own way in: good ones and bad ones."""
    socket = str(folder / "dialerd.sock")
    post(folder, {"to": "+12025550106", "play": "hello-world", "account": "socket", "key": "appointment-17"})
    post(folder, {"to": "+1202555", "pley": "hello-world", "wait_time": "long"})
    arguments = ["call", "+12025550101", "--play", "hello-world", "--account", "client"]
    dialerctl = [sys.executable, "-c", "from dialerd.cli import main; main()"]
    run([*dialerctl, *arguments], f"dialerctl {' '.join(arguments)}", DIALERD_SOCKET=socket)
    drop(
        folder,
        "reminder.json",
        '{"to": "+12025550102", "play": "hello-world", "wait_time": 3, "account": "json"}\n',
    )
    drop(
        folder,
        "list.csv",
        "to,play,account,not_before\n(202) 555-0103,hello-world,csv-1,\n"
        "202-555-0106,hello-world,csv-2,in 5s\nnobody,hello-world,,\n",
    )
    drop(
        folder,
        "old-script.call",
        "Channel: Local/12025550106@sim\nApplication: Playback\nData: hello-world\nAccount: call\n",
    )
    console.print(
        '\n[bold]>>> dialerd.submit(to=["+12025550102", "+12025550106"], ring="any", play="hello-world")[/]'
    )
    job = client.submit(
        to=["+12025550102", "+12025550106"], ring="any", play="hello-world", account="any"
    ).job
    console.print(f"{job['id']} {job['state']}\n")


def follow(folder: Path, known: dict[str, str]) -> None:
    """Shows events as they come, until the process ends."""
    client = Client(folder / "dialerd.sock")
    try:
        for event in client.events(after=0):
            if event["type"] in SHOWN_EVENTS:
                data = event["data"]
                detail = " ".join(str(data[name]) for name in ("disposition", "reason") if data.get(name))
                name = known.get(event["job"]) or known.setdefault(
                    event["job"], client.job(event["job"]).get("account", "")
                )
                say(f"{event['job']} {name:<7} {event['type']} [dim]{escape(detail)}[/]")
    except (ClientError, OSError):
        return


def wait_for_results(client: Client) -> dict[str, dict[str, Any]]:
    """The jobs by account, once all have ended."""
    deadline = time.monotonic() + SHOW_LIMIT_S
    while True:
        jobs = {job.get("account", ""): job for job in client.jobs()}
        ended = [job for job in jobs.values() if job["state"] in (*ENDED, "held")]
        if len(ended) >= len(CALLS) or time.monotonic() > deadline:
            return {account: client.job(job["id"]) for account, job in jobs.items()}
        time.sleep(0.1)


def records(spool: Path) -> dict[str, str]:
    """Asterisk's own call records: the disposition by account, as the record of our side of the call says."""
    path = spool.parent / "log/cdr-csv/Master.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row[0]: row[14] for row in csv.reader(file) if row[5].endswith(";1")}


def show_results(jobs: dict[str, dict[str, Any]], spool: Path, fake: bool) -> bool:
    """Prints the table; returns whether every call ended as it should."""
    title = "What became of the calls" + (" (all made up by the fake)" if fake else "")
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for name in ("call", "way in", "job", "disposition", "cause", "ring s", "talk s", "Asterisk's record"):
        table.add_column(name)
    own, right = records(spool), True
    for asked in CALLS:
        job = jobs.get(asked.account, {"state": "missing"})
        last = (job.get("attempts") or [{}])[-1]
        disposition = last.get("disposition", "-")
        right &= disposition == asked.disposition or (fake and job["state"] in ENDED)
        figures = (last.get("hangup_cause"), last.get("ring_seconds"), last.get("talk_seconds"))
        shown = [
            "" if each is None else f"{each:.1f}" if isinstance(each, float) else str(each)
            for each in figures
        ]
        table.add_row(asked.what, asked.way, job["state"], disposition, *shown, own.get(asked.account, ""))
    console.print(table)
    return right


def show_rejected(folder: Path) -> bool:
    """Prints what is in rejected/; returns whether it is what it should be."""
    reasons = sorted((folder / "in/rejected").rglob("*.reason"))
    for path in reasons:
        console.print(f"[bold]$ cat rejected/{path.name}[/]\n{escape(path.read_text().strip())}")
    return len(reasons) == 1


def main() -> int:
    """0: every call came to what it should."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    fake = "--fake" in sys.argv
    folder = Path(tempfile.mkdtemp(prefix="dialerd-demo-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            spool, ami = start_asterisk(stack, folder, fake)
            client = start_dialerd(stack, folder, spool, ami)
            hand_in(folder, client)
            threading.Thread(target=follow, args=(folder, {}), daemon=True).start()
            jobs = wait_for_results(client)
            right = show_results(jobs, spool, fake) & show_rejected(folder)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say("all is stopped and cleaned up" + ("" if right else ", [red]but not all came out as it should[/]"))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
