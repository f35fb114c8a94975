"""Scenarios of what operators see: metrics and the journal."""

import json
import shutil
import subprocess

from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import SOCKET, Stage

SCRAPE = f"""
import http.client, socket
connection = http.client.HTTPConnection("dialerd")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect("{SOCKET}")
connection.request("GET", "/metrics")
answer = connection.getresponse()
assert answer.status == 200, answer.status
print(answer.read().decode(), end="")
"""


@scenario("metrics", "GET /metrics tells of the queue, promtool has no complaint, and no number is in it")
def _metrics(stage: Stage) -> None:
    text = stage.host.run(["python3", "-c", SCRAPE]).stdout
    stage.note(text)
    assert "dialerd_jobs" in text, "it does not tell of jobs"
    assert "1202555" not in text, "a number that was called is in it"
    if shutil.which("promtool"):
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"promtool check metrics: {done.stdout}{done.stderr}"


@scenario("journal", "the journal has the job of each line as a field of its own, and no whole number")
def _journal(stage: Stage) -> None:
    job = stage.submit("journal", 1)[0]
    stage.all_ended("journal")
    lines = stage.host.out(
        "journalctl", "-u", "dialerd.service", f"DIALERD_JOB={job}", "-o", "json", "--no-pager"
    )
    entries = [json.loads(line) for line in lines.splitlines()]
    stage.note("\n".join(str(entry.get("MESSAGE")) for entry in entries))
    assert entries, f"journalctl DIALERD_JOB={job} finds nothing"
    whole = stage.host.out("journalctl", "-u", "dialerd.service", "--no-pager", "-o", "json")
    assert "12025550106" not in whole, "a whole number is in the journal"
