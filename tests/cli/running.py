"""dialerctl in the tests' own process, before a real Api."""

import json
import threading
from typing import Any

from click.testing import CliRunner, Result

from dialerd.cli import main
from dialerd.core.model import Disposition
from dialerd.core.states import State
from tests.intake.serving import JOB, Served
from tests.waiting import until

TO = JOB["to"]


def ctl(served: Served, *words: str, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["--socket", str(served.path), *words], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def jobs(served: Served) -> list[Any]:
    return list(served.ask("GET", "/v1/jobs").json["jobs"])


def accepted(served: Served, state: State = State.QUEUED) -> str:
    job_id = str(served.ask("POST", "/v1/jobs", JOB).json["id"])
    if state is not State.QUEUED:
        served.desk.put(job_id, state)
    return job_id


def rows(result: Result) -> list[list[str]]:
    """What was printed, line by line, word by word."""
    return [line.split() for line in result.stdout.splitlines()]


def ended_soon(served: Served, disposition: Disposition, state: State | None = None, count: int = 1) -> None:
    """Ends so many jobs once they have come, as calls with this outcome would."""

    def end() -> None:
        until(lambda: len(jobs(served)) == count)
        for job in jobs(served):
            served.desk.end(job["id"], disposition, state)

    threading.Thread(target=end).start()
