"""Reports reach a real HTTPS receiver, a command and a folder, though the receiver is down and dialerd is
killed."""

import json
import os
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.e2e.lines import status
from tests.reports.receiver import Authority
from tests.users import DIALERD_GID, DIALERD_UID, give
from tests.waiting import until

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CALL = {"context": "job", "extension": "hangup"}
TOLD = ("accepted", "submitted", "attempt_ended", "completed", "failed")
ENDS = {"106": "call.completed", "101": "call.failed"}


@dataclass
class Receiver:
    """What came in, and what is answered: `answer` None hangs until `over`."""

    answer: int | None = 200
    asked: int = 0
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def jobs(self) -> dict[str, list[str]]:
        """The types of the reports of each job, in the order in which they were first taken."""
        told: dict[str, dict[str, str]] = defaultdict(dict)
        for _, _, body in self.taken:
            report = json.loads(body)
            told[report["data"]["job"]["id"]].setdefault(report["id"], report["type"])
        return {job: list(reports.values()) for job, reports in told.items()}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.asked += 1
        if receiver.answer is None:
            receiver.over.wait(30)
            return
        if receiver.answer < 300:
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.taken.append((self.path, headers, body))
        self.send_response(receiver.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


class _Server(ThreadingHTTPServer):
    """Its port is taken from the start on; it refuses connections until it is opened."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.context, self.receiver = context, Receiver()
        self.server_bind()

    def open(self) -> Receiver:
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self.receiver

    def get_request(self):
        connection, address = super().get_request()
        connection.settimeout(20)
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: object) -> None:
        """dialerd is killed while it waits for an answer: that is what the tests are about."""


@pytest.fixture
def authority(open_folder) -> Authority:
    """Signs the receiver's certificate."""
    return Authority(open_folder)


@pytest.fixture
def server(authority) -> Iterator[_Server]:
    """A receiver of https://localhost that is down at first."""
    with _Server(authority.serve("localhost")) as server:
        yield server
        server.receiver.over.set()
        if server.receiver.asked:
            server.shutdown()


@pytest.fixture
def start(asterisk, make_daemon, open_folder, authority, server):
    """Starts a daemon that tells a webhook; the keywords are more sections."""

    def secret(name, text):
        path = open_folder / name
        path.write_text(f"{text}\n")
        return str(give(path, DIALERD_UID, DIALERD_GID, 0o600))

    def start(**settings):
        crm = {
            "url": f"https://localhost:{server.server_port}/calls",
            "secret_file": secret("crm", SECRET),
            "events": TOLD,
            "allow_private": True,
            "ca_file": str(authority.certificate),
        }
        ours = {
            "allowed_urls": [f"https://localhost:{server.server_port}/mine/"],
            "secret_file": secret("reports", OTHER),
            "allow_private": True,
            "ca_file": str(authority.certificate),
        }
        return make_daemon(asterisk, {"webhooks.crm": crm, "reports": ours, **settings}).start()

    return start


def sinks(daemon):
    return daemon.request("GET", "/v1/reports")[1]["sinks"]


def _delivered(daemon):
    return sum(each["delivered"] for each in sinks(daemon).values())


def all_told(daemon):
    return all(not each["pending"] and not each["dead"] for each in sinks(daemon).values())


def test_each_end_arrives_in_order_though_the_receiver_is_down_then_broken_and_dialerd_is_killed(
    start, server
):
    daemon = start()
    jobs = {daemon.submit(to=to, **CALL)["id"]: end for to, end in ENDS.items() for _ in range(4)}
    for job in jobs:
        daemon.ended(job)
    until(lambda: sinks(daemon)["webhooks.crm"].get("failing"))
    refused = sinks(daemon)["webhooks.crm"]
    receiver = server.open()
    receiver.answer = 500
    daemon.ctl("reports", "retry", "webhooks.crm")
    until(lambda: receiver.asked)
    receiver.answer = None
    before = receiver.asked
    until(lambda: daemon.ctl("reports", "retry").returncode == 0 and receiver.asked > before, 20)
    daemon.kill()
    receiver.answer = 200
    daemon.start()
    until(lambda: daemon.ctl("reports", "retry").returncode == 0 and all_told(daemon), 30)
    listed = daemon.ctl("reports", "list").stdout
    assert refused["delivered"] == 0
    assert "refused" in refused["failing"]
    assert set(receiver.jobs()) == set(jobs)
    for job, end in jobs.items():
        assert receiver.jobs()[job] == ["call.accepted", "call.submitted", "call.attempt_ended", end]
    assert "webhooks.crm: 32 delivered, 0 pending, 0 given up" in listed


def test_reports_are_signed_as_standard_webhooks_says(start, server):
    receiver = server.open()
    daemon = start()
    job = daemon.submit(to="106", key="invoice-7", tags=["invoice"], **CALL)
    until(lambda: len(receiver.jobs().get(job["id"], ())) == 4)
    _, headers, body = receiver.taken[-1]
    report = Webhook(SECRET).verify(body, headers)
    assert report["id"] == headers["webhook-id"]
    assert report["data"]["state"] == "completed"
    assert report["data"]["attempt"]["disposition"] == "ANSWERED"
    assert report["data"]["job"]["key"] == "invoice-7"


def test_a_jobs_own_address_is_told_of_that_job_alone_and_others_are_refused(start, server):
    receiver = server.open()
    daemon = start()
    own = f"https://localhost:{server.server_port}/mine/7"
    job = daemon.submit(to="106", report_url=own, **CALL)
    daemon.submit(to="106", **CALL)
    refused = daemon.request("POST", "/v1/jobs", {"to": "106", "report_url": "https://example.com/", **CALL})
    until(lambda: _delivered(daemon) == 9)
    mine = [
        Webhook(OTHER).verify(body, headers) for path, headers, body in receiver.taken if path == "/mine/7"
    ]
    assert [report["data"]["job"]["id"] for report in mine] == [job["id"]]
    assert refused[0] == 422
    assert refused[1]["mistakes"][0]["where"] == "report_url"


def test_a_command_and_a_folder_are_told_each_end(start, server, open_folder):
    server.open()
    told, results = open_folder / "told", open_folder / "results"
    for folder in (told, results):
        folder.mkdir()
        give(folder, DIALERD_UID, DIALERD_GID, 0o755)
    script = f"read -r line; printf '%s\\n' \"$line\" > {told}/$$.json; id -u > {told}/$$.uid; cat >/dev/null"
    daemon = start(
        **{
            "hooks.pager": {"command": ["/bin/sh", "-c", script], "events": ["completed", "failed"]},
            "results": {"folder": str(results)},
        }
    )
    jobs = {daemon.submit(to=to, **CALL)["id"] for to in ENDS for _ in range(3)}
    for job in jobs:
        daemon.ended(job)
    until(lambda: len(list(results.glob("*.json"))) == 6 and len(list(told.glob("*.uid"))) >= 6)
    until(lambda: all_told(daemon))
    reports = [json.loads(path.read_text()) for path in told.glob("*.json")]
    files = {path.stem: json.loads(path.read_text()) for path in results.glob("*.json")}
    assert {report["data"]["job"]["id"] for report in reports} == jobs
    assert {path.read_text().strip() for path in told.glob("*.uid")} == {str(DIALERD_UID)}
    assert set(files) == jobs
    assert all(daemon.job(job) == files[job] for job in jobs)


def test_a_hook_that_fails_and_one_that_never_ends_hold_nothing_up_and_are_listed_with_the_reason(
    start, server
):
    server.open()
    daemon = start(
        **{
            "hooks.broken": {"command": ["/bin/sh", "-c", "echo no modem >&2; exit 3"]},
            "hooks.stuck": {"command": ["/bin/sleep", "600"], "timeout": "1s"},
        }
    )
    job = daemon.ended(daemon.submit(to="106", **CALL)["id"])
    until(lambda: len(whys(daemon)) == 2)
    sleeping = [pid for pid in os.listdir("/proc") if pid.isdigit() and _argv(pid) == ["/bin/sleep", "600"]]
    assert job["state"] == "completed"
    assert "no modem" in whys(daemon)["hooks.broken"]
    assert "1 s" in whys(daemon)["hooks.stuck"]
    assert sleeping == []
    assert status(daemon)["jobs"] == {"completed": 1}


def whys(daemon):
    """Why reports that were tried are not delivered, by sink."""
    listed = daemon.request("GET", "/v1/reports")[1]["reports"]
    return {each["sink"]: each["why"] for each in listed if each.get("why")}


def _argv(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []
