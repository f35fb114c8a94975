"""A real daemon with something of everything, on a spool that a fake Asterisk empties, and what it tells."""

import http.client
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.daemon import Daemon
from tests.pbx.fake_asterisk import FakeAsterisk
from tests.pbx.fake_manager import FakeManager
from tests.ports import free_port
from tests.users import DIALERD_GID, DIALERD_UID, give
from tests.waiting import until

CANARY = "7770123"
"""These digits are in every number, and in all else that a job may say."""

NUMBER = f"+4930{CANARY}9"
CALL = {
    "to": NUMBER,
    "trunk": "sim",
    "context": f"ctx{CANARY}",
    "extension": f"{CANARY}",
    "caller_id": {"name": f"Canary {CANARY}", "number": f"+4930{CANARY}8"},
    "variables": {f"CANARY{CANARY}": CANARY},
    "account": f"acc{CANARY}",
    "batch": f"batch-{CANARY}",
    "tags": [f"tag-{CANARY}"],
}
SMS = {"kind": "sms", "to": NUMBER, "body": f"Canary {CANARY}", "batch": f"batch-{CANARY}"}
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


@dataclass
class World:
    """The daemon, its fake Asterisk and manager, and the port of its listener."""

    daemon: Daemon
    asterisk: FakeAsterisk
    manager: FakeManager
    port: int

    def text(self) -> str:
        """What GET /metrics answers on the Unix socket."""
        status, text = self.daemon.request("GET", "/metrics")
        assert status == 200, text
        return str(text.decode())

    def metrics(self) -> dict[str, Metric]:
        """The metrics by name, as Prometheus' own parser reads them."""
        return {each.name: each for each in text_string_to_metric_families(self.text())}

    def value(self, sample: str, **labels: str) -> float:
        """The sum of a series' samples that have these labels."""
        return sum(
            each.value
            for metric in self.metrics().values()
            for each in metric.samples
            if each.name == sample and labels.items() <= each.labels.items()
        )

    def becomes(self, value: float, sample: str, **labels: str) -> bool:
        """Waits until that sum is `value`; the text is made anew once a second."""
        return until(lambda: self.value(sample, **labels) == value)

    def from_listener(self, path: str = "/metrics", **headers: str) -> tuple[int, str]:
        """What the listener answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={name.replace("_", "-"): it for name, it in headers.items()})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


@contextmanager
def world() -> Iterator[World]:
    """Two trunks, a manager that tells of no call, a listener, a cap; a provider and a webhook that nobody
    is behind."""
    with (
        tempfile.TemporaryDirectory(prefix="spool-", dir="/tmp") as folder,
        closing(FakeManager()) as manager,
    ):
        asterisk = FakeAsterisk(Path(folder), speed=20)
        for path in (asterisk.spool, asterisk.outgoing, asterisk.done):
            path.mkdir(exist_ok=True)
            give(path, DIALERD_UID, DIALERD_GID, 0o755)
        port = free_port()
        daemon = Daemon(asterisk.spool, _sections(port, manager.port), ami=False)
        for section, text in (("ami", "secret"), ("providers.tw", "secret"), ("webhooks.crm", SECRET)):
            path = daemon.folder / section
            path.write_text(f"{text}\n")
            give(path, DIALERD_UID, DIALERD_GID, 0o600)
            daemon.settings[section]["secret_file"] = str(path)
        daemon.write_config()
        asterisk.start()
        try:
            yield World(daemon.start(), asterisk, manager, port)
        finally:
            daemon.remove()
            asterisk.crash()


def _sections(port: int, manager: int) -> dict[str, dict[str, object]]:
    nobody = f"https://127.0.0.1:{free_port()}"
    account = {"type": "twilio", "account": "AC" + "a" * 32, "base_url": nobody, "sender": "+15005550006"}
    here = f"127.0.0.1:{port}"
    return {
        "asterisk": {"user": str(DIALERD_UID)},
        "ami": {"port": manager},
        "trunks.other": {"channel": "Local/{digits}@sim", "max_channels": 4, "calls_per_second": 5},
        "providers.tw": account,
        "webhooks.crm": {"url": f"{nobody}/", "allow_private": True},
        "caps.total": {"calls_per_day": 1000},
        "listener": {"address": here, "public_url": f"http://{here}", "metrics": True},
    }


def series_of(text: str) -> set[str]:
    """Name and labels of all series, without le."""
    found = {line.rsplit(" ", 1)[0] for line in text.splitlines() if line and not line.startswith("#")}
    return {re.sub(r',?le="[^"]*"', "", each) for each in found}


def work(running: World) -> None:
    """Calls that are answered and not, messages to a provider that is not there, refusals at both doors."""
    daemon = running.daemon
    jobs = [daemon.submit(**{**CALL, "key": f"key-{CANARY}-{number}"}) for number in range(2)]
    jobs.append(daemon.submit(**{**CALL, "to": f"+4930{CANARY}01"}))
    jobs.append(daemon.submit(channel="Local/answer@sim", application="Wait", data="0"))
    daemon.submit(**SMS)
    held = daemon.submit(**CALL, not_before="in 1h")
    daemon.request("POST", f"/v1/jobs/{held['id']}/hold")
    emergency = {**CALL, "to": "110", "key": CANARY}
    assert daemon.request("POST", "/v1/jobs", emergency)[0] == 422
    assert daemon.request("POST", "/v1/jobs/batch", emergency)[1]["status"] == 422
    daemon.put(f"job-{CANARY}.json", json.dumps({**CALL, "to": "nobody", "key": CANARY}))
    for job in jobs:
        daemon.ended(job["id"])
    until(lambda: running.value("dialerd_provider_requests_total", outcome="unavailable") >= 1)
    until(lambda: running.value("dialerd_report_tries_total", outcome="failed") >= 1)
    until(lambda: running.value("dialerd_refusals_total", door="folder") >= 1)
